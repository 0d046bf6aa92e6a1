"""Delivered files: every format gives the same table, and every damage one message."""

import warnings
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import DataError
from pipeline.panel.delivered import read_panel
from pipeline.panel.readers import read_table
from pipeline.panel.spreadsheets import guess_sheet
from pipeline.panel.years import calendar_year
from pipeline.params.data import DataSection, FileFormat

PLAIN = FileFormat()
FIRMS = pd.DataFrame({"id": ["007", "12"], "sector": ["0110", "b;c"], "sales": [1234.5, 7.0]})


def data(source=None, **changes):
    return DataSection.model_validate(
        {
            "source": {"kind": "files", "panel": "firms.csv"} | (source or {}),
            "firm_id": "id",
            "year": "year",
            "cluster": ["firm_id"],
            "columns": {
                "sales": {"kind": "number", "column": "sales", "unit": "US$", "label": "Sales"}
            },
        }
        | changes
    )


def panel(folder, source, **changes):
    section = data(source, **changes)
    return read_panel(section.source, section, folder)[0]


@pytest.mark.parametrize(
    ("name", "text", "written"),
    [
        ("f.csv", 'id,sector,sales\n007,0110,1234.5\n12,"b;c",7\n', {}),
        ("f.tsv", "id\tsector\tsales\n007\t0110\t1234.5\n12\tb;c\t7\n", {}),
        ("f.txt", 'id;sector;sales\n007;0110;1234,5\n12;"b;c";7\n', {"decimal": ","}),
        ("f.csv", "Ministry\nid|sector|sales\n007|0110|1.234,5\n12|b;c|7\n",
         {"delimiter": "|", "decimal": ",", "thousands": ".", "header_row": 2}),
    ],
)  # fmt: skip
def test_text_files_give_the_same_table_whatever_their_marks(name, text, written, tmp_path):
    if name.endswith(".txt"):
        written = {"delimiter": ";", **written}
    (tmp_path / name).write_text(text)
    found = panel(tmp_path, {"panel": name, "format": written})
    assert found["id"].tolist() == ["007", "12"]
    assert found["sector"].tolist() == ["0110", "b;c"]
    assert pd.to_numeric(found["sales"]).tolist() == [1234.5, 7]


@pytest.mark.parametrize("space", [" ", "\u00a0", "\u202f", "\u2009"])
def test_thousands_are_parted_by_a_space_of_any_kind(space, tmp_path):
    (tmp_path / "firms.csv").write_text(f"id;sales\n1;1{space}234{space}567,5\n2;7\n")
    written = {"delimiter": ";", "decimal": ",", "thousands": " "}
    found = panel(tmp_path, {"format": written})
    assert pd.to_numeric(found["sales"]).tolist() == [1234567.5, 7]
    (tmp_path / "firms.csv").write_text(f"id;sales\n1;12{space}34\n2;7\n")
    with pytest.raises(DataError, match="column sales: a number is not written"):
        panel(tmp_path, {"format": written})


def test_thousands_are_parted_by_an_apostrophe_of_any_kind(tmp_path):
    (tmp_path / "firms.csv").write_text("id,sales\n1,1'234.5\n2,7\u2019000\n", "utf-8")
    found = panel(tmp_path, {"format": {"thousands": "'"}})
    assert pd.to_numeric(found["sales"]).tolist() == [1234.5, 7000]


def test_a_number_with_marks_in_the_wrong_place_is_refused(tmp_path):
    (tmp_path / "firms.csv").write_text("id;sales\n1;1.234,5\n2;1.5\n")
    written = {"delimiter": ";", "decimal": ",", "thousands": "."}
    with pytest.raises(DataError, match=r"column sales: a number is not written .*: 1 rows; .* 3"):
        panel(tmp_path, {"format": written})


def test_an_encoding_is_declared_or_the_file_is_refused(tmp_path):
    (tmp_path / "f.csv").write_bytes("id,town\n1,Córdoba\n".encode("cp1252"))
    found = read_table(tmp_path / "f.csv", FileFormat(encoding="cp1252"), 10)
    assert found["town"].tolist() == ["Córdoba"]
    with pytest.raises(DataError, match=r"f.csv cannot be read with encoding utf-8, .*data.source"):
        read_table(tmp_path / "f.csv", PLAIN, 10)


def test_stata_gives_codes_or_their_labels(tmp_path):
    labels = {"sector": {1: "food", 2: "metal"}}
    firms = pd.DataFrame({"id": [1, 2, 3], "sector": [1, 2, 9]})
    firms.to_stata(tmp_path / "f.dta", write_index=False, value_labels=labels)
    assert read_table(tmp_path / "f.dta", PLAIN, 10)["sector"].tolist() == [1, 2, 9]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        labelled = read_table(tmp_path / "f.dta", FileFormat(value_labels=True), 10)
    assert labelled["sector"].tolist() == ["food", "metal", "9"]


