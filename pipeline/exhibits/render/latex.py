r"""Render a table as a LaTeX fragment: tabular and notes; caption and float are the report's.

Widths are in em and set by boxes, so that the width of the whole is known here: \small where
the page has room, \footnotesize with a narrower, wrapping label column where it has not, down to
the 345 pt of a bare article. Packages: docs/preamble.tex.
"""

from dataclasses import dataclass

from pipeline.exhibits.render.latex_cells import (
    PROSE_WIDTH,
    box,
    column_format,
    column_width,
    escape,
    latex_cell,
    n_lines,
    siunitx_marks,
    text_width,
)
from pipeline.exhibits.tables.table import (
    Panel,
    Prose,
    Row,
    Table,
    TableColumn,
)
from pipeline.exhibits.words.language import say, speech

# One em of Latin Modern at \small and \footnotesize of a 10 pt article, in pt.
_EM_SMALL = 9.25
_EM_FOOTNOTE = 8.51

# Text width of a bare 10 pt article, less a little for rounding.
_NARROW_PAGE = 344.0

# Text height of a bare 10 pt article on letter paper, less a caption of one line; heights are
# rather over- than underestimated.
_PAGE_HEIGHT = 520.0

# Lines of \small, \footnotesize and \scriptsize, and what rules and panel titles add, in pt.
_SMALL_LINE, _LINE, _NOTE_LINE = 11.0, 9.5, 8.0
_RULES, _ABOVE_PANEL = 26.0, 4.5

# One em of Latin Modern at \scriptsize, in pt.
_EM_NOTE = 7.97

# Running text is narrower than the estimate of `text_width`, which is rarely too small.
_RUNNING = 0.86

_SMALL_PAGE = 400  # pt: notes are set smaller on narrower pages
_TALL = 24  # rows: a taller table and its notes are set smaller, to stay on one page

_SEPARATION = 0.4  # \tabcolsep, em
_SHORTEST_STUB = 7.0  # em: narrower, and most labels break inside a word
_MOST_SPREAD = 12.0  # em: what a page with room adds to the gaps, all together
_TWO = 2  # lines of a label, of which the second has room beside a standard error
_LONGEST_STUB = 17.0  # em: longer labels wrap
_ONE_LINE = 5.0  # em: shorter headings do not wrap
_ONE_LINE_OF_FEW = 8.4  # the same, where columns are few
_FEW = 4

# Every line ends in %: a space before the tabular would make the fragment too wide.
_OPENING = r"""\sisetup{input-open-uncertainty=, input-close-uncertainty=, group-digits=integer}%
\sisetup{table-align-text-before=false, table-align-text-after=false}%
\providecommand{\cisep}{, }%"""


@dataclass(frozen=True)
class _Layout:
    """Hold widths in em: one per column, and that of the label column where there is room."""

    columns: tuple[float, ...]
    stub: float

    @property
    def boxes(self) -> float:
        """Return the width of all columns but the label column, without the gaps."""
        return sum(self.columns)

    @property
    def gaps(self) -> int:
        r"""Return how many times \tabcolsep the table holds."""
        return 2 * len(self.columns)

    @property
    def beside_stub(self) -> float:
        """Return the width beside the label column with the least gaps."""
        return self.boxes + _SEPARATION * self.gaps


def render_latex(table: Table) -> str:
    r"""Return the fragment to \input; it compiles without overfull boxes where `fits` holds."""
    layout = _lay_out(table)
    lines = [
        r"\begin{threeparttable}%",
        *_number_format(),
        _OPENING,
        *_sizes(layout, len(table.rows()) > _TALL),
        r"\begin{tabular}{@{}>{\raggedright\arraybackslash}p{\stubwidth}",
        *[f"  {column_format(table.column_cells(index))}" for index in range(len(table.columns))],
        r"  @{}}",
        r"\toprule",
        *_head(table.columns, layout),
        r"\midrule",
        *[line for panel in table.panels for line in _panel(panel, layout)],
        *_foot(table.foot, layout),
        r"\bottomrule",
        r"\end{tabular}",
        *_notes(table),
        r"\end{threeparttable}",
    ]
    return "\n".join(lines) + "\n"


def _number_format() -> list[str]:
    r"""Return the marks of the report's numbers; English ones are left to the preamble."""
    if not (marks := siunitx_marks()):
        return []
    between = "; " if speech().decimal_mark == "," else ", "
    return [rf"\providecommand{{\cisep}}{{{between}}}%", rf"\sisetup{{{marks}}}%"]


