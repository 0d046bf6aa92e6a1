"""Render a table as plain text for a terminal: the same digits as every other renderer."""

import textwrap

from pipeline.exhibits.tables.table import (
    Cell,
    Number,
    Row,
    Table,
)
from pipeline.exhibits.words.language import say, speech

_WIDTH = 100  # characters: notes wrap here
_GAP = "  "


def render_text(table: Table) -> str:
    """Return the table with columns aligned on the decimal point, then the notes."""
    heads = table.headings()
    points = [_before_point(table.column_cells(i)) for i in range(len(heads))]
    rows = {id(row): _shown(row, points) for row in table.rows()}
    widths = [
        max([len(head), *(len(cells[i]) for cells in rows.values())])
        for i, head in enumerate(heads)
    ]
    stub = max([0, *(len(_label(row)) for row in table.rows())])
    rule = "-" * (stub + sum(len(_GAP) + width for width in widths))
    lines = [_line("", heads, stub, widths), rule]
    for panel in table.panels:
        lines += [panel.title] if panel.title else []
        lines += [_line(_label(row), rows[id(row)], stub, widths) for row in panel.rows]
    lines += [rule] if table.foot else []
    lines += [_line(_label(row), rows[id(row)], stub, widths) for row in table.foot]
    return "\n".join([*lines, *_notes(table)]) + "\n"


def _before_point(cells: list[Cell]) -> int:
    """Return how many characters of a column's numbers stand before the point."""
    numbers = [cell.plain() for cell in cells if isinstance(cell, Number)]
    return max((len(text.partition(speech().decimal_mark)[0]) for text in numbers), default=0)


def _shown(row: Row, points: list[int]) -> list[str]:
    cells = zip(row.cells, points, strict=True)
    return [_aligned(cell, before) for cell, before in cells]


def _aligned(cell: Cell, before: int) -> str:
    if not isinstance(cell, Number):
        return "" if cell is None else cell.plain()
    whole, point, rest = cell.plain().partition(speech().decimal_mark)
    return whole.rjust(before) + point + rest


def _label(row: Row) -> str:
    return ("  " if row.indent else "") + row.label


def _line(label: str, cells: list[str], stub: int, widths: list[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return _GAP.join([label.ljust(stub), *padded]).rstrip()


def _notes(table: Table) -> list[str]:
    source = [f"{say('note.source')} {table.source}."] if table.source else []
    words = " ".join([*table.notes, *source])
    return ["", *textwrap.wrap(words, _WIDTH)] if words else []
