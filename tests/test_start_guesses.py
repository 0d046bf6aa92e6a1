"""What a study's section guesses of messy deliveries, and what it refuses with a message."""

import sys

import pandas as pd
import pytest
from ruamel.yaml import YAML
from test_delivered import workbook
from workspace import section, write_params

from pipeline.commands.start.files import guess_format
from pipeline.commands.start.numbers import date_format, text_codes
from pipeline.commands.start.section import start_section
from pipeline.errors import DataError
from pipeline.params.study import read_study
from stages import start

FIRMS = [f"{i:03d}" for i in range(1, 13)]
YEARS = range(2001, 2005)


def started(*files):
    """Return the settings that the section of these files holds; they must be valid."""
    text = start_section("nueva", list(files))
    content = YAML(typ="safe").load(text)
    return read_study(content, "nueva"), text


def rows(flag=True):
    header = ["id", "year", "ventas", *(["apoyo"] if flag else [])]
    values = [
        [f, y, 10.5 + int(f), *([int(f < "004" and y > 2002)] if flag else [])]
        for f in FIRMS
        for y in YEARS
    ]
    return [header, *values]


def write_csv(path, table, mark=",", encoding="utf-8"):
    path.write_text("".join(mark.join(map(str, row)) + "\n" for row in table), encoding=encoding)
    return path


def test_yearly_workbooks_are_one_panel_dated_by_their_names(tmp_path):
    files = [
        workbook(
            tmp_path / f"padron {year}.xlsx",
            [["nit", "ingresos"], *[[int(f), int(f) + 0.5] for f in FIRMS]],
        )
        for year in YEARS
    ]
    register = workbook(tmp_path / "lista.xlsx", [["nit", "inicio"], [1, 2003], [2, 2003]])
    study, _ = started(register, *files)
    source = study.data.source
    assert (source.panel, source.year_in_name) == ("padron *.xlsx", True)
    assert (study.data.firm_id, study.data.year) == ("nit", "year")
    assert source.register_file == "lista.xlsx"


def test_yearly_files_with_other_columns_are_asked_about(tmp_path):
    one = write_csv(
        tmp_path / "f_2001.csv", [["id", "ventas"], *[[f, int(f) + 0.5] for f in FIRMS]]
    )
    two = write_csv(tmp_path / "f_2002.csv", [["id", "vtas"], *[[f, int(f) + 0.5] for f in FIRMS]])
    register = write_csv(tmp_path / "r.csv", [["id", "entry"], ["001", 2002]])
    _, text = started(one, two, register)
    assert "QUESTION: some yearly files lack ventas, vtas: is it called otherwise" in text


def test_columns_by_year_are_a_wide_panel(tmp_path):
    header = ["firm", "region", *(f"{name}_{y}" for y in YEARS for name in ("sales", "jobs"))]
    table = [header, *[[f, "A", *range(int(f), int(f) + 2 * len(YEARS))] for f in FIRMS]]
    register = write_csv(tmp_path / "r.csv", [["firm", "entry"], ["001", 2003]])
    study, _ = started(write_csv(tmp_path / "f.csv", table), register)
    assert study.data.source.wide.columns["sales"][2003] == "sales_2003"
    assert study.data.columns["employment"].column == "jobs"


def test_titles_above_a_header_and_other_sheets_are_passed_over(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["Read me"])
    sheet = book.create_sheet("Padrón")
    for row in [["Ministerio"], [], *rows()]:
        sheet.append(row)
    book.save(tmp_path / "f.xlsx")
    study, text = started(tmp_path / "f.xlsx")
    written = study.data.source.format
    assert (written.sheet, written.header_row) == ("Padrón", 3)
    assert "is sheet Padrón of f.xlsx the right one?" in text


def test_a_word_that_few_cells_of_numbers_hold_is_not_written_into_params():
    cells = pd.Series([*map(str, range(40)), *["closed"] * 10, "n/a", "Empresa Ramos"])
    assert text_codes(cells) == ["closed", "n/a"]