def test_stata_labels_that_two_codes_share_are_refused(tmp_path):
    """pandas writes such a file only where labels are made equal afterwards."""
    labels = {"sector": {1: "food", 2: "wood"}, "size": {1: "small", 2: "large"}}
    firms = pd.DataFrame({"id": [1, 2, 3], "sector": [1, 2, 2], "size": [1, 2, 2]})
    firms.to_stata(tmp_path / "f.dta", write_index=False, value_labels=labels)
    content = (tmp_path / "f.dta").read_bytes()
    assert content.count(b"wood") == 1
    (tmp_path / "f.dta").write_bytes(content.replace(b"wood", b"food"))
    message = r"f.dta: column sector: several codes have one value label \(food\)"
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / "f.dta", FileFormat(value_labels=True), 10)
    assert read_table(tmp_path / "f.dta", PLAIN, 10)["sector"].tolist() == [1, 2, 2]


@pytest.mark.parametrize("written", ["%ty", "%td", "%tm"])
def test_dates_of_stata_are_years_where_a_year_is_meant(written, tmp_path):
    firms = pd.DataFrame({"id": [1, 2], "year": pd.to_datetime(["2004-03-01", "2005-01-01"])})
    firms.to_stata(tmp_path / "f.dta", write_index=False, convert_dates={"year": written})
    found = read_table(tmp_path / "f.dta", PLAIN, 10)
    assert calendar_year(found["year"], "year").tolist() == [2004, 2005]


def workbook(path, rows, sheet="Hoja1", more=()):
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    for name in more:
        book.create_sheet(name)
    book.save(path)
    return path


def test_a_workbook_gives_numbers_text_and_iso_dates(tmp_path):
    import datetime

    path = workbook(
        tmp_path / "b.xlsx",
        [["Beneficiarios"], ["id", "entry", "code"], ["007", datetime.datetime(2009, 10, 31), 5],
         [12, datetime.datetime(2010, 1, 2), 6], [None, None, None]],
        more=["notes"],
    )  # fmt: skip
    found = read_table(path, FileFormat(sheet="Hoja1", header_row=2), 10)
    assert found.to_dict("list") == {
        "id": ["007", "12"],
        "entry": ["2009-10-31", "2010-01-02"],
        "code": [5, 6],
    }
    with pytest.raises(DataError, match="name one of its sheets in `sheet`: Hoja1, notes"):
        read_table(path, PLAIN, 10)


