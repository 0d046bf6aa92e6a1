"""Render tables as one Word file: real tables with header rows that repeat over pages.

The few parts of the format that are needed are written here (ECMA-376, WordprocessingML), so that
the file needs no package and is the same bytes on every run.
"""

import io
import zipfile
from html import escape
from itertools import groupby

from pipeline.exhibits.tables.table import Panel, Row, Table, TableColumn
from pipeline.exhibits.words.language import say

_NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_TYPES = f"""{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument\
.wordprocessingml.document.main+xml"/>
<Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument\
.wordprocessingml.styles+xml"/>
</Types>
"""
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = (
    f"{_XML}<Relationships "
    'xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="{kind}" Target="{target}"/></Relationships>\n'
)

# Sizes are in half points: 18 is 9 pt.
_STYLES = f"""{_XML}<w:styles xmlns:w="{_NAMESPACE}">
<w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman"/>
<w:sz w:val="18"/></w:rPr></w:rPrDefault></w:docDefaults>
<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>
<w:style w:type="paragraph" w:styleId="Caption"><w:name w:val="caption"/><w:basedOn w:val="Normal"/>
<w:pPr><w:keepNext/><w:spacing w:after="80"/></w:pPr>
<w:rPr><w:b/><w:sz w:val="20"/></w:rPr></w:style>
<w:style w:type="paragraph" w:styleId="Notes"><w:name w:val="Notes"/><w:basedOn w:val="Normal"/>
<w:pPr><w:spacing w:before="80"/></w:pPr><w:rPr><w:sz w:val="16"/></w:rPr></w:style>
</w:styles>
"""

# Twentieths of a point: A4 within margins of 2 cm, and what labels have of it.
_TEXT_WIDTH = 9638
_LABEL_WIDTH = 3300

_MARGINS = (
    '<w:tblCellMar><w:left w:w="30" w:type="dxa"/><w:right w:w="30" w:type="dxa"/></w:tblCellMar>'
)

# No entry of the archive carries the time of the run.
_DATE = (1980, 1, 1, 0, 0, 0)


def render_word(tables: dict[str, Table]) -> bytes:
    """Return a .docx file with every table on a page of its own; keys are captions."""
    pages = [_page(caption, table) for caption, table in tables.items()]
    between = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
    document = (
        f'{_XML}<w:document xmlns:w="{_NAMESPACE}"><w:body>{between.join(pages)}'
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1134" '
        'w:bottom="1134" w:left="1134" w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
        "</w:body></w:document>\n"
    )
    return _archive(
        {
            "[Content_Types].xml": _TYPES,
            "_rels/.rels": _relations("officeDocument", "word/document.xml"),
            "word/_rels/document.xml.rels": _relations("styles", "styles.xml"),
            "word/document.xml": document,
            "word/styles.xml": _STYLES,
        }
    )


def _relations(kind: str, target: str) -> str:
    return _RELATIONS.format(kind=f"{_OFFICE}/{kind}", target=target)


def _archive(parts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0  # the same on every system
            archive.writestr(entry, text.encode("utf-8"))
    return buffer.getvalue()


def _page(caption: str, table: Table) -> str:
    rest = (_TEXT_WIDTH - _LABEL_WIDTH) // max(len(table.columns), 1)
    widths = [_LABEL_WIDTH, *(rest for _ in table.columns)]
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    rule = '<w:{0} w:val="single" w:sz="8" w:space="0" w:color="auto"/>'
    rows = [
        *_heads(table.columns),
        *[row for panel in table.panels for row in _panel(panel, len(table.columns))],
        *[_row(row, rule_above=index == 0) for index, row in enumerate(table.foot)],
    ]
    return (
        f"{_paragraph(caption, style='Caption')}<w:tbl><w:tblPr>"
        f'<w:tblW w:w="5000" w:type="pct"/><w:tblBorders>{rule.format("top")}'
        f'{rule.format("bottom")}</w:tblBorders><w:tblLayout w:type="fixed"/>{_MARGINS}'
        '<w:tblLook w:firstRow="1" w:firstColumn="1"/>'
        f"</w:tblPr><w:tblGrid>{columns}</w:tblGrid>{''.join(rows)}</w:tbl>{_notes(table)}"
    )


def _heads(columns: tuple[TableColumn, ...]) -> list[str]:
    """Return the header rows: spanners where there are any, then headings, units, numbers."""
    groups = [(name, len(list(run))) for name, run in groupby(c.spanner for c in columns)]
    spanners = [_cell(name, span=n) for name, n in groups]
    lines = [spanners] if any(name for name, _ in groups) else []
    lines.append([_cell(column.heading) for column in columns])
    if any(column.unit for column in columns):
        lines.append([_cell(column.unit) for column in columns])
    if any(column.number is not None for column in columns):
        lines.append([_cell(f"({c.number})" if c.number else "") for c in columns])
    lines[-1] = [cell.replace("</w:tcPr>", f"{_RULE_BELOW}</w:tcPr>") for cell in lines[-1]]
    return [_line(_cell("", left=True), cells, head=True) for cells in lines]


_RULE_BELOW = '<w:tcBorders><w:bottom w:val="single" w:sz="4" w:color="auto"/></w:tcBorders>'
_RULE_ABOVE = '<w:tcBorders><w:top w:val="single" w:sz="4" w:color="auto"/></w:tcBorders>'


def _panel(panel: Panel, n_columns: int) -> list[str]:
    title = [_line(_cell(panel.title, span=n_columns + 1, left=True, italic=True), [])]
    return (title if panel.title else []) + [_row(row) for row in panel.rows]


def _row(row: Row, rule_above: bool = False) -> str:
    label = _cell(("\u2003" if row.indent else "") + row.label, left=True)
    cells = [_cell("" if cell is None else cell.plain()) for cell in row.cells]
    line = _line(label, cells)
    return line.replace("</w:tcPr>", f"{_RULE_ABOVE}</w:tcPr>") if rule_above else line


def _line(label: str, cells: list[str], head: bool = False) -> str:
    header = "<w:tblHeader/>" if head else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{header}</w:trPr>{label}{''.join(cells)}</w:tr>"


def _cell(text: str, span: int = 1, left: bool = False, italic: bool = False) -> str:
    wide = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    align = "left" if left else "center"
    return f"<w:tc><w:tcPr>{wide}</w:tcPr>{_paragraph(text, align=align, italic=italic)}</w:tc>"


def _paragraph(text: str, style: str = "", align: str = "", italic: bool = False) -> str:
    chosen = f'<w:pStyle w:val="{style}"/>' if style else ""
    placed = f'<w:jc w:val="{align}"/>' if align else ""
    slanted = "<w:rPr><w:i/></w:rPr>" if italic else ""
    run = f'<w:r>{slanted}<w:t xml:space="preserve">{_clean(text)}</w:t></w:r>' if text else ""
    return f"<w:p><w:pPr>{chosen}{placed}</w:pPr>{run}</w:p>"


def _clean(text: str) -> str:
    """Escape text; control characters, which XML cannot hold, become spaces."""
    return escape("".join(c if c >= " " else " " for c in text), quote=False)


def _notes(table: Table) -> str:
    notes = f"{say('note.notes')} {' '.join(table.notes)} " if table.notes else ""
    source = f"{say('note.source')} {table.source}." if table.source else ""
    return _paragraph(notes + source, style="Notes")
