"""Identifiers keep every digit that was delivered, or are refused with what lost them."""

from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from test_delivered import data, workbook

from pipeline.errors import DataError
from pipeline.panel.readers import read_table
from pipeline.panel.sources import obtain_tables, read_rules_tables
from pipeline.panel.values import text
from pipeline.params.clean import CleanSection
from pipeline.params.written import FileFormat

LONG = 9_007_199_254_740_993  # the first whole number that double precision lacks


def obtained(folder, name, **changes):
    section = data({"panel": name}, columns=COLUMNS, **changes)
    return obtain_tables(section, folder).panel


COLUMNS = {
    "sector": {"kind": "text", "column": "sector", "label": "Sector"},
    "sales": {"kind": "number", "column": "sales", "unit": "US$", "label": "Sales"},
}


def parquet_file(folder, **columns):
    parquet.write_table(pa.table(columns), folder / "f.parquet")
    return "f.parquet"


def test_integers_with_gaps_keep_their_digits(tmp_path):
    name = parquet_file(
        tmp_path, id=[LONG, LONG + 2, 3], year=[2001] * 3, sales=[1, None, 2],
        sector=pa.array([LONG, None, LONG + 2], pa.int64()),
    )  # fmt: skip
    found = obtained(tmp_path, name)
    assert text(found["sector"]).tolist()[::2] == [str(LONG), str(LONG + 2)]
    assert text(found["id"]).tolist() == [str(LONG), str(LONG + 2), "3"]
    assert found["sales"].dtype == "float64"  # these are exact


def test_bytes_categories_and_decimals_are_what_they_stand_for(tmp_path):
    longest = 10**30 + 1
    name = parquet_file(
        tmp_path,
        id=pa.array([Decimal(longest), None], pa.decimal128(38, 4)),
        sector=pa.array([b"0110", None], pa.binary()),
        kind=pa.array(["a", None]).dictionary_encode(),
        sales=pa.array([Decimal("1.5"), None], pa.decimal128(10, 2)),
    )
    found = read_table(tmp_path / name, FileFormat(), 10)
    assert found.iloc[0].tolist() == [str(longest), "0110", "a", 1.5]
    assert found.iloc[1].isna().all()


def test_a_name_twice_in_a_parquet_file_is_refused(tmp_path):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["id", "id"])
    parquet.write_table(table, tmp_path / "f.parquet")
    with pytest.raises(DataError, match="several columns of one name: rename columns 1, 2"):
        read_table(tmp_path / "f.parquet", FileFormat(), 10)


@pytest.mark.parametrize(
    ("dtype", "exact", "lost", "told"),
    [
        ("float64", 2**53 - 1, 2**53 + 2, r"double precision .*2\^53: 1 rows; .*row 2 of f\.dta"),
        ("float32", 2**24 - 1, 2**24 + 2, r"single precision \(float\) .*2\^24: 1 rows"),
    ],
)
def test_stata_identifiers_that_their_type_does_not_hold_are_refused(
    dtype, exact, lost, told, tmp_path
):
    for code in (exact, lost):
        frame = pd.DataFrame({"id": [1, code], "year": 2001, "sector": "a", "sales": 1e17})
        frame.astype({"id": dtype}).to_stata(tmp_path / "f.dta", write_index=False)
        if code == exact:
            assert text(obtained(tmp_path, "f.dta")["id"]).tolist() == ["1", str(exact)]
    with pytest.raises(DataError, match=told):
        obtained(tmp_path, "f.dta")


@pytest.mark.parametrize("beside", [7, "a7"])
def test_a_spreadsheet_keeps_fifteen_digits_of_an_identifier(beside, tmp_path):
    head = ["id", "year", "sector", "sales"]
    rows = [[10**15 - 1, 2001, "a", 1], [beside, 2001, "a", 1e17], ["1" * 20, 2001, "a", 1]]
    workbook(tmp_path / "b.xlsx", [head, *rows])
    assert text(obtained(tmp_path, "b.xlsx")["id"])[0] == str(10**15 - 1)
    workbook(tmp_path / "b.xlsx", [head, *rows[:2], [1234567890123456, 2001, "a", 1]])
    with pytest.raises(DataError, match=r"column id: a code .*: 1 rows; .*row 4 of b\.xlsx"):
        obtained(tmp_path, "b.xlsx")


def test_identifiers_shortened_to_powers_are_refused_where_digits_are_lost(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("id,year,sector,sales\n7.6123456E+07,2001,a,1.2E+17\n")
    assert obtained(tmp_path, "f.csv")["id"].tolist() == ["7.6123456E+07"]
    path.write_text('id,year,sector,sales\n7,2001,a,1\n"1,23457E+11",2001,a,1\n')
    with pytest.raises(DataError, match=r"column id: a code is shortened .* row 3 of f\.csv"):
        obtained(tmp_path, "f.csv")


def test_the_register_is_held_to_the_same(tmp_path):
    (tmp_path / "f.csv").write_text("id,year,sector,sales\n7,2001,a,1\n")
    (tmp_path / "r.csv").write_text("firm,start\n1.23457E+11,2001\n")
    section = data(
        {"panel": "f.csv", "register_file": "r.csv"},
        columns=COLUMNS,
        register_columns={"firm_id": "firm", "entry_year": "start"},
    )
    with pytest.raises(DataError, match=r"column firm: .* row 2 of r\.csv"):
        obtain_tables(section, tmp_path)


def test_tables_of_rules_are_held_to_the_same(tmp_path):
    (tmp_path / "links.csv").write_text("old_id,new_id\n1,1.23457E+11\n")
    section = CleanSection.model_validate(
        {
            "duplicates": {"identical": "refuse", "conflicting": "refuse"},
            "links": {"file": "links.csv", "add_up": None, "split": "refuse"},
        }
    )
    with pytest.raises(DataError, match=r"column new_id: .* row 2 of links\.csv"):
        read_rules_tables(section, tmp_path)
