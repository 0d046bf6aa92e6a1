"""Text files: what they say of themselves is followed, in plain and in packed files."""

import gzip
import zipfile

import pandas as pd
import pytest
from test_delivered import data, panel

from pipeline.commands.start.files import guess_format
from pipeline.errors import DataError
from pipeline.panel.delivered import read_panel
from pipeline.panel.origin import located
from pipeline.panel.readers import read_table
from pipeline.panel.rules.standard import standard_types
from pipeline.params.written import FileFormat

FIRMS = "id;año;sales\n1;2004;5\n2;2005;6\n"


def read(path, **written):
    return read_table(path, FileFormat(**written), 100)


def with_mark(encoding):
    return ("\ufeff" + FIRMS).encode(encoding)


@pytest.mark.parametrize(
    "content",
    [FIRMS.encode("utf-8-sig"), FIRMS.encode("utf-16"), with_mark("utf-16-le"),
     with_mark("utf-16-be"), FIRMS.encode("utf-16-le"), FIRMS.encode("utf-16-be"),
     FIRMS.encode("utf-32")],
)  # fmt: skip
@pytest.mark.parametrize("declared", ["utf-8", "cp1252"])
def test_an_encoding_that_the_first_bytes_tell_is_followed(content, declared, tmp_path):
    (tmp_path / "f.csv").write_bytes(content)
    found = read(tmp_path / "f.csv", delimiter=";", encoding=declared)
    assert list(found.columns) == ["id", "año", "sales"]
    assert read(tmp_path / "f.csv", **guess_format(tmp_path / "f.csv").model_dump()).equals(found)


