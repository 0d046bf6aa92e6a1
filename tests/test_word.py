"""The Word file: real tables, header rows, every printed cell, the same bytes every time."""

import io
import subprocess
import zipfile
from xml.etree import ElementTree

import pytest
from programs import required
from results import study_results

from pipeline.exhibits.render.word import render_word
from pipeline.exhibits.tables.table import Number, Panel, Row, Table, TableColumn
from pipeline.exhibits.words.captions import caption
from pipeline.publishing.study import study_tables

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
NASTY = "R&D_100% ~ año #1 ${x}^\\ <w:t> \x07"


@pytest.fixture(scope="module")
def results():
    return study_results()


def document(content: bytes) -> ElementTree.Element:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            ElementTree.fromstring(archive.read(name))
        return ElementTree.fromstring(archive.read("word/document.xml"))


def texts(element):
    return ["".join(t.text for t in cell.iter(f"{W}t")) for cell in element.iter(f"{W}tc")]


def by_caption(results):
    return {caption(results, table.part): table for table in study_tables(results).values()}


def test_every_table_has_its_caption_header_rows_and_cells(results):
    tables = by_caption(results)
    root = document(render_word(tables))
    found = list(root.iter(f"{W}tbl"))
    assert len(found) == len(tables)
    captions = ["".join(t.text for t in p.iter(f"{W}t")) for p in root.iter(f"{W}p")]
    assert set(tables) <= set(captions)
    for element, table in zip(found, tables.values(), strict=True):
        rows = list(element.iter(f"{W}tr"))
        heads = [row for row in rows if row.find(f"{W}trPr/{W}tblHeader") is not None]
        assert heads == rows[: len(heads)]
        assert {column.heading for column in table.columns} <= set(texts(heads[-1])) | {
            text for row in heads for text in texts(row)
        }
        shown = [c.plain() for row in table.rows() for c in row.cells if c is not None]
        assert set(shown) <= set(texts(element))


def test_rows_span_the_whole_grid(results):
    for element in document(render_word(by_caption(results))).iter(f"{W}tbl"):
        width = len(list(element.iter(f"{W}gridCol")))
        for row in element.iter(f"{W}tr"):
            spans = [cell.find(f"{W}tcPr/{W}gridSpan") for cell in row.iter(f"{W}tc")]
            assert sum(1 if s is None else int(s.get(f"{W}val")) for s in spans) == width


def test_two_renderings_are_the_same_bytes_without_a_date(results):
    content = render_word(by_caption(results))
    assert content == render_word(by_caption(study_results()))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_text_from_users_is_text():
    table = Table(
        columns=(TableColumn(NASTY, NASTY, 1, NASTY),),
        panels=(Panel(NASTY, (Row(NASTY, (Number(1.0, 1),), indent=True),)),),
        notes=(NASTY,),
        source=NASTY,
    )
    root = document(render_word({NASTY: table}))
    assert sum(NASTY[:-1] in text for text in texts(root)) == 5


@pytest.mark.slow
def test_libreoffice_opens_it_and_sees_the_tables(results, tmp_path):
    tables = by_caption(results)
    (tmp_path / "tables.docx").write_bytes(render_word(tables))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    program = required("soffice", "apt-get install libreoffice-writer-nogui")
    command = [program, profile, "--headless", "--convert-to", "html", "tables.docx"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=180)
    text = (tmp_path / "tables.html").read_text(encoding="utf-8")
    assert text.lower().count("<table") == len(tables)
