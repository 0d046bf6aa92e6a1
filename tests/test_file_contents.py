"""Files that are not what their ending says, or that cannot be opened, end in one sentence."""

import errno
import gzip
import io
import zipfile

import pandas as pd
import pytest

from pipeline.commands.start.files import deliveries
from pipeline.errors import DataError
from pipeline.panel import archives, readers
from pipeline.panel.readers import read_table
from pipeline.params.written import FileFormat

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
TABLE = b"id,v\n1,2\n"


def zipped(*names):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, TABLE)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("f.xlsx", OLE, r"f\.xlsx ends in \.xlsx, but is a workbook with a password"),
        ("f.csv", OLE, "workbook with a password"),
        ("f.csv", zipped("a.csv"), r"is a workbook or an archive: give it the ending \.xlsx"),
        ("f.xlsx", b" <HTML><table>", "is a web page: open it in a spreadsheet"),
        ("f.csv", b"\xef\xbb\xbf<!DOCTYPE html>", "is a web page"),
        ("f.dta", b"PAR1" + bytes(20), "is a Parquet file"),
        ("f.csv", gzip.compress(TABLE), r"is packed: give it the ending \.gz"),
        ("f.csv.gz", TABLE, "cannot be unpacked"),
        ("f.csv.gz", gzip.compress(OLE), r"f\.csv\.gz ends in \.csv, but is a workbook"),
        ("f.zip", TABLE, "cannot be unpacked"),
        ("f.zip", zipped("a.csv", "b.csv"), "holds 2 files"),
        ("f.zip", zipped("../a.csv"), "in a folder"),
        ("f.zip", zipped("a.csv.gz"), "files end in"),
        ("f.csv", b"id,v\n1,\x002\n", "holds zero bytes, which no text has"),
        ("f.csv", TABLE + bytes(5000), "holds zero bytes"),
        ("f.xlsx", b"PK" + bytes(50), "cannot be read as a"),
        *((f"f.{kind}", b"", "is empty") for kind in ("csv", "xlsx", "dta", "parquet")),
        ("f.csv", b"\n \r\n", "is empty"),
    ],
    ids=lambda value: "content" if isinstance(value, bytes) else None,
)
def test_a_file_that_is_something_else_is_told_in_one_sentence(name, content, told, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    for read in (lambda: read_table(path, FileFormat(), 10), lambda: deliveries([path])):
        with pytest.raises(DataError, match=told) as caught:
            read()
        assert "\n" not in str(caught.value)


def test_zeros_of_an_encoding_are_none_of_a_damage(tmp_path):
    path = tmp_path / "f.csv"
    path.write_bytes(TABLE.decode().encode("utf-16-be"))
    assert read_table(path, FileFormat(encoding="utf-16-be"), 10)["v"].tolist() == ["2"]
    path.write_bytes("id,v\n1,2\n".encode("utf-32-le"))
    assert read_table(path, FileFormat(encoding="utf-32-le"), 10)["v"].tolist() == ["2"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EBUSY])
@pytest.mark.parametrize("name", ["f.csv", "f.parquet", "f.csv.gz"])
def test_a_file_that_the_machine_does_not_open_is_no_damaged_one(
    number, name, tmp_path, monkeypatch
):
    """The stage says of such an error which file it is, and what to do."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(TABLE) if name.endswith("gz") else TABLE)

    def locked(*_, **__):
        raise OSError(number, "locked", str(path))

    where = (archives, "_open") if name.endswith("gz") else (readers, "refuse_other_content")
    monkeypatch.setattr(*where, locked)
    with pytest.raises(OSError, match="locked"):
        read_table(path, FileFormat(), 10)


def test_a_sound_file_of_each_kind_is_what_it_says(tmp_path):
    table = pd.DataFrame({"id": ["1"], "v": [2.0]})
    writers = {"csv": table.to_csv, "parquet": table.to_parquet, "xlsx": table.to_excel}
    for kind, write in writers.items():
        write(tmp_path / f"f.{kind}", index=False)
        assert len(read_table(tmp_path / f"f.{kind}", FileFormat(), 10)) == 1
    for version in (114, 118, 119):
        table.to_stata(tmp_path / "f.dta", version=version, write_index=False)
        assert len(read_table(tmp_path / "f.dta", FileFormat(), 10)) == 1
