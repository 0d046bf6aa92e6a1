"""The codes of reasons, found in the code itself."""

import ast
from pathlib import Path

PIPELINE = Path(__file__).parent.parent / "pipeline"


def reasons_of_the_code() -> list[str]:
    """Return the codes with which the code makes reasons, where they stand as they are."""
    found = {
        str(node.args[0].value)
        for path in PIPELINE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Reason"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    return sorted(found)
