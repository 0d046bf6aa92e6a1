"""Every code of a sentence that the pipeline names, found in the code itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PIPELINE = Path(__file__).parent.parent / "pipeline"
CODE = re.compile(r"[a-z_0-9]+\.[a-z_0-9]*[a-z0-9]")
# Files of reports/<study>/, of which some are called as a section is.
FILE = re.compile(r".*\.(json|tex|md|docx|html|css|csv|svg|pdf)")


def trees() -> Iterator[ast.AST]:
    for room in ("exhibits", "publishing"):
        for path in sorted((PIPELINE / room).rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"))


def said_codes() -> tuple[set[str], set[str]]:
    """Return what `say` and its parts are given: codes, and patterns where a part is of params."""
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


def reasons() -> Iterator[tuple[str, set[str] | None]]:
    """Yield code and names of fields of each `Reason(...)`; None for fields made elsewhere.

    A code that is put together is a pattern.
    """
    for path in sorted(PIPELINE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) == "Reason" and node.args:
                fields = _keys(node.args[1]) if len(node.args) > 1 else set()
                yield from ((code, fields) for code in _codes(node.args[0]))


def texts_of_code() -> set[str]:
    """Return every text constant of the pipeline."""
    return {
        node.value
        for path in PIPELINE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _codes(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.IfExp):
        yield from (*_codes(node.body), *_codes(node.orelse))
    elif isinstance(node, ast.JoinedStr):
        yield _pattern(node)


def _keys(node: ast.expr) -> set[str] | None:
    if not isinstance(node, ast.Dict) or not all(isinstance(k, ast.Constant) for k in node.keys):
        return None
    return {str(key.value) for key in node.keys if isinstance(key, ast.Constant)}


def _arguments_of_say(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in ("say", "_sentence"):
            yield node.args[0]


def _pattern(node: ast.JoinedStr) -> str:
    return "".join(
        re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[a-z_0-9]+"
        for part in node.values
    )
