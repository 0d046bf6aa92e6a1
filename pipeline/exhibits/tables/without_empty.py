"""Leave out of a table what has nothing in it, and name it in one line."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from pipeline.exhibits.tables.table import DASH, Cell, Panel, Row, Table
from pipeline.exhibits.words.language import say


def without_empty(table: Table) -> Table | None:
    """Return the table without empty rows, panels and columns; none where nothing is left.

    A foot alone is nothing: it speaks of what stands above it.
    """
    kept = [i for i in range(len(table.columns)) if _has_content(_column(table, i))]
    if not kept:
        return None
    panels = [replace(panel, rows=_rows(panel.rows, kept)) for panel in table.panels]
    left_out = [*_columns_left_out(table, kept), *_named_left_out(table.panels, kept)]
    note = say("outcome_tables.left_out", names="; ".join(left_out))
    return replace(
        table,
        columns=tuple(table.columns[i] for i in kept),
        panels=tuple(panel for panel in panels if panel.rows),
        foot=_rows(table.foot, kept),
        notes=(*table.notes, *([note] if left_out else [])),
    )


def _column(table: Table, index: int) -> list[Cell]:
    return [row.cells[index] for panel in table.panels for row in panel.rows]


def _has_content(cells: list[Cell] | tuple[Cell, ...]) -> bool:
    return any(cell not in (None, DASH) for cell in cells)


def _rows(rows: tuple[Row, ...], kept: list[int]) -> tuple[Row, ...]:
    cut = [replace(row, cells=tuple(row.cells[i] for i in kept)) for row in rows]
    return tuple(row for i, row in enumerate(cut) if _stays(cut, i))


def _stays(rows: Sequence[Row], index: int) -> bool:
    """Say whether a row holds something, or names rows below it that do.

    Below a name are indented rows and those without a label, such as standard errors.
    """
    own = rows[index]
    names = bool(own.label) and not own.indent
    below = takewhile(lambda row: row.indent or not row.label, rows[index + 1 :]) if names else ()
    return any(_has_content(row.cells) for row in (own, *below))


def _columns_left_out(table: Table, kept: list[int]) -> list[str]:
    return [column.heading for i, column in enumerate(table.columns) if i not in kept]


def _named_left_out(panels: tuple[Panel, ...], kept: list[int]) -> list[str]:
    """Name panels without any row, and rows that stand for themselves in the other panels."""
    names = []
    for panel in panels:
        if not _rows(panel.rows, kept):
            names.append(panel.title)
            continue
        rows = panel.rows
        names += [row.label for i, row in enumerate(rows) if not row.indent and not _stays(rows, i)]
    return [name for name in dict.fromkeys(names) if name]