def fits(table: Table) -> bool:
    """Say whether the table fits the text width of a bare article with readable labels."""
    return _room_for_stub(_lay_out(table).beside_stub) >= _SHORTEST_STUB


def fits_page(table: Table) -> bool:
    """Say whether the table with its notes fits one page of a bare article."""
    return _height(table) <= _PAGE_HEIGHT


def _height(table: Table) -> float:
    """Estimate the height on a page as narrow as a bare article's, in pt."""
    layout = _lay_out(table)
    natural = layout.stub + layout.beside_stub
    small = natural * _EM_SMALL <= _NARROW_PAGE and len(table.rows()) <= _TALL
    em, line = (_EM_SMALL, _SMALL_LINE) if small else (_EM_FOOTNOTE, _LINE)
    stub = _narrow_stub(layout, em)
    full = min(natural + _MOST_SPREAD, _NARROW_PAGE / em)
    lines = sum(_row_lines(row, (stub - row.indent) / _RUNNING) for row in table.rows())
    lines += sum(n_lines(panel.title, full / _RUNNING) for panel in table.panels if panel.title)
    lines += _head_lines(table.columns, layout)
    across = full * em / _EM_NOTE / _RUNNING
    notes = n_lines(" ".join(table.notes), across) + n_lines(table.source, across)
    panels = sum(bool(panel.title) for panel in table.panels)
    return line * lines + _ABOVE_PANEL * panels + _RULES + _NOTE_LINE * notes


def _narrow_stub(layout: _Layout, em: float = _EM_FOOTNOTE) -> float:
    """Return the width of labels on a page as narrow as a bare article's, in em."""
    return min(layout.stub, _NARROW_PAGE / em - layout.beside_stub)


def _row_lines(row: Row, stub: float) -> int:
    """Return the lines of a row: of its label, or of prose beside it."""
    prose = [cell.text for cell in row.cells if isinstance(cell, Prose)]
    return max(n_lines(row.label, stub), *(n_lines(t, PROSE_WIDTH / _RUNNING) for t in prose), 1)


def _head_lines(columns: tuple[TableColumn, ...], layout: _Layout) -> int:
    """Return the lines of the head: spanners, headings, units, numbers."""
    pairs = list(zip(columns, layout.columns, strict=True))
    lines = max(n_lines(column.heading, width) for column, width in pairs)
    if any(column.unit for column in columns):
        lines += max(n_lines(column.unit, width) for column, width in pairs)
    lines += any(column.spanner for column in columns)
    return lines + any(column.number is not None for column in columns)


def _lay_out(table: Table) -> _Layout:
    one_line = _ONE_LINE_OF_FEW if len(table.columns) <= _FEW else _ONE_LINE
    columns = tuple(
        round(column_width(column, table.column_cells(index), one_line), 2)
        for index, column in enumerate(table.columns)
    )
    label = max((text_width(row.label) + row.indent for row in table.rows()), default=0.0)
    return _Layout(columns, round(max(_SHORTEST_STUB, min(label + 0.2, _LONGEST_STUB)), 2))


def _room_for_stub(beside_stub: float) -> float:
    return _NARROW_PAGE / _EM_FOOTNOTE - beside_stub


def _sizes(layout: _Layout, tall: bool) -> list[str]:
    r"""Set type sizes, \tabcolsep, \stubwidth and \fullwidth by the width of the page.

    Where the page has room at \small, the gaps grow to fill it; where not, labels wrap. A tall
    table is set one size smaller.
    """
    body, notes = (r"\footnotesize", r"\scriptsize") if tall else (r"\small", r"\footnotesize")
    natural = layout.stub + layout.beside_stub
    boxes, gaps = layout.stub + layout.boxes, layout.gaps
    widest = f"{_SEPARATION + _MOST_SPREAD / gaps:.2f}em"
    return [
        rf"\def\stubwidth{{{layout.stub:.2f}em}}\setlength{{\tabcolsep}}{{{_SEPARATION}em}}%",
        rf"\ifdim\linewidth<{natural * _EM_SMALL:.0f}pt",
        rf"  \footnotesize\setlength{{\tabcolsep}}{{{_SEPARATION}em}}%",
        rf"  \ifdim\linewidth<{natural:.2f}em"
        rf"\def\stubwidth{{\dimexpr\linewidth-{layout.beside_stub:.2f}em\relax}}\fi",
        r"\else",
        rf"  {body}\setlength{{\tabcolsep}}{{\dimexpr(\linewidth-{boxes:.2f}em)/{gaps}\relax}}%",
        rf"  \ifdim\tabcolsep>{widest}\setlength{{\tabcolsep}}{{{widest}}}\fi",
        r"\fi",
        rf"\def\fullwidth{{\dimexpr\stubwidth+{layout.boxes:.2f}em+{gaps}\tabcolsep\relax}}%",
        rf"\ifdim\linewidth<{_SMALL_PAGE}pt\let\notesize\scriptsize"
        rf"\else\let\notesize{notes}\fi",
    ]


