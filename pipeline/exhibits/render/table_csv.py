"""Render a table as CSV with its numbers unrounded, one line a figure."""

import csv
import io
from collections.abc import Iterator

from pipeline.exhibits.tables.table import (
    Cell,
    Interval,
    Magnitude,
    Number,
    Row,
    Table,
    WholeNumbers,
)

_HEAD = ("panel", "row", "part", "column", "value", "shown")


def render_csv(table: Table) -> str:
    """Return one line for each figure or text: where it stands, its value, and what is printed."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_HEAD)
    for panel in table.panels:
        writer.writerows(_lines(table, panel.title, panel.rows))
    writer.writerows(_lines(table, "", table.foot))
    return buffer.getvalue()


def _lines(table: Table, panel: str, rows: tuple[Row, ...]) -> Iterator[tuple[str, ...]]:
    label = ""
    for row in rows:
        label = row.label or label
        for index, cell in enumerate(row.cells):
            column = table.columns[index]
            name = " ".join(part for part in (column.spanner, column.heading) if part)
            for part, value in _parts(cell):
                assert cell is not None
                yield panel, label, part, name, value, cell.plain()


def _parts(cell: Cell) -> list[tuple[str, str]]:
    """Return (part, value) pairs; shortest text that reads back as the same number."""
    match cell:
        case None:
            return []
        case Number():
            kind = "std_error" if cell.style == "parenthesis" else "value"
            return [(kind, repr(float(cell.value)))]
        case Interval():
            return [("low", repr(float(cell.low))), ("high", repr(float(cell.high)))]
        case WholeNumbers():
            return [(f"count_{i}", str(n)) for i, n in enumerate(cell.values, 1)]
        case Magnitude():
            return [("value", repr(float(cell.value)))]
        case _:
            return [("text", "")]