@pytest.mark.parametrize("first", ["sep=;\n", "SEP=;\r\n", '"sep=;"\n'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_line_that_names_the_separator_is_no_header(first, encoding, tmp_path):
    (tmp_path / "f.csv").write_bytes((first + FIRMS).encode(encoding))
    found = read(tmp_path / "f.csv")
    assert found["año"].tolist() == ["2004", "2005"]
    guessed = guess_format(tmp_path / "f.csv")
    assert (guessed.delimiter, guessed.header_row) == (";", 1)


def test_rows_are_numbered_as_an_editor_shows_them_below_such_a_line(tmp_path):
    (tmp_path / "firms.csv").write_text("sep=;\nid;year;sales\n1;2004;5\n2;2005;six\n")
    section = data()
    table, origin = read_panel(section.source, section, tmp_path)
    with pytest.raises(DataError, match=r"see row 4 of firms\.csv"), located(origin):
        standard_types(table, section)


def test_names_in_two_rows_are_put_together(tmp_path):
    (tmp_path / "f.csv").write_text("Firmas\n;2004;;2005;\nid;ventas;jobs;ventas;jobs\n1;5;2;6;3\n")
    found = read(tmp_path / "f.csv", delimiter=";", header_row=2, header_rows=2)
    assert found.to_dict("list") == {
        "id": ["1"],
        "2004 ventas": ["5"],
        "2004 jobs": ["2"],
        "2005 ventas": ["6"],
        "2005 jobs": ["3"],
    }
    assert found.index.tolist() == [1]


def test_blanks_around_names_and_marks_at_ends_of_lines_are_no_part_of_a_table(tmp_path):
    (tmp_path / "f.csv").write_text(" id ;sales\u00a0;\n1;2;\n")
    assert read(tmp_path / "f.csv", delimiter=";").to_dict("list") == {"id": ["1"], "sales": ["2"]}


def test_a_quotation_mark_without_an_end_is_refused_not_read_to_the_end(tmp_path):
    (tmp_path / "f.csv").write_text('id,name\n1,"x\n2,y\n')
    with pytest.raises(DataError, match=r"f\.csv: a quotation mark is opened and never closed"):
        read(tmp_path / "f.csv")
    (tmp_path / "f.csv").write_text('id,name\n1,x\n2,"y\nz"\n')
    assert read(tmp_path / "f.csv")["name"].tolist() == ["x", "y\nz"]


@pytest.mark.parametrize("space", ["\u3000", "\u2007", "\u205f", "\u2008"])
def test_any_space_parts_thousands_and_years_keep_theirs(space, tmp_path):
    text = f"id;year;sales\n1;2004,0;\u22121{space}234,5\n2;2{space}005;7\n"
    (tmp_path / "firms.csv").write_text(text, "utf-8")
    written = {"delimiter": ";", "decimal": ",", "thousands": " "}
    found = panel(tmp_path, {"format": written})
    assert pd.to_numeric(found["sales"]).tolist() == [-1234.5, 7]
    assert pd.to_numeric(found["year"]).tolist() == [2004, 2005]


@pytest.mark.parametrize(
    ("cells", "marks"),
    [("1 234,5;0,5", (",", " ")), ("1.234,5;7", (",", ".")), ("1'234.5;2.25", (".", "'")),
     ("1,234.5;2.25", (".", ",")), ("1234.5;2.25", (".", None)), ("1234,5;2,25", (",", None)),
     ("1\u202f234;0,5", (",", " "))],
)  # fmt: skip
def test_marks_of_numbers_are_guessed(cells, marks, tmp_path):
    (tmp_path / "f.csv").write_text(f"costs;sales\n{cells}\n", "utf-8")
    guessed = guess_format(tmp_path / "f.csv")
    assert (guessed.decimal, guessed.thousands) == marks


@pytest.mark.parametrize(
    ("header", "cells", "marks"),
    [("cod;ejercicio;ventas", "120;2010.0;1.234,56", (",", ".")),
     ("id;sales;workers", "1;1,234;5.0", (".", ",")),
     ("id;sales;rate;age", "1;1,5;2,5;7.5", (",", None)),
     ("id;apoio", "1;R$ 40.000,00", (",", "."))],
)  # fmt: skip
def test_years_and_keys_say_nothing_of_marks_and_columns_are_counted(
    header, cells, marks, tmp_path
):
    (tmp_path / "f.csv").write_text(f"{header}\n{cells}\n", "utf-8")
    guessed = guess_format(tmp_path / "f.csv")
    assert (guessed.decimal, guessed.thousands) == marks


def zipped(path, **parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_packed_files_are_the_table_that_they_hold(tmp_path):
    (tmp_path / "f.csv.gz").write_bytes(gzip.compress(FIRMS.encode("utf-16")))
    zipped(tmp_path / "f.zip", **{"firmas.csv": FIRMS, "__MACOSX/._firmas.csv": "x"})
    pd.DataFrame({"id": ["1", "2"]}).to_stata(tmp_path / "f.dta", write_index=False)
    zipped(tmp_path / "s.zip", **{"f.dta": (tmp_path / "f.dta").read_bytes()})
    for name in ("f.csv.gz", "f.zip", "s.zip"):
        written = guess_format(tmp_path / name)
        assert read_table(tmp_path / name, written, 10)["id"].tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"a.csv": "id\n1\n", "b.csv": "id\n1\n"}, "holds 2 files: zip one table"),
        ({}, "holds 0 files"),
        ({"../a.csv": "id\n1\n"}, "holds a file in a folder"),
        ({"/etc/a.csv": "id\n1\n"}, "holds a file in a folder"),
        ({"data/a.csv": "id\n1\n"}, "holds a file in a folder"),
        ({"..\\a.csv": "id\n1\n"}, "holds a file in a folder"),
        ({"a.zip": "x"}, "files end in .csv or"),
        ({"a.csv": "1" * 18_000_000}, "unpacks to more than 17 MB"),
    ],
)
def test_an_archive_that_is_no_packed_table_is_refused(parts, message, tmp_path):
    with pytest.raises(DataError, match=rf"f\.zip.*{message}"):
        read(zipped(tmp_path / "f.zip", **parts))


def test_a_packed_file_that_fills_the_disk_or_is_damaged_is_refused(tmp_path):
    packed = gzip.compress(b"id\n" + b"1" * 18_000_000)
    (tmp_path / "f.csv.gz").write_bytes(packed)
    with pytest.raises(DataError, match=r"f\.csv\.gz unpacks to more than 17 MB"):
        read(tmp_path / "f.csv.gz")
    for content in (b"", b"x", packed[:200], packed[:8]):
        (tmp_path / "f.csv.gz").write_bytes(content)
        with pytest.raises(DataError, match=r"f\.csv"):
            read(tmp_path / "f.csv.gz")


def test_a_zip_with_a_password_is_refused(tmp_path):
    path = zipped(tmp_path / "f.zip", **{"a.csv": "id\n1\n"})
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"f\.zip asks for a password"):
        read(path)