def test_spanish_marks_words_and_names_are_understood(tmp_path):
    header = ["RUT", "Razón social", "Año", "Nº de empleados", "Ventas", "Código CIIU", "Comuna"]
    table = [
        [f, f"Empresa {f}", y, "nd" if f == "012" else int(f), f"1.{f},25", sector, place]
        for f in FIRMS
        for y in YEARS
        for sector, place in [("0110", "Ñuñoa") if f < "005" else ("0220", f"Macul {int(f) // 2}")]
    ]
    panel = write_csv(tmp_path / "p.csv", [header, *table], ";", "cp1252")
    listed = [["RUT", "Fecha aprobación", "Monto"], ["001", "31/12/2002", "1.234,5"]]
    register = write_csv(tmp_path / "r.csv", listed, ";", "cp1252")
    study, text = started(panel, register)
    written = study.data.source.format
    assert written.model_dump(include={"delimiter", "encoding", "decimal", "thousands"}) == {
        "delimiter": ";", "encoding": "cp1252", "decimal": ",", "thousands": "."
    }  # fmt: skip
    assert study.data.columns["employment"].column == "Nº de empleados"
    assert study.clean.missing_codes == {"employment": ["nd"]}
    assert study.data.cluster == ["comuna", "codigo_ciiu"]
    assert "Razón social" not in {c.column for c in study.data.columns.values()}
    assert "Razón social" not in text
    register_columns = study.data.register_columns
    assert (register_columns.date_format, register_columns.amount) == ("%d/%m/%Y", "Monto")


def test_names_that_yaml_could_misread_come_through(tmp_path):
    table = rows()
    table[0] = ['"Firm\'s ""id"": #1"', "year", '"ventas\nnetas"', "apoyo"]
    study, _ = started(write_csv(tmp_path / "panel [1].csv", table))
    assert study.data.firm_id == 'Firm\'s "id": #1'
    assert study.data.columns["sales"].column == "ventas\nnetas"
    assert study.data.source.panel == "panel [1].csv"


@pytest.mark.parametrize(
    ("dates", "found"),
    [
        (["2009-10-31", "2010-01-02"], ""),
        (["31/10/2009", "01/02/2010"], "%d/%m/%Y"),
        (["10/31/2009", "01/02/2010"], "%m/%d/%Y"),
        (["2009", "2010"], None),
        ([], None),
    ],
)
def test_dates_are_told_from_other_cells(dates, found):
    assert date_format(pd.Series(dates, dtype="str")) == found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_are_told_apart(encoding, tmp_path):
    table = [["id", "año", "ventas", "apoyo"], *rows()[1:]]
    study, _ = started(write_csv(tmp_path / "f.csv", table, ";", encoding))
    assert study.data.year == "año"
    written = guess_format(tmp_path / "f.csv")
    assert written.encoding == encoding.removesuffix("-sig")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    write_params(tmp_path, {"michigan": section("michigan")})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.csv", None, "No such file"),
        ("empty.csv", b"", "empty.csv is empty"),
        ("blank.csv", b"\n\n", "blank.csv is empty"),
        ("zero.csv", b"\0" * 99, "zero.csv holds zero bytes"),
        ("head.csv", b"a,b\n", "head.csv holds no rows"),
        ("one.csv", b"a\n1\n", "one.csv has 1 columns"),
        ("text.xlsx", b"a,b\n1,2\n", "text.xlsx cannot be read"),
        ("cut.dta", b"<stata_dta><header>", "cut.dta cannot be read"),
        ("paper.pdf", b"%PDF", "files end in .csv"),
        ("plain.csv", b"id,year,x\n1,2001,2\n", "nothing tells who was treated"),
    ],
)
def test_what_is_no_panel_ends_in_a_message_and_writes_nothing(
    name, content, message, workspace, capsys
):
    if content is not None:
        (workspace / name).write_bytes(content)
    sys.argv = ["start", "nueva", name]
    before = (workspace / "params.yaml").read_bytes()
    with pytest.raises(SystemExit) as stopped:
        start.main()
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert (workspace / "params.yaml").read_bytes() == before
    assert not (workspace / "data").exists()


def flagged(name, falls=False, second=False):
    """Return rows whose last column is 1 from a firm's third year on, in some firms."""
    header = ["id", "year", "ventas", name, *(["other"] if second else [])]
    values = [
        [f, y, 10.5 + int(f), flag, *([flag] if second else [])]
        for f in FIRMS
        for y in YEARS
        for flag in [int(f < "004" and y > 2002 and not (falls and y == 2004))]
    ]
    return [header, *values]


def test_the_only_column_that_can_tell_of_support_is_taken_and_asked_about(tmp_path):
    study, text = started(write_csv(tmp_path / "f.csv", flagged("Etapa dos")))
    assert (study.treatment.entry.source, study.treatment.entry.column) == (
        "indicator",
        "etapa_dos",
    )
    assert "QUESTION: is Etapa dos 1 from support on" in text


@pytest.mark.parametrize("changes", [{"falls": True}, {"second": True}])
def test_a_column_that_falls_and_one_of_two_tell_nothing(changes, tmp_path):
    with pytest.raises(DataError, match="nothing tells who was treated"):
        started(write_csv(tmp_path / "f.csv", flagged("etapa", **changes)))
