"""Compare drawings by what they show: SVG and PDF as text and numbers, PNG as pixels.

The same figure drawn on two machines by the same versions differs in the last digits of a
coordinate at most; those inside a page are drawn without a library, and are the same exactly.
What a reader cannot see is not compared: names of parts, compression.
"""

import io
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

import numpy as np
from matplotlib.image import imread

from pipeline.commands.audit.comparison import NUMBER

# A hundredth of a point, and two of 255 steps of a colour.
_TOLERANCE = 0.01
_COLOUR_TOLERANCE = 2.5 / 255

_INLINE = re.compile(r"<svg.*?</svg>", re.DOTALL)
_NAMED = re.compile(r'(?<= id=")[^"]*|(?<=href="#)[^"]*|(?<=url\(#)[^)]*')
# What a drawing says: a number there is read, not measured.
_SVG_WORDS = re.compile(r">[^<]*<")
_PDF_WORDS = re.compile(r"\((?:\\.|[^\\()])*\)")

_STREAM = re.compile(rb"(?<=stream\n).*?(?=\nendstream)", re.DOTALL)
# Where the parts of a PDF begin, and how long they are packed.
_OFFSETS = re.compile(
    rb"^\d{10} \d{5} [nf] ?\r?$|(?<=startxref\n)\d+|(?<= obj\n)\d+(?=\nendobj)", re.MULTILINE
)


def drawing_differences(committed: Mapping[str, bytes], new: Mapping[str, bytes]) -> list[str]:
    """Return one line per drawing, in a file of its own or inside a page, that shows other things.

    Both map a file's path to its content; files that only one of them has are left to others.
    """
    both = [path for path in sorted(committed) if path in new]
    return [line for path in both for line in _differences(path, committed[path], new[path])]


def _differences(path: str, before: bytes, after: bytes) -> list[str]:
    if before == after:
        return []
    kind = PurePosixPath(path).suffix
    if kind == ".html":
        return _in_page(path, before, after)
    if kind in _SAME and not _SAME[kind](before, after):
        return [f"{path}: does not show what results and parameters give"]
    return []


def _in_page(path: str, before: bytes, after: bytes) -> list[str]:
    old, new = (_INLINE.findall(page.decode("utf-8", "replace")) for page in (before, after))
    if len(old) != len(new):
        return [f"{path}: {len(old)} drawings, {len(new)} now"]
    return [
        f"{path}: drawing {number} does not show what results and parameters give"
        for number, (one, two) in enumerate(zip(old, new, strict=True), start=1)
        if _renamed(one) != _renamed(two)
    ]


def _same_svg(before: bytes, after: bytes) -> bool:
    one, two = (_renamed(content.decode("utf-8", "replace")) for content in (before, after))
    return _same_text(one, two, _SVG_WORDS)


def _renamed(svg: str) -> str:
    """Number the parts by where they are first named: their names are hashes of coordinates."""
    numbers: dict[str, str] = {}
    return _NAMED.sub(lambda name: numbers.setdefault(name[0], f"part{len(numbers)}"), svg)


def _same_pdf(before: bytes, after: bytes) -> bool:
    one, two = ([_unpacked(stream) for stream in _STREAM.findall(pdf)] for pdf in (before, after))
    rests = [_OFFSETS.sub(b"", _STREAM.sub(b"", pdf)) for pdf in (before, after)]
    if len(one) != len(two):
        return False
    parts = [*zip(one, two, strict=True), (rests[0], rests[1])]
    return all(_same_text(a.decode("latin-1"), b.decode("latin-1"), _PDF_WORDS) for a, b in parts)


def _unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def _same_text(before: str, after: str, words: re.Pattern[str]) -> bool:
    """Say whether the words that readers see are the same, and coordinates nearly."""
    if before == after:
        return True
    if words.findall(before) != words.findall(after):
        return False
    if NUMBER.sub("", before) != NUMBER.sub("", after):
        return False
    pairs = zip(NUMBER.findall(before), NUMBER.findall(after), strict=True)
    return all(a == b or abs(float(a) - float(b)) <= _TOLERANCE for a, b in pairs)


def _same_png(before: bytes, after: bytes) -> bool:
    try:
        one, two = (imread(io.BytesIO(content), format="png") for content in (before, after))
    except (OSError, SyntaxError, ValueError):  # no picture
        return False
    return one.shape == two.shape and bool(np.abs(one - two).max() <= _COLOUR_TOLERANCE)


_SAME: dict[str, Callable[[bytes, bytes], bool]] = {
    ".pdf": _same_pdf,
    ".png": _same_png,
    ".svg": _same_svg,
}
