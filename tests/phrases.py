"""The reasons that estimators give, found in the code itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

EXHIBITS = Path(__file__).parent.parent / "pipeline" / "exhibits"


# What makes a reason that stands in a row; modules whose errors stop the run are left out.
_REASONS = {"SupportError", "IdentificationError", "missing_row", "test_row"}
_ESTIMATING = ("effects", "estimators", "inference", "analyses")
_STOPPING = {
    "score_correction.py",
    "matching_effect.py",
    "clusters.py",
    "study.py",
    "covariate_columns.py",
}


def reasons_of_estimators() -> set[str]:
    """Return the texts with which estimators say why a row has no estimate, fields as `{}`."""
    found: set[str] = set()
    for room in _ESTIMATING:
        for path in sorted((EXHIBITS.parent / room).rglob("*.py")):
            if path.name in _STOPPING:
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            constants = _constants(tree)
            found |= {_with_fields(argument, constants) for argument in _arguments_of_reasons(tree)}
    return {text for text in found if " " in text.replace("{}: {}", "")}


def _arguments_of_reasons(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if named and node.func.id in _REASONS:
            yield from [*node.args, *(keyword.value for keyword in node.keywords)]


def _with_fields(node: ast.expr, constants: dict[str, ast.expr]) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    if isinstance(node, ast.Name) and node.id in constants:
        return _with_fields(constants[node.id], constants)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found[node.target.id] = node.value
    return found
