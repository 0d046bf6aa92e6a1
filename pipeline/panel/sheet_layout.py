"""What a sheet's cells do not tell: hidden rows and columns, merged cells, formulas without values.

The library that reads cells in little memory leaves these out, so they are read from the sheet's
XML, by its tags.
"""

import re
from dataclasses import dataclass

_ROW_OR_FORMULA = re.compile(
    rb"<(?:\w+:)?row\b(?P<row>[^>]*)>"
    rb"|<(?:\w+:)?c\b(?P<cell>[^>]*)>\s*<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>)"
    rb"(?P<value>\s*<(?:\w+:)?v\b[^>]*>[^<])?"
)
# Of a formula that makes an empty text nothing is stored but that it is text.
_TEXT = re.compile(rb"\bt=[\"']str\b")
_NUMBER = re.compile(rb"\br=[\"'](\d+)")
_HIDDEN = re.compile(rb"\bhidden=[\"'](?:1|true)\b")
_COLUMN = re.compile(rb"<(?:\w+:)?col\b([^>]*)>")
_FIRST, _LAST = re.compile(rb"\bmin=[\"'](\d+)"), re.compile(rb"\bmax=[\"'](\d+)")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*\bref=[\"']([A-Z0-9:]+)")
_CELLS = re.compile(rb"<(?:\w+:)?sheetData\b.*</(?:\w+:)?sheetData>", re.DOTALL)


@dataclass(frozen=True)
class Span:
    """Hold the corners of merged cells, rows and columns counted from 1."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class SheetLayout:
    """Hold rows and columns that are hidden, merged cells, and rows of formulas without values."""

    hidden_rows: frozenset[int]
    hidden_columns: frozenset[int]
    merged: tuple[Span, ...]
    without_values: tuple[int, ...]


def sheet_layout(xml: bytes) -> SheetLayout:
    """Read the layout from a sheet's XML."""
    cells = _CELLS.search(xml)
    hidden_rows, without = _rows(cells[0] if cells else b"")
    above = xml[: cells.start()] if cells else xml
    columns = {
        column
        for tag in _COLUMN.findall(above)
        if _HIDDEN.search(tag)
        for column in range(_number(_FIRST, tag), _number(_LAST, tag) + 1)
    }
    below = xml[cells.end() :] if cells else b""
    merged = [_span(ref.decode("ascii")) for ref in _MERGED.findall(below)]
    return SheetLayout(hidden_rows, frozenset(columns), tuple(merged), without)


def _rows(cells: bytes) -> tuple[frozenset[int], tuple[int, ...]]:
    """Return rows that are hidden, and rows with a formula whose value is not stored."""
    row, hidden, without = 0, set[int](), dict[int, None]()
    for tag in _ROW_OR_FORMULA.finditer(cells):
        if tag["row"] is None:
            if tag["value"] is None and not _TEXT.search(tag["cell"]):
                without[row] = None
            continue
        row = _number(_NUMBER, tag["row"]) or row + 1
        if _HIDDEN.search(tag["row"]):
            hidden.add(row)
    return frozenset(hidden), tuple(without)


def _number(pattern: re.Pattern[bytes], tag: bytes) -> int:
    found = pattern.search(tag)
    return int(found[1]) if found else 0


def _span(reference: str) -> Span:
    from openpyxl.utils import range_boundaries

    left, top, right, bottom = range_boundaries(reference)
    return Span(int(top or 1), int(left or 1), int(bottom or 1), int(right or 1))
