"""Which marks the numbers of a text file have: of decimals, and of thousands."""

import csv
import re
from typing import Literal

import pandas as pd

from pipeline.commands.start.roles import role_of
from pipeline.panel.delivered import mark_pattern
from pipeline.panel.number_marks import plain_numbers
from pipeline.params.written import Thousands

Decimal = Literal[".", ","]

_LINES = 2000
# Columns that say whose row it is, of when and where: a point in them (2010.0) is no decimal mark.
_KEYS = {"year", "period", "firm_id", "person", "place", "sector", "broad_sector", "founded",
         "entry", "application", "exit"}  # fmt: skip
_WITH_COMMA = re.compile(r"-?\d[\d.\s'\u2019]*,\d+")
# 1.234,5 and 12,5 but not 1,234: the comma parts decimals.
_COMMA_ALONE = re.compile(r"-?\d[\d.\s'\u2019]*,(?!\d{3}$)\d+|-?\d{1,3}(?:\.\d{3})+,\d+")
_WITH_POINT = re.compile(r"-?\d[\d,\s'\u2019]*\.(?:\d{1,2}|\d{4,})")
# What software writes for a whole number: 2010.0, 5.0.
_WHOLE = re.compile(r"-?\d+\.0+")


def guess_marks(lines: list[str], delimiter: str) -> tuple[Decimal, Thousands | None]:
    """Return decimal and thousands mark of a text file, whose first line is its header.

    Each column says what its cells tell, but for keys, years and dates. Of columns that disagree
    the more count. A thousands mark only parts digits by threes; a comma is one beside 12.5.
    """
    columns = _columns(lines, delimiter)
    told = [_decimal(cells) for cells in columns]
    commas, points = told.count(","), told.count(".")
    decimal: Decimal = "," if commas > points else "."
    if not commas + points:
        decimal = _unsure({cell for cells in columns for cell in cells})
    return decimal, _thousands({cell for cells in columns for cell in cells}, decimal)


def _columns(lines: list[str], delimiter: str) -> list[set[str]]:
    """Return the cells of each column whose name says of no key, year or date; no currency."""
    header, *rows = [*csv.reader(lines[:_LINES], delimiter=delimiter)] or [[]]
    return [
        _cells([row[at] for row in rows if at < len(row)])
        for at, name in enumerate(header)
        if role_of(name) not in _KEYS
    ]


def _cells(cells: list[str]) -> set[str]:
    values = pd.Series(cells, dtype="str").drop_duplicates()
    return {*plain_numbers(values, pd.Series(True, values.index))}


def _decimal(cells: set[str]) -> Decimal | None:
    """Return the mark that a column's cells are sure of: neither 1,234 nor 5.0 are."""
    commas = any(_COMMA_ALONE.fullmatch(cell) for cell in cells)
    points = any(_WITH_POINT.fullmatch(cell) and not _WHOLE.fullmatch(cell) for cell in cells)
    if commas == points:
        return "." if points else None
    return "," if commas else "."


def _unsure(cells: set[str]) -> Decimal:
    """Return the mark where no column is sure: a comma where some, and no point, may be one."""
    points = any(_WITH_POINT.fullmatch(cell) for cell in cells)
    return "," if not points and any(_WITH_COMMA.fullmatch(cell) for cell in cells) else "."


def _thousands(cells: set[str], decimal: Decimal) -> Thousands | None:
    marks: tuple[Thousands, ...] = ("." if decimal == "," else ",", " ", "'")
    for mark in marks:
        form = rf"-?\d{{1,3}}({mark_pattern(mark)}\d{{3}})+({re.escape(decimal)}\d*)?"
        if any(re.fullmatch(form, cell) for cell in cells):
            return mark
    return None
