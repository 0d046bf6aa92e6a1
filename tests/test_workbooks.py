"""Workbooks: what whoever opens them sees is read, and what they cannot know is refused."""

import datetime
import zipfile

import pandas as pd
import pytest
from test_delivered import panel, workbook

from pipeline.commands.start.files import guess_format
from pipeline.errors import DataError
from pipeline.panel.readers import read_table
from pipeline.panel.sheet_layout import sheet_layout
from pipeline.params.written import FileFormat

ROWS = [["id", "note", "sales"], ["1", "a", 5], ["2", "b", 6], ["3", "c", 7]]


def read(path, **written):
    return read_table(path, FileFormat(**written), 100)


def changed(tmp_path, rows, change):
    from openpyxl import load_workbook

    path = workbook(tmp_path / "b.xlsx", rows)
    book = load_workbook(path)
    change(book.active)
    book.save(path)
    return path


def hide(sheet):
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["B"].hidden = True
    # beyond the table nothing is hidden that anyone could miss
    sheet.row_dimensions[50].hidden = True
    sheet.column_dimensions["Z"].hidden = True


def test_hidden_rows_and_columns_are_refused_until_declared(tmp_path):
    path = changed(tmp_path, ROWS, hide)
    message = r"1 hidden rows and 1 hidden columns, the first in row 3: .*\.format\.hidden \(read"
    with pytest.raises(DataError, match=message):
        read(path)
    assert read(path, hidden="read")["sales"].tolist() == [5, 6, 7]
    left = read(path, hidden="leave_out")
    assert left.to_dict("list") == {"id": ["1", "3"], "sales": [5, 7]}
    assert left.index.tolist() == [0, 2]


def test_a_sheet_that_says_it_is_smaller_is_read_whole(tmp_path):
    path = workbook(tmp_path / "b.xlsx", ROWS)
    with zipfile.ZipFile(path) as book:
        parts = {part.filename: book.read(part) for part in book.infolist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b'<dimension ref="A1:C4"' in parts[sheet]
    parts[sheet] = parts[sheet].replace(b'ref="A1:C4"', b'ref="A1:B2"')
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    assert guess_format(path) == FileFormat()
    assert read(path).to_dict("list") == {"id": ["1", "2", "3"], "note": ["a", "b", "c"],
                                          "sales": [5, 6, 7]}  # fmt: skip


TWO_ROWS = [["Registry"], ["id", 2004, None, 2005, None], [None, "sales", "jobs", "sales", "jobs"],
            ["1", 5, 2, 6, 3]]  # fmt: skip


def merge(sheet):
    for cells in ("A2:A3", "B2:C2", "D2:E2", "A1:E1"):
        sheet.merge_cells(cells)


def test_merged_headings_of_two_rows_are_put_together(tmp_path):
    path = changed(tmp_path, TWO_ROWS, merge)
    written = guess_format(path)
    assert (written.header_row, written.header_rows) == (2, 2)
    found = read_table(path, written, 10)
    assert found.columns.tolist() == ["id", "2004 sales", "2004 jobs", "2005 sales", "2005 jobs"]
    assert found.iloc[0].tolist() == ["1", 5, 2, 6, 3]
    with pytest.raises(DataError, match=r"declare data\.source\.format\.header_row, and header_r"):
        read(changed(tmp_path, TWO_ROWS[1:], lambda _: None))


def test_cells_merged_below_the_header_are_refused(tmp_path):
    rows = [["place", "id"], ["A", 1], [None, 2], ["B", 3]]
    path = changed(tmp_path, rows, lambda sheet: sheet.merge_cells("A2:A3"))
    with pytest.raises(DataError, match="merged below its header in 1 places, the first in row 2"):
        read(path)


def stored(path, before, after):
    """Rewrite the XML of the only sheet, as a program that stores other things would."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert before in parts[sheet]
    parts[sheet] = parts[sheet].replace(before, after)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_of_formulas_the_stored_value_is_read(tmp_path):
    rows = [["id", "sales"], ["1", 5], ["2", "=B2+1"]]
    path = workbook(tmp_path / "b.xlsx", rows)
    with pytest.raises(DataError, match="formulas without values in 1 rows, the first in row 3"):
        read(path)
    stored(path, b"<f>B2+1</f><v />", b"<f>B2+1</f><v>6</v>")
    assert read(path)["sales"].tolist() == [5, 6]


def test_a_formula_that_makes_an_empty_text_has_a_value():
    sheet = (
        b'<sheetData><row r="2"><c r="A2" t="str"><f>IF(1,"")</f><v></v></c></row>'
        b'<row r="7" hidden="1"><c r="A7"><f t="shared" si="0"/></c><c r="B7"><v>1</v></c></row>'
        b'</sheetData><mergeCells><mergeCell ref="B2:C9"/></mergeCells><ext><xm:f>A1</xm:f></ext>'
    )
    found = sheet_layout(b'<cols><col min="2" max="4" hidden="true"/></cols>' + sheet)
    assert found.without_values == (7,)
    assert found.hidden_rows == {7}
    assert found.hidden_columns == {2, 3, 4}
    assert [(s.top, s.left, s.bottom, s.right) for s in found.merged] == [(2, 2, 9, 3)]


def test_numbers_beside_numbers_as_text_take_the_declared_marks(tmp_path):
    """A cell that holds 1.234 is no 1234 because others hold the text 1.234,5."""
    workbook(tmp_path / "b.xlsx", [["id", "year", "sales"], [1, 2001, 1.234], [2, 2001, "1.234,5"]])
    written = {"decimal": ",", "thousands": "."}
    found = panel(tmp_path, {"panel": "b.xlsx", "format": written})
    assert pd.to_numeric(found["sales"]).tolist() == [1.234, 1234.5]


def test_date_cells_and_errors_keep_what_they_show(tmp_path):
    day, moment = datetime.datetime(2004, 5, 6), datetime.datetime(2004, 5, 6, 7, 8)
    rows = [["id", "entry", "sector"], [1, day, "#N/A"], [2, moment, "0110"], [3, 2005, 110]]
    found = read(workbook(tmp_path / "b.xlsx", rows))
    assert found["entry"].tolist() == ["2004-05-06", "2004-05-06 07:08:00", "2005"]
    assert found["sector"].tolist() == ["#N/A", "0110", "110"]