def _head(columns: tuple[TableColumn, ...], layout: _Layout) -> list[str]:
    lines = _spanners(columns, layout)
    pairs = list(zip(columns, layout.columns, strict=True))
    lines.append(_line([f"{{{box(column.heading, width)}}}" for column, width in pairs]))
    if any(column.unit for column in columns):
        lines.append(_line([f"{{{box(column.unit, width, 't')}}}" for column, width in pairs]))
    if any(column.number is not None for column in columns):
        lines.append(_line([f"{{({c.number})}}" if c.number else "" for c in columns]))
    return lines


def _spanners(columns: tuple[TableColumn, ...], layout: _Layout) -> list[str]:
    groups = _runs([column.spanner for column in columns])
    if not any(name for name, _, _ in groups):
        return []
    cells, rules = [], []
    for name, first, last in groups:
        # Gaps as they are on the page: in larger type they are narrower than _SEPARATION.
        boxes, gaps = sum(layout.columns[first : last + 1]), 2 * (last - first)
        width = rf"\dimexpr{boxes:.2f}em+{gaps}\tabcolsep\relax"
        cell = f"{{{box(name, width) if name else ''}}}"
        # The last column has no space on its right; a spanner with one would widen the table.
        kind = "c@{}" if last == len(columns) - 1 else "c"
        cells.append(rf"\multicolumn{{{last - first + 1}}}{{{kind}}}{cell}")
        if name:
            trim = "l" if last == len(columns) - 1 else "lr"
            rules.append(rf"\cmidrule({trim}){{{first + 2}-{last + 2}}}")
    return [_line(cells), "".join(rules)]


def _runs(names: list[str]) -> list[tuple[str, int, int]]:
    """Return (name, first, last) of each run of equal neighbours."""
    runs: list[tuple[str, int, int]] = []
    for index, name in enumerate(names):
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1], index)
        else:
            runs.append((name, index, index))
    return runs


def _panel(panel: Panel, layout: _Layout) -> list[str]:
    title = []
    if panel.title:
        span = rf"\multicolumn{{{len(layout.columns) + 1}}}{{@{{}}p{{\fullwidth}}@{{}}}}"
        title = [r"\addlinespace", rf"{span}{{\raggedright\textit{{{escape(panel.title)}}}}} \\"]
    return title + _rows(panel.rows, layout)


def _foot(rows: tuple[Row, ...], layout: _Layout) -> list[str]:
    return [r"\midrule", *_rows(rows, layout)] if rows else []


def _rows(rows: tuple[Row, ...], layout: _Layout) -> list[str]:
    without_label = [not row.label for row in rows[1:]] + [False]
    return [_row(row, layout, bare) for row, bare in zip(rows, without_label, strict=True)]


def _row(row: Row, layout: _Layout, above_bare: bool) -> str:
    # Every line of an indented label is indented, not the first alone.
    label = (r"\hangindent1em\hangafter0 " if row.indent else "") + escape(row.label)
    if above_bare and n_lines(row.label, _narrow_stub(layout)) == _TWO:
        # Its second line stands beside the standard error, which stays below its estimate.
        label = rf"\strut\smash{{\parbox[t]{{\linewidth}}{{\raggedright {label}}}}}"
    cells = zip(row.cells, layout.columns, strict=True)
    return _line([latex_cell(cell, width) for cell, width in cells], label)


def _line(cells: list[str], label: str = "") -> str:
    return " & ".join([label, *cells]) + r" \\"


def _notes(table: Table) -> list[str]:
    if not table.notes and not table.source:
        return []
    lines = [r"\begin{tablenotes}[flushleft]\notesize\setlength{\labelsep}{0pt}"]
    if table.notes:
        lines.append(
            rf"\item \textit{{{escape(say('note.notes'))}}} "
            + "\n".join(escape(note) for note in table.notes)
        )
    if table.source:
        lines.append(rf"\item \textit{{{escape(say('note.source'))}}} {escape(table.source)}")
    return [*lines, r"\end{tablenotes}"]
