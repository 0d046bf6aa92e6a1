"""The rooms of `pipeline/`: imports go one way, and one name means one thing."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "pipeline"
STAGES = ROOT.parent / "stages"

# A room imports from itself and from those before it; stages and tests from all.
ROOMS = (
    "errors",
    "progress",
    "parallel",
    "params",
    "datasets",
    "simulation",
    "panel",
    "selection",
    "matching",
    "effects",
    "estimators",
    "inference",
    "analyses",
    "exhibits",
    "publishing",
    "commands",
)


def trees():
    paths = [path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py"]
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def room(path):
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imported(tree):
    """Return the rooms that a module imports from, lazily or for types too."""
    nodes = list(ast.walk(tree))
    modules = [n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module]
    modules += [alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names]
    return {m.split(".")[1] for m in modules if m.startswith("pipeline.")}


def upward(path, tree):
    place = ROOMS.index(room(path))
    return sorted(name for name in imported(tree) if ROOMS.index(name) > place)


def test_every_folder_and_module_is_a_room():
    found = {p.stem for p in ROOT.iterdir() if p.is_dir() or p.suffix == ".py"}
    assert found - {"__init__", "__pycache__"} == set(ROOMS)


def test_rooms_import_only_from_rooms_before_them():
    found = {str(path): upward(path, tree) for path, tree in trees().items()}
    assert {path: rooms for path, rooms in found.items() if rooms} == {}


@pytest.mark.parametrize(
    "line", ["import pipeline.commands", "from pipeline.exhibits.inputs import Effect"]
)
def test_an_import_of_a_later_room_is_found(line):
    lazily = ast.parse(f"def f():\n    {line}\n")
    assert upward(ROOT / "panel" / "clean.py", lazily)


def public_names():
    """Yield the classes and public functions of pipeline/ and stages/, with their modules."""
    paths = [*trees(), *STAGES.glob("*.py")]
    for path in paths:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, str(path.relative_to(ROOT.parent))


def test_no_two_classes_or_public_functions_have_one_name():
    places = defaultdict(list)
    for name, path in public_names():
        places[name].append(path)
    # Every stage and command has its `main`.
    assert "stages/run.py" in places["Folders"]
    assert {name: p for name, p in places.items() if len(p) > 1 and name != "main"} == {}


def test_types_of_arrays_are_defined_once():
    lines = [(p, line) for p in ROOT.rglob("*.py") for line in p.read_text().splitlines()]
    aliases = [p.name for p, line in lines if line[:1].isupper() and "= NDArray[" in line]
    assert set(aliases) == {"arrays.py"}


def test_packages_re_export_nothing():
    for path in ROOT.rglob("__init__.py"):
        assert not [n for n in ast.parse(path.read_text()).body if not isinstance(n, ast.Expr)]
