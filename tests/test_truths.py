"""Words for true and false, and numbers in whatever signs: 1 and 0, numbers, or a message."""

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from test_delivered import workbook

from pipeline.errors import DataError
from pipeline.panel.numbers import numeric
from pipeline.panel.readers import read_table
from pipeline.panel.values import is_sheet_error
from pipeline.params.data import NumberColumn
from pipeline.params.written import FileFormat

FLAG = NumberColumn(kind="number", column="flag", unit="0/1", label="Flag")


def flags(*cells):
    return numeric(pd.Series(list(cells)), FLAG).tolist()


@pytest.mark.parametrize(
    ("true", "false"),
    [("Sí", "No"), ("Si\u0301", "NO"), ("OUI", "Non"), ("Sim", "Não"), ("Y", "N"), ("s", "n"),
     ("T", "F"), ("Verdadero", "Falso"), ("Ja", "Nein"), 
     (True, False), (" yes\u00a0", "no ")],
)  # fmt: skip
def test_words_for_true_and_false_are_1_and_0(true, false):
    found = flags(true, false, None, true)
    assert found[:2] + found[3:] == [1, 0, 1]
    assert pd.isna(found[2])


@pytest.mark.parametrize("cells", [("x", None), ("sí", "quizás"), ("yes", "1", "0")])
def test_other_words_are_no_numbers(cells):
    with pytest.raises(DataError, match=r"column flag: a value is no number.*missing_codes"):
        flags(*cells)


def test_truth_values_come_out_of_every_format(tmp_path):
    firms = pd.DataFrame({"id": [1, 2, 3], "flag": [1, 2, 2]})
    labels = {"flag": {1: "Sí", 2: "No"}}
    firms.to_stata(tmp_path / "f.dta", write_index=False, value_labels=labels)
    workbook(tmp_path / "f.xlsx", [["id", "flag"], [1, True], [2, False], [3, False]])
    table = pa.table({"flag": pa.array([True, False, False])})
    parquet.write_table(table, tmp_path / "f.parquet")
    (tmp_path / "f.csv").write_text("id,flag\n1,VERDADERO\n2,FALSO\n3,FALSO\n")
    for file in sorted(tmp_path.iterdir()):
        found = read_table(file, FileFormat(value_labels=True), 10)["flag"]
        assert numeric(found, FLAG).tolist() == [1, 0, 0], file.name


def test_a_minus_sign_of_any_kind_and_invisible_ends_are_read():
    assert flags("\u22125", "\u20137.5", "3\u00a0", "\ufeff4", "\u20092") == [-5, -7.5, 3, 4, 2]


@pytest.mark.parametrize("cell", ["1\u3000234", "1\u202f234", "1'234", "1,234.5", "1.234,5"])
def test_a_number_with_marks_asks_for_what_they_are(cell):
    with pytest.raises(DataError, match=r"marks between its digits.*declare data\.source\.format"):
        flags("7", cell)


@pytest.mark.parametrize(
    "cell",
    ["#N/A", "#n/a", "#¡REF!", "#¡DIV/0!", "#NV", "#¿NOMBRE?", "#ZAHL!", "#NÚM!", "#ЗНАЧ!",
     "########", "Err:502", "#GETTING_DATA"],
)  # fmt: skip
def test_errors_of_spreadsheets_are_known_in_any_language(cell):
    assert is_sheet_error(pd.Series([cell])).all()
    with pytest.raises(DataError, match=r"error of a spreadsheet.*clean\.missing_codes; see row 3"):
        flags("7", cell)


@pytest.mark.parametrize("code", ["#12", "N/A", "A#1!", "# 5!"])
def test_codes_with_a_number_sign_are_no_errors(code):
    assert not is_sheet_error(pd.Series([code])).any()