def test_a_hidden_sheet_is_read_only_where_it_is_named(tmp_path):
    from openpyxl import load_workbook

    rows = [["id", "sales"], ["1", 5]]
    path = workbook(tmp_path / "b.xlsx", rows, more=["backup"])
    book = load_workbook(path)
    for row in [["id", "sales"], ["1", 6], ["2", 7]]:
        book["backup"].append(row)
    book["backup"].sheet_state = "hidden"
    book.save(path)
    assert guess_sheet(path) == (None, 1, 1)
    assert read_table(path, PLAIN, 10)["sales"].tolist() == [5]
    assert read_table(path, FileFormat(sheet="backup"), 10)["sales"].tolist() == [6, 7]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [["id", "sales"], ["1", "=1+1"]],
            "holds formulas without values in 1 rows, the first in row 2",
        ),
        ([["id", None], ["1", 2]], "a column has cells but no name"),
        ([["id", "id"], ["1", 2]], "several columns of one name: rename columns 1, 2"),
        ([["id"]], "holds no rows"),
        ([["id"], *[[i] for i in range(20)]], "more than data.max_rows 10 rows"),
    ],
)
def test_a_workbook_that_is_no_table_is_refused(rows, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read_table(workbook(tmp_path / "b.xlsx", rows), PLAIN, 10)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = workbook(tmp_path / "b.xlsx", [["id"], [1]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet2.xml", b"0" * 50_000_000)
    with pytest.raises(DataError, match="unpacks to 50 MB"):
        read_table(path, PLAIN, 10)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "id,sales\n1,2\n3\n",
            "row 3 has 1 cells, the header 2; correct it .delete it where it is a note",
        ),
        ("id,sales\n1,2,3\n", "f.csv: row 2 has 3 cells, the header 2"),
        ("id,id\n1,2\n", "several columns of one name: rename columns 1, 2"),
        ("id,sales\n", "holds no rows"),
        ("", "f.csv is empty"),
        ("id\n" + "1\n" * 11, "more than data.max_rows 10 rows"),
    ],
)
def test_a_text_file_that_is_no_table_is_refused(content, message, tmp_path):
    (tmp_path / "f.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / "f.csv", PLAIN, 10)


@pytest.mark.parametrize("name", ["f.parquet", "f.dta"])
def test_more_rows_than_allowed_are_refused_in_every_format(name, tmp_path):
    frame = pd.DataFrame({"id": range(11)})
    frame.to_parquet(tmp_path / "f.parquet")
    frame.to_stata(tmp_path / "f.dta")
    with pytest.raises(DataError, match=r"more than data.max_rows 10"):
        read_table(tmp_path / name, PLAIN, 10)


def test_yearly_files_are_stacked_renamed_and_dated_by_name(tmp_path):
    (tmp_path / "firms_2002.csv").write_text("rut,ventas\n1,20\n")
    (tmp_path / "firms_2001.csv").write_text("id,sales\n1,10\n2,11\n")
    source = {
        "panel": "firms_*.csv",
        "year_in_name": True,
        "rename": {"firms_2002.csv": {"rut": "id", "ventas": "sales"}},
    }
    found = panel(tmp_path, source)
    assert found["year"].tolist() == [2001, 2001, 2002]
    assert found["sales"].tolist() == ["10", "11", "20"]
    with pytest.raises(DataError, match=r"more than data.max_rows 0"):
        panel(tmp_path, source, max_rows=2)
    source["rename"]["firms_2002.csv"]["vtas"] = "sales"
    with pytest.raises(DataError, match=r"firms_2002.csv has no column vtas; it has rut, ventas"):
        panel(tmp_path, source)


def test_yearly_workbooks_and_text_files_mix(tmp_path):
    workbook(tmp_path / "f_2001.xlsx", [["id", "sales"], [1, 10]])
    (tmp_path / "f_2002.csv").write_text("id,sales\n01,11\n")
    found = panel(tmp_path, {"panel": "f_*", "year_in_name": True})
    assert found["id"].tolist() == ["1", "01"]


def test_a_wide_file_becomes_long(tmp_path):
    (tmp_path / "firms.csv").write_text("id,town,s1,s2,e2\n1,A,10,11,3\n")
    wide = {"columns": {"sales": {2001: "s1", 2002: "s2"}, "jobs": {2002: "e2"}}}
    found = panel(tmp_path, {"wide": wide})
    assert found.to_dict("list") == {
        "id": ["1", "1"],
        "town": ["A", "A"],
        "year": [2001, 2002],
        "sales": ["10", "11"],
        "jobs": [None, "3"] if found["jobs"][0] is None else [found["jobs"][0], "3"],
    }
    assert found["jobs"].isna().tolist() == [True, False]
    with pytest.raises(DataError, match=r"1 rows of 2 years, more than data.max_rows 1 firm-years"):
        panel(tmp_path, {"wide": wide}, max_rows=1)
    wide["columns"]["sales"][2003] = "s3"
    with pytest.raises(DataError, match=r"data.source.wide names s3, which the file lacks"):
        panel(tmp_path, {"wide": wide})


def read_or_refuse(path: Path) -> None:
    """Read a file: a table with rows and unique names, or DataError; nothing else may happen."""
    try:
        frame = read_table(path, PLAIN, 1000)
    except DataError:
        return
    assert 0 < len(frame) <= 1000
    assert frame.columns.is_unique


FUZZ = settings(
    max_examples=60, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "dta", "xlsx"])
@FUZZ
@given(content=st.binary(max_size=400))
def test_any_bytes_are_a_table_or_a_message(ending, content, tmp_path):
    path = tmp_path / f"f.{ending}"
    path.write_bytes(content)
    read_or_refuse(path)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Write the same firms in every format."""
    folder = tmp_path_factory.mktemp("sound")
    FIRMS.to_csv(folder / "f.csv", index=False)
    FIRMS.to_csv(folder / "f.tsv", index=False, sep="\t")
    FIRMS.to_parquet(folder / "f.parquet")
    FIRMS.to_stata(folder / "f.dta", write_index=False)
    FIRMS.to_excel(folder / "f.xlsx", index=False)
    return folder


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "dta", "xlsx"])
@FUZZ
@given(damage=st.data())
def test_a_damaged_file_is_a_table_or_a_message(ending, damage, sound, tmp_path):
    content = bytearray((sound / f"f.{ending}").read_bytes())
    at = damage.draw(st.integers(0, len(content) - 1))
    if damage.draw(st.booleans()):
        content = content[:at]
    else:
        content[at] = damage.draw(st.integers(0, 255))
    path = tmp_path / f"f.{ending}"
    path.write_bytes(content)
    read_or_refuse(path)


@FUZZ
@given(
    cells=st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
            min_size=2, max_size=2,
        ),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_text_cells_come_through_a_csv_unchanged(cells, tmp_path):
    import csv

    path = tmp_path / "f.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["a", "b"], ["x", "y"], *cells])
    found = read_table(path, PLAIN, 1000)
    expected = [["x", "y"], *([cell or None for cell in row] for row in cells if any(row))]
    assert [[None if pd.isna(c) else c for c in row] for row in found.to_numpy()] == expected
