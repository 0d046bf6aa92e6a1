"""Render a table as plain text for a terminal: the same digits as every other renderer."""

import textwrap

from pipeline.exhibits.tables.table import (
    Cell,
    Number,
    Panel,
    Row,
    Table,
)
from pipeline.exhibits.words.language import say, speech

_WIDTH = 100  # characters of a line in a terminal
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


def render_narrow(table: Table) -> str:
    """Render a table; where it is too wide for a terminal each row's name has a line of its own."""
    wide = render_text(table)
    if _fits(wide):
        return wide
    rows = table.rows()
    bare = Table(table.columns, (Panel("", tuple(Row("", row.cells) for row in rows)),))
    head, rule, *lines = render_text(bare).rstrip("\n").split("\n")
    if not _fits("\n".join(lines)):
        head, rule, lines = "", "-" * _WIDTH, [_one_by_one(table, row) for row in rows]
    under = dict(zip(map(id, rows), lines, strict=True))
    parts = [head, rule]
    for panel in (*table.panels, Panel("", table.foot)):
        parts += [panel.title] if panel.title else []
        parts += [
            part for row in panel.rows for part in (terminal_lines(_label(row)), under[id(row)])
        ]
    return "\n".join([*parts, *_notes(table)]).strip("\n") + "\n"


def terminal_lines(sentence: str, indent: str = "") -> str:
    """Return a sentence in lines of a terminal's width; `indent` stands before further lines."""
    return "\n".join(textwrap.wrap(sentence, _WIDTH, subsequent_indent=indent))


def _one_by_one(table: Table, row: Row) -> str:
    """Return each cell of a row on a line of its own, behind its heading."""
    cells = zip(table.headings(), row.cells, strict=True)
    told = [f"  {heading}: {cell.plain()}" for heading, cell in cells if cell is not None]
    return "\n".join(terminal_lines(words, "    ") for words in told)


def _fits(text: str) -> bool:
    return max(map(len, text.splitlines()), default=0) <= _WIDTH


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
