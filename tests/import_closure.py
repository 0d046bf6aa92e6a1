"""Which files of this repository a module runs, followed through its imports."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent


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
