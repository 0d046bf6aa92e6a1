"""Which files of this repository a module runs, followed through its imports."""

import ast
from functools import cache
from pathlib import Path

from pipeline.datasets.aggregates import AGGREGATES

ROOT = Path(__file__).parent.parent

ITEM = "${item}"

# Stages whose folder holds no table of firms, so that it is listed as a whole.
WITHOUT_FIRMS = ("balance", "estimate")

# Rooms whose modules belong to single stages: a changed section of params re-runs its readers only.
# A stage that runs as large a share of one as this is given all of it.
BY_FILE = {"pipeline/params": 0.5, "pipeline/datasets": 0.4}


def code_dependencies(*stages: str) -> list[str]:
    """Return what dvc.yaml lists of the code that the stages run: rooms, and single files.

    A module directly under pipeline/ or stages/ is a file of its own; every other stands for its
    room, but for those of BY_FILE.
    """
    closure = {path for stage in stages for path in import_closure(f"stages.{stage}")}
    by_file = {room for room, most in BY_FILE.items() if _share(room, closure) < most}
    return sorted({path if _room(path) in {path, *by_file} else _room(path) for path in closure})


def aggregate_files() -> list[str]:
    """Return what dvc.yaml lists of the data that exhibits are made from."""
    return sorted(
        path
        for stage, tables in AGGREGATES.items()
        for path in (
            [f"data/{ITEM}/{stage}"]
            if stage in WITHOUT_FIRMS
            else [f"data/{ITEM}/{stage}/{table.name.lower()}.parquet" for table in tables]
        )
    )


def _room(path: str) -> str:
    return "/".join(path.split("/")[:2])


def _share(room: str, closure: set[str]) -> float:
    modules = [path for path in (ROOT / room).rglob("*.py") if path.stat().st_size]
    return sum(_room(path) == room for path in closure) / len(modules)


def import_closure(module: str) -> list[str]:
    """Return the non-empty files that `module` imports, itself, its packages and data included."""
    pending, found = [module], set()
    while pending:
        current = pending.pop()
        path = _file(current)
        if path is None or path in found:
            continue
        found |= {path, *path.parent.glob("*.yaml")}
        parents = [current.rsplit(".", n)[0] for n in range(1, current.count(".") + 1)]
        pending += [*parents, *_imported(path)]
    files = sorted(path.relative_to(ROOT).as_posix() for path in found if path.stat().st_size)
    return files


@cache
def _imported(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] in {"pipeline", "stages"}]


def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    if path.with_suffix(".py").is_file():
        return path.with_suffix(".py")
    return path / "__init__.py" if (path / "__init__.py").is_file() else None
