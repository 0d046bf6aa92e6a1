"""The one table model: columns, panels of rows, foot, notes; renderers only arrange it.

Cells hold values, not typeset text, so that a test can read every number back and every
renderer prints the same digits. Text is plain Unicode; a renderer escapes it.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import speech
from pipeline.exhibits.words.magnitudes import short_number


@dataclass(frozen=True)
class Text:
    """Show text as it is."""

    text: str

    def plain(self) -> str:
        """Return what a reader sees."""
        return self.text


@dataclass(frozen=True)
class Prose:
    """Show text of any length, wrapped, in a wide column of its own."""

    text: str

    def plain(self) -> str:
        """Return what a reader sees."""
        return self.text


@dataclass(frozen=True)
class Number:
    """Show one number on the column's decimal point; a standard error goes in parentheses."""

    value: float
    decimals: int
    style: Literal["plain", "parenthesis"] = "plain"
    suffix: str = ""

    def digits(self) -> str:
        """Return the rounded number, without parentheses and suffix."""
        if self.style == "parenthesis":
            return rounding.positive(self.value, self.decimals)
        return rounding.fixed(self.value, self.decimals)

    def plain(self) -> str:
        """Return what a reader sees."""
        body = f"({self.digits()})" if self.style == "parenthesis" else self.digits()
        return body + self.suffix


@dataclass(frozen=True)
class Interval:
    """Show an interval in brackets."""

    low: float
    high: float
    decimals: int

    def ends(self) -> tuple[str, str]:
        """Return both ends, rounded."""
        return rounding.fixed(self.low, self.decimals), rounding.fixed(self.high, self.decimals)

    def plain(self) -> str:
        """Return what a reader sees."""
        separator = "; " if speech().decimal_mark == "," else ", "
        return f"[{separator.join(self.ends())}]"


@dataclass(frozen=True)
class WholeNumbers:
    """Show one whole number, or several with a slash between them."""

    values: tuple[int, ...]

    def parts(self) -> tuple[str, ...]:
        """Return each number with thousands grouped."""
        return tuple(rounding.whole(value) for value in self.values)

    def plain(self) -> str:
        """Return what a reader sees."""
        return " / ".join(self.parts())


@dataclass(frozen=True)
class Magnitude:
    """Show one number in its own significant digits, from a million on with a scale word."""

    value: float
    digits: int = 3

    def plain(self) -> str:
        """Return what a reader sees."""
        return short_number(self.value, self.digits)


Cell = Text | Prose | Number | Interval | WholeNumbers | Magnitude | None

DASH = Text("\u2014")

# What stands where a figure would tell of too few firms: the sign of official statistics.
HIDDEN = Text("c")


@dataclass(frozen=True)
class TableColumn:
    """Head one column: what it holds, its unit, its number, the spanner it stands under."""

    heading: str
    unit: str = ""
    number: int | None = None
    spanner: str = ""


@dataclass(frozen=True)
class Row:
    """Hold one line: a label and one cell per column."""

    label: str
    cells: tuple[Cell, ...]
    indent: bool = False


@dataclass(frozen=True)
class Panel:
    """Group rows under a title; an empty title prints no title."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class TablePart:
    """Name one of the parts that a study's table is split into, each numbered from 1.

    `table` is its key in params; `part` counts further columns or pages.
    """

    table: str
    part: int = 1

    @property
    def file_name(self) -> str:
        """Return the name of its files: `main_effects_2`."""
        return f"{self.table}_{self.part}" if self.part > 1 else self.table


@dataclass(frozen=True)
class Table:
    """Hold a whole table; `foot` rows stand under a rule, `notes` are sentences.

    `part` is set where the table is placed among a study's.
    """

    columns: tuple[TableColumn, ...]
    panels: tuple[Panel, ...]
    foot: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    source: str = ""
    part: TablePart = TablePart("")

    def headings(self) -> list[str]:
        """Return heading and unit of each column, for renderers without cells over several.

        Where they are alike the spanner stands before them.
        """
        found = [f"{c.heading}, {c.unit}" if c.unit else c.heading for c in self.columns]
        return [
            f"{c.spanner}: {heading}" if c.spanner and found.count(heading) > 1 else heading
            for c, heading in zip(self.columns, found, strict=True)
        ]

    def __post_init__(self) -> None:
        """Refuse a row with more or fewer cells than there are columns."""
        for row in self.rows():
            if len(row.cells) != len(self.columns):
                raise ValueError(
                    f"row {row.label!r} has {len(row.cells)} cells, the table "
                    f"{len(self.columns)} columns"
                )

    def rows(self) -> list[Row]:
        """Return every row, foot included, from top to bottom."""
        return [row for panel in self.panels for row in panel.rows] + list(self.foot)

    def column_cells(self, index: int) -> list[Cell]:
        """Return the cells of one column from top to bottom."""
        return [row.cells[index] for row in self.rows()]


def number_cell(
    value: float, decimals: int, style: Literal["plain", "parenthesis"] = "plain"
) -> Cell:
    """Return a number cell, or an empty one where the value is missing."""
    return None if math.isnan(value) else Number(value, decimals, style)


def align_decimals(table: Table) -> Table:
    """Return the table with the same decimals in every number and interval of a column."""
    most = [_most_decimals(table.column_cells(i)) for i in range(len(table.columns))]
    return replace(
        table,
        panels=tuple(
            replace(panel, rows=tuple(_with_decimals(row, most) for row in panel.rows))
            for panel in table.panels
        ),
        foot=tuple(_with_decimals(row, most) for row in table.foot),
    )


def _most_decimals(cells: list[Cell]) -> int:
    return max((cell.decimals for cell in cells if isinstance(cell, Number | Interval)), default=0)


def _with_decimals(row: Row, decimals: list[int]) -> Row:
    cells = tuple(
        replace(cell, decimals=places) if isinstance(cell, Number | Interval) else cell
        for cell, places in zip(row.cells, decimals, strict=True)
    )
    return replace(row, cells=cells)
