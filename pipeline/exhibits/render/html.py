"""Render a table as HTML that a screen reader can walk: caption, scoped headers, notes below."""

from html import escape
from itertools import groupby

from pipeline.exhibits.tables.table import Interval, Number, Panel, Row, Table, TableColumn
from pipeline.exhibits.words.language import say


def render_html(table: Table, caption: str, name: str = "") -> str:
    """Return the table in a box that scrolls sideways where the screen is narrow.

    Where it has intervals its standard errors stay out: they stand in the files beside the page.
    `name` is what links to it lead to.
    """
    n_columns, bare = len(table.columns), _has_intervals(table)
    place = f' id="{name}"' if name else ""
    foot = _rows(table.foot, bare)
    parts = [
        f'<div class="tab"{place}><div class="scroll" role="region" tabindex="0" '
        f'aria-label="{escape(caption)}"><table>',
        f"<caption>{escape(caption)}</caption>",
        f"<thead>{_spanners(table.columns)}{_heads(table.columns)}</thead>",
        *[_panel(panel, n_columns, bare) for panel in table.panels],
        f"<tbody class=foot>{foot}</tbody>" if foot else "",
        "</table></div>",
        _notes(table),
        "</div>",
    ]
    return "\n".join(part for part in parts if part)


def _has_intervals(table: Table) -> bool:
    return any(isinstance(cell, Interval) for row in table.rows() for cell in row.cells)


def _is_errors(row: Row) -> bool:
    """Say whether a row holds standard errors and nothing else."""
    cells = [cell for cell in row.cells if cell is not None]
    return bool(cells) and all(
        isinstance(cell, Number) and cell.style == "parenthesis" for cell in cells
    )


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


def _panel(panel: Panel, n_columns: int, bare: bool) -> str:
    title = ""
    if panel.title:
        cell = f"<th scope=rowgroup colspan={n_columns + 1} class=panel>{escape(panel.title)}</th>"
        title = f"<tr>{cell}</tr>"
    return f"<tbody>{title}{_rows(panel.rows, bare)}</tbody>"


def _rows(rows: tuple[Row, ...], bare: bool) -> str:
    return "".join(_row(row) for row in rows if not (bare and _is_errors(row)))


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
