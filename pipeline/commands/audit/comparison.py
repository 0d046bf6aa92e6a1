"""Compare results: numbers at 1e-7 relative, text exactly, figures by presence.

The bytes of figures depend on the machine's fonts, so they are compared by name only, and drawings
inside a page are left out. So are hashes, which are of files that are compared themselves: `verify`
judges them by itself.
"""

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

NUMBER = re.compile(r"-?\d+\.?\d*(?:[eE][-+]?\d+)?")
RELATIVE_TOLERANCE = 1e-7
# below this a figure is rounding around zero, which the last digits of BLAS decide
ABSOLUTE_TOLERANCE = 1e-9
TEXT = {".csv", ".docx", ".html", ".json", ".md", ".tex"}

# Characters shown before the first difference of a long line, and in all.
_BEFORE, _SHOWN = 30, 120

# Drawings and hashes.
_MACHINE = re.compile(r"<svg.*?</svg>|\b[0-9a-f]{64}\b", re.DOTALL)


def differences(committed: Mapping[str, bytes], new: Mapping[str, bytes]) -> list[str]:
    """Return one line per file that is missing, unexpected or different.

    Both map a file's path to its content.
    """
    before, after = set(committed), set(new)
    found = [f"{path}: only in the committed results" for path in sorted(before - after)]
    found += [f"{path}: only in the new results" for path in sorted(after - before)]
    for path in sorted(before & after):
        if PurePosixPath(path).suffix in TEXT:
            found += _compare(path, _text(path, committed[path]), _text(path, new[path]))
    return found


def _text(path: str, content: bytes) -> str:
    """Return what is compared of a file: of a Word file the document, one row a line."""
    if path.endswith(".docx"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read("word/document.xml").replace(b"<w:tr>", b"\n<w:tr>")
    return _MACHINE.sub("", content.decode("utf-8"))


def _compare(path: str, before: str, after: str) -> list[str]:
    old, new = before.splitlines(), after.splitlines()
    if len(old) != len(new):
        return [f"{path}: {len(old)} lines committed, {len(new)} now"]
    return [
        f"{path}:{number}\n  committed: {_excerpt(a, b)}\n  now:       {_excerpt(b, a)}"
        for number, (a, b) in enumerate(zip(old, new, strict=True), start=1)
        if not same_line(a, b)
    ]


def _excerpt(line: str, other: str) -> str:
    """Return the part of a line around its first difference from another."""
    pairs = enumerate(zip(line, other, strict=False))
    first = next((i for i, (a, b) in pairs if a != b), min(len(line), len(other)))
    start = max(0, first - _BEFORE)
    shown = line[start : start + _SHOWN]
    return f"{'...' * (start > 0)}{shown}{'...' * (start + _SHOWN < len(line))}"


def same_line(before: str, after: str) -> bool:
    """Say whether two lines have the same text and the same numbers within tolerance."""
    if before == after:
        return True
    if NUMBER.sub("#", before) != NUMBER.sub("#", after):
        return False
    pairs = zip(NUMBER.findall(before), NUMBER.findall(after), strict=True)
    return all(same_number(float(a), float(b)) for a, b in pairs)


def same_number(a: float, b: float) -> bool:
    """Say whether two figures differ by no more than the last digits of a machine."""
    return abs(a - b) <= max(ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE * max(abs(a), abs(b)))
