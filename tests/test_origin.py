"""Messages name the file and the row that whoever delivered the data sees."""

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import DataError
from pipeline.panel.clean import clean_panel
from pipeline.panel.obtained import read_obtained, read_origins, write_obtained
from pipeline.panel.origin import file_origin, located, stacked
from pipeline.panel.rules.prices import convert_prices
from pipeline.panel.sources import obtain_tables
from pipeline.panel.values import refuse_rows
from pipeline.params.clean import CleanSection, Price
from pipeline.params.data import DataSection
from pipeline.params.treatment import TreatmentSection

CLEAN = {"duplicates": {"identical": "refuse", "conflicting": "refuse"}}
TREATMENT = {
    "entry": {"source": "register", "programme": None, "other_programmes": "keep"},
    "anticipation_years": 0,
    "comparison": "never_treated",
    "window": {"first_event_time": -1, "last_event_time": 1},
}


def data(source, columns=("sales",)):
    return DataSection.model_validate(
        {
            "source": {"kind": "files", "register_file": "r.csv", **source},
            "firm_id": "id",
            "year": "year",
            "cluster": ["firm_id"],
            "register_columns": {"firm_id": "id", "entry_year": "entry"},
            "columns": {
                name: {"kind": "number", "column": name, "unit": "US$", "label": name, "minimum": 0}
                for name in columns
            },
        }
    )


def fault(folder, source):
    """Obtain, write, read back and clean as the stages do; return the error."""
    (folder / "r.csv").exists() or (folder / "r.csv").write_text("id,entry\n1,2002\n")
    section = data(source)
    with pytest.raises(DataError) as raised:
        write_obtained(obtain_tables(section, folder), folder / "obtained")
        clean_panel(
            read_obtained(folder / "obtained", "panel"),
            read_obtained(folder / "obtained", "register"),
            {},
            data=section,
            clean=CleanSection.model_validate(CLEAN),
            treatment=TreatmentSection.model_validate(TREATMENT),
            origins=read_origins(folder / "obtained"),
        )
    return raised.value


def test_yearly_files_are_named_with_rows_of_their_own(tmp_path):
    (tmp_path / "f_2001.csv").write_text("id,sales\n1,10\n2,ten\n3,x\n")
    (tmp_path / "f_2002.csv").write_text("id,sales\n1,-\n2,5\n3,7\n")
    error = fault(tmp_path, {"panel": "f_*.csv", "year_in_name": True})
    assert str(error) == (
        "column sales: a value is no number: 3 rows; correct or empty it, or list it in "
        "clean.missing_codes; see row 3, 4 of f_2001.csv, row 2 of f_2002.csv"
    )
    assert error.problems[["file", "row"]].to_numpy().tolist() == [
        ["f_2001.csv", 3],
        ["f_2001.csv", 4],
        ["f_2002.csv", 2],
    ]


def test_a_wide_file_counts_its_own_rows(tmp_path):
    (tmp_path / "f.csv").write_text("id,s1,s2\n1,10,11\n2,5,-6\n")
    wide = {"columns": {"sales": {2001: "s1", 2002: "s2"}}}
    error = fault(tmp_path, {"panel": "f.csv", "wide": wide})
    assert "below its minimum 0: 1 rows" in str(error)
    assert str(error).endswith("row 3 of f.csv")


def test_blank_rows_of_a_sheet_are_counted(tmp_path):
    rows = [["id", "year", "sales"], [1, 2001, 5], [None] * 3, [2, 2001, -5]]
    pd.DataFrame(rows).to_excel(tmp_path / "f.xlsx", index=False, header=False)
    assert str(fault(tmp_path, {"panel": "f.xlsx"})).endswith("row 4 of f.xlsx")


def test_observations_of_a_stata_file_have_no_header(tmp_path):
    pd.DataFrame({"id": [1, 2], "year": 2001, "sales": [1.0, -1.0]}).to_stata(tmp_path / "f.dta")
    assert str(fault(tmp_path, {"panel": "f.dta"})).endswith("row 2 of f.dta")


def test_the_register_and_rules_tables_keep_their_own_rows(tmp_path):
    (tmp_path / "f.csv").write_text("id,year,sales\n1,2001,5\n2,2001,6\n1,2002,5\n2,2002,6\n")
    (tmp_path / "r.csv").write_text("id,entry\n1,2002\n2,soon\n")
    assert str(fault(tmp_path, {"panel": "f.csv"})).endswith("correct row 3 of r.csv")
    series = pd.DataFrame({"year": ["2001", "2001"], "value": ["1", "1"]})
    rule = Price(columns=["sales"], file="cpi.csv", kind="index", base_year=2001)
    panel = pd.DataFrame({"year": pd.array([2001], dtype="Int64"), "sales": [1.0]})
    with (
        pytest.raises(DataError, match=r"cpi.csv: a year is there twice: 1 rows; .* row 3$"),
        located(file_origin("panel.csv", pd.RangeIndex(9), 2)),
    ):
        convert_prices(panel, series, rule)


def test_positions_become_files_and_rows_whatever_the_gaps():
    one = file_origin("a.csv", pd.Index([0, 1, 4, 5, 9]), 3)
    two = file_origin("b.csv", pd.RangeIndex(3), 2)
    faulty = pd.Series(True, index=range(8))
    with pytest.raises(DataError) as raised, located(stacked([one, two])):
        refuse_rows(faulty, "rule", "see")
    places = raised.value.problems
    assert places["row"].tolist() == [3, 4, 7, 8, 12, 2, 3, 4]
    assert places["file"].tolist() == ["a.csv"] * 5 + ["b.csv"] * 3
    assert str(raised.value) == "rule: 8 rows; see row 3, 4, 7, 8, 12 of a.csv and 3 more"
    assert np.array_equal(places["row"], places["row"].astype(int))
