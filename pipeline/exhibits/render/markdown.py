"""Render a table as GitHub Markdown, for the README and for pull requests."""

from pipeline.exhibits.tables.table import Row, Table
from pipeline.exhibits.words.language import say

# Characters that Markdown or HTML would read as markup inside a table cell.
_ESCAPES = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>#|~"})


def render_markdown(table: Table) -> str:
    """Return one Markdown table; panel titles are rows in bold, notes follow below."""
    heads = ["", *(escape_markdown(heading) for heading in table.headings())]
    lines = [_line(heads), _line([":--", *(":-:" for _ in table.columns)])]
    for panel in table.panels:
        if panel.title:
            lines.append(
                _line([f"**{escape_markdown(panel.title)}**", *("" for _ in table.columns)])
            )
        lines += [_row(row) for row in panel.rows]
    lines += [_row(row) for row in table.foot]
    notes = [escape_markdown(note) for note in table.notes]
    source = [f"{say('note.source')} {escape_markdown(table.source)}."] if table.source else []
    return "\n".join([*lines, "", " ".join([*notes, *source])]) + "\n"


def escape_markdown(text: str) -> str:
    """Escape what Markdown would read as markup, in one pass."""
    return text.translate(_ESCAPES)


def _row(row: Row) -> str:
    cells = ["" if cell is None else escape_markdown(cell.plain()) for cell in row.cells]
    return _line([escape_markdown(row.label), *cells])


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
