"""Render a table as HTML that a screen reader can walk: caption, scoped headers, notes below."""

from html import escape
from itertools import groupby

from pipeline.exhibits.tables.table import Panel, Row, Table, TableColumn
from pipeline.exhibits.words.language import say


def render_html(table: Table, caption: str) -> str:
    """Return the table in a box that scrolls sideways where the screen is narrow."""
    n_columns = len(table.columns)
    parts = [
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption)}"><table>',
        f"<caption>{escape(caption)}</caption>",
        f"<thead>{_spanners(table.columns)}{_heads(table.columns)}</thead>",
        *[_panel(panel, n_columns) for panel in table.panels],
        f"<tbody class=foot>{''.join(map(_row, table.foot))}</tbody>" if table.foot else "",
        "</table></div>",
        _notes(table),
    ]
    return "\n".join(part for part in parts if part)


def _spanners(columns: tuple[TableColumn, ...]) -> str:
    groups = [(name, len(list(run))) for name, run in groupby(c.spanner for c in columns)]
    if not any(name for name, _ in groups):
        return ""
    cells = [
        f"<th scope=colgroup colspan={n}>{escape(name)}</th>" if name else f"<td colspan={n}></td>"
        for name, n in groups
    ]
    return f"<tr><td></td>{''.join(cells)}</tr>"


def _heads(columns: tuple[TableColumn, ...]) -> str:
    cells = [
        f"<th scope=col>{escape(c.heading)}"
        + (f"<br><small>{escape(c.unit)}</small>" if c.unit else "")
        + (f"<br><small>({c.number})</small>" if c.number is not None else "")
        + "</th>"
        for c in columns
    ]
    return f"<tr><td></td>{''.join(cells)}</tr>"


def _panel(panel: Panel, n_columns: int) -> str:
    title = ""
    if panel.title:
        cell = f"<th scope=rowgroup colspan={n_columns + 1} class=panel>{escape(panel.title)}</th>"
        title = f"<tr>{cell}</tr>"
    return f"<tbody>{title}{''.join(map(_row, panel.rows))}</tbody>"


def _row(row: Row) -> str:
    kind = " class=indent" if row.indent else ""
    label = f"<th scope=row{kind}>{escape(row.label)}</th>" if row.label else "<td></td>"
    cells = ["" if cell is None else escape(cell.plain()) for cell in row.cells]
    return f"<tr>{label}{''.join(f'<td>{text}</td>' for text in cells)}</tr>\n"


def _notes(table: Table) -> str:
    notes = (
        f"<strong>{escape(say('note.notes'))}</strong> {escape(' '.join(table.notes))} "
        if table.notes
        else ""
    )
    source = (
        f"<strong>{escape(say('note.source'))}</strong> {escape(table.source)}."
        if table.source
        else ""
    )
    return f"<p class=notes>{notes}{source}</p>" if notes or source else ""
