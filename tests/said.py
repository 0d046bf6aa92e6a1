"""Every code of a sentence that the pipeline names, found in the code itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PIPELINE = Path(__file__).parent.parent / "pipeline"
CODE = re.compile(r"[a-z_0-9]+\.[a-z_0-9]*[a-z0-9]")
# Files of reports/<study>/, of which some are called as a section is.
FILE = re.compile(r".*\.(json|tex|md|docx|html|csv|svg|pdf)")


def trees() -> Iterator[ast.AST]:
    for room in ("exhibits", "publishing"):
        for path in sorted((PIPELINE / room).rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"))


def said_codes() -> tuple[set[str], set[str]]:
    """Return what `say` is given: codes, and patterns of those with a code of params in them."""
    codes: set[str] = set()
    patterns: set[str] = set()
    for tree in trees():
        for argument in _arguments_of_say(tree):
            for node in ast.walk(argument):
                if isinstance(node, ast.JoinedStr):
                    patterns.add(_pattern(node))
                elif isinstance(node, ast.Constant) and CODE.fullmatch(str(node.value)):
                    codes.add(str(node.value))
    return codes, patterns


def named_codes(sections: set[str]) -> set[str]:
    """Return every text of the code that reads as a code of one of the sections."""
    texts = {
        node.value
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    found = {text for text in texts if CODE.fullmatch(text) and not FILE.fullmatch(text)}
    return {text for text in found if text.split(".")[0] in sections}


def _arguments_of_say(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
            yield node.args[0]


def _pattern(node: ast.JoinedStr) -> str:
    return "".join(
        re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[a-z_0-9]+"
        for part in node.values
    )
