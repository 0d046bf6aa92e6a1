"""Cleaning: one text table in, one text table out, for each rule."""

import pandas as pd
import pytest
from text_tables import table

from pipeline.datasets.panel import ISSUES, NOT_FOUND
from pipeline.datasets.store import conform
from pipeline.errors import DataError
from pipeline.panel.clean import clean_panel
from pipeline.panel.notices import notices
from pipeline.panel.numbers import numeric
from pipeline.panel.rules.registry import RULES, setting_of_step
from pipeline.panel.values import text
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection, NumberColumn
from pipeline.params.treatment import TreatmentSection

DATA = {
    "source": {"kind": "files", "panel": "panel.csv"},
    "firm_id": "id",
    "year": "yr",
    "cluster": ["town", "sector"],
    "columns": {
        "sales": {
            "kind": "number",
            "column": "sales",
            "unit": "US$",
            "label": "Sales",
            "minimum": 0,
        },
        "support": {"kind": "number", "column": "support", "unit": "share", "label": "Support"},
        "town": {"kind": "text", "column": "town", "label": "Town"},
        "sector": {"kind": "text", "column": "sector", "label": "Sector"},
    },
}
CLEAN = {"duplicates": {"identical": "refuse", "conflicting": "refuse"}}
REGISTER = {"register_columns": {"firm_id": "firm", "entry_year": "entry", "programme": "prog"}}
INDICATOR = {"source": "indicator", "column": "support", "switches_off": "refuse"}


def treatment(entry, why_unfound=None):
    return TreatmentSection.model_validate(
        {
            "entry": entry,
            "anticipation_years": 0,
            "comparison": "never_treated",
            "window": {"first_event_time": -1, "last_event_time": 1},
            "unfound": why_unfound,
        }
    )


def clean(raw, register=None, entry=INDICATOR, rules=CLEAN, leave_out=(), *, why=None, **changes):
    return clean_panel(
        raw,
        register,
        {},
        data=DataSection.model_validate(DATA | changes),
        clean=CleanSection.model_validate(rules),
        treatment=treatment(entry, why).model_copy(
            update={"leave_out_entry_years": list(leave_out)}
        ),
    )


RAW = table("""
id  yr   sales support town sector
01  2001 10    0       A    x
01  2002 12    1       A    x
01  2003 13    1       A    x
02  2001 20    0       B    x
02  2002 -     0       B    x
02  2003 22    0       B    x
""", id="str")  # fmt: skip


def test_an_indicator_becomes_the_first_treated_year():
    panel = clean(RAW).panel
    assert panel["firm_id"].tolist() == ["01"] * 3 + ["02"] * 3
    assert panel["cohort"].tolist()[:3] == [2002] * 3
    assert panel["cohort"].isna().tolist() == [False] * 3 + [True] * 3
    assert panel["cluster"].tolist()[0] == "A x x"


def test_missing_values_stay_missing_and_are_counted():
    cleaned = clean(RAW)
    assert cleaned.panel["sales"].isna().sum() == 1
    (row,) = cleaned.issues.dropna(axis="columns").to_dict("records")
    assert row == {
        "issue": 1,
        "rule": "missing_value",
        "column": "sales",
        "count": 1,
        "firms": 1,
        "first_year": 2002,
        "last_year": 2002,
        "action": "kept_missing",
    }


def test_inputs_are_not_changed():
    before = RAW.copy()
    clean(RAW)
    pd.testing.assert_frame_equal(RAW, before)


def test_an_indicator_that_switches_off_is_refused_or_declared_absorbing():
    raw = RAW.assign(support=[0, 1, 0, 0, 0, 0])
    with pytest.raises(DataError, match=r"returns to 0 after entry; .*: 1 rows; .* see row 4"):
        clean(raw)
    cleaned = clean(raw, entry=INDICATOR | {"switches_off": "absorbing"})
    assert cleaned.panel["cohort"].tolist()[:3] == [2002] * 3
    found = cleaned.issues.set_index("rule").loc["switched_off"]
    counted = found[["column", "count", "firms", "first_year", "last_year", "action"]].tolist()
    assert counted == ["support", 1, 1, 2003, 2003, "treated_from_entry_on"]


def test_an_indicator_that_stays_on_is_no_issue():
    for declared in ("refuse", "absorbing"):
        cleaned = clean(RAW, entry=INDICATOR | {"switches_off": declared})
        assert "switched_off" not in set(cleaned.issues["rule"])


def test_firms_treated_from_the_first_year_are_excluded_and_counted():
    extra = table("""
id  yr   sales support town sector
03  2001 1     1       C    x
03  2002 1     1       C    x
""", id="str")  # fmt: skip
    cleaned = clean(pd.concat([RAW, extra], ignore_index=True))
    assert "03" not in set(cleaned.panel["firm_id"])
    assert cleaned.sample_flow[["firms_lost", "firm_years_lost", "firms"]].to_numpy().tolist() == [
        [0, 0, 3],
        [1, 2, 2],
    ]


def faulty(column, values):
    return RAW.astype({column: object}).assign(**{column: values})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (pd.concat([RAW, RAW.iloc[[0]]]), "identical rows in a year: 2 rows; .* row 2, 8"),
        (
            pd.concat([RAW, RAW.iloc[[0]].assign(sales=9)]),
            "more than one row in a year: 2 rows; .* row 2, 8",
        ),
        (faulty("sales", [10, "n.a.", 13, 20, None, 22]), "column sales: a value is no number: 1"),
        (faulty("sales", [10, -1, 13, 20, None, 22]), "sales: a value is below its minimum 0: 1"),
        (faulty("sales", [10, float("inf"), 13, 20, 2, 22]), "sales: a value is no number: 1"),
        (faulty("yr", [2001, "x", 2003, 2001, 2002, 2003]), "column yr: a year is missing, no"),
        (faulty("yr", [2001, 99999, 2003, 2001, 2002, 2003]), "or implausible: 1 rows"),
        (faulty("id", [None, "01", "01", "02", "02", "02"]), "column id: a firm identifier is"),
        (
            faulty("town", ["A", None, "A", "B", "B", " "]),
            r"assignment cluster \(town x sector\): 2",
        ),
        (faulty("town", ["A", "=A1", "A", "B", "B", "B"]), "town: a value is a formula: 1 rows"),
        (faulty("town", ["A", "#N/A", "#¡REF!", "B", "B", "B"]), "town: a value is an error .*: 2"),
        (
            faulty("id", ["#VALUE!", "01", "01", "02", "02", "02"]),
            "column id: a firm identifier is",
        ),
        (faulty("yr", ["03/01/01", 2002, 2003, 2001, 2002, 2003]), "yr: a year is written as a"),
        (
            RAW.assign(sales=pd.Timestamp("2001-05-01")),
            "column sales: a value is a date: 6 rows; declare unit: year",
        ),
        (faulty("town", ["A", "@A1", "+cmd|x!A0", "B", "B", "B"]), "is a formula: 2 rows"),
        (RAW.assign(support=0), "no firm enters the programme"),
        (
            faulty("support", [0, 2, 1, 0, 0, 0]),
            "support is neither 0 nor 1: 1 rows; .* row 3",
        ),
    ],
)
def test_each_fault_stops_with_its_rule_count_and_rows(raw, message):
    with pytest.raises(DataError, match=message):
        clean(raw)


def test_an_error_names_no_firm_but_carries_the_rows_for_the_private_file():
    with pytest.raises(DataError) as raised:
        clean(pd.concat([RAW, RAW.iloc[[0]]]))
    assert "01" not in str(raised.value).replace("2001", "")
    assert raised.value.problems["firm_id"].tolist() == ["01", "01"]


def test_a_register_gives_the_first_entry_under_the_evaluated_programme():
    register = table("""
firm prog  entry
01   cdp   2003
01   cdp   2002
02   other 2002
99   cdp   2002
""", firm="str")  # fmt: skip
    entry = {"source": "register", "programme": "cdp", "other_programmes": "keep"}
    cleaned = clean(RAW, register, entry, why="closed", **REGISTER)
    assert cleaned.panel.groupby("firm_id")["cohort"].first()["01"] == 2002
    unknown = cleaned.issues[cleaned.issues["rule"] == "not_in_panel"]
    assert unknown["count"].tolist() == [1]
    conform(NOT_FOUND, cleaned.not_found)
    assert cleaned.not_found.to_numpy().tolist() == [["99", 2002]]
    assert unknown["action"].tolist() == ["not_evaluated"]

    third = RAW[RAW["id"] == "02"].assign(id="03", support=0)
    raw = pd.concat([RAW, third], ignore_index=True)
    excluded = clean(
        raw, register, entry | {"other_programmes": "exclude"}, why="closed", **REGISTER
    )
    assert set(excluded.panel["firm_id"]) == {"01", "03"}
    assert excluded.sample_flow["firms_lost"].tolist() == [0, 0, 1]


def test_several_programmes_without_an_evaluated_one_are_counted():
    register = table("firm prog entry\n01 cdp 2003\n01 other 2002", firm="str")
    entry = {"source": "register", "programme": None, "other_programmes": "keep"}
    issues = clean(RAW, register, entry, **REGISTER).issues.set_index("rule")
    assert issues.loc["several_programmes", "count"] == 2


def test_an_entry_after_an_unobserved_year_is_counted():
    gap = RAW.drop(index=1).reset_index(drop=True)
    issues = clean(gap).issues.set_index("rule")
    assert issues.loc["year_before_entry_not_observed", "count"] == 1
    gaps = issues.loc["years_not_observed"]
    assert gaps[["count", "firms"]].tolist() == [1, 1]
    assert gaps[["first_year", "last_year", "action"]].tolist() == [2001, 2003, "not_filled"]


def test_everybody_treated_leaves_nobody_to_compare_with():
    raw = RAW.assign(support=[0, 1, 1, 0, 1, 1])
    with pytest.raises(DataError, match="every firm enters the programme"):
        clean(raw)


@pytest.mark.parametrize(
    ("rows", "support", "message"),
    [
        (
            [0, 1, 2, 3, 4],
            [0, 1, 1, 0, 0],
            "no firm outside the programme is left: .*balanced took 1",
        ),
        ([0, 1, 3, 4, 5], [0, 1, 0, 0, 0], "no firm that enters the programme is left: .*balanced"),
        ([0, 1, 2, 3, 4, 5], [1, 1, 1, 0, 0, 0], "is left: entry by the panel's first year took 1"),
    ],
)
def test_a_group_that_rules_empty_is_told_with_the_rule(rows, support, message):
    raw = RAW.loc[rows].reset_index(drop=True).assign(support=support)
    with pytest.raises(DataError, match=message):
        clean(raw, rules=CLEAN | {"window": {"balanced": True}})


def test_every_step_of_cleaning_names_what_asks_for_it():
    for step in (step for rule in RULES.values() for step in rule.steps):
        assert setting_of_step(step)


def test_neighbours_of_firms_left_out_are_still_beside_participants():
    extra = table("id yr sales support town sector\n03 2001 1 1 B x\n03 2002 1 1 B x", id="str")
    panel = clean(pd.concat([RAW, extra], ignore_index=True)).panel
    assert set(panel["firm_id"]) == {"01", "02"}
    assert (panel.loc[panel["firm_id"] == "02", "cluster_entry"] == 2001).all()


def test_a_register_without_the_programme_lists_those_it_has():
    register = table("firm prog entry\n01 cdp 2002", firm="str")
    entry = {"source": "register", "programme": "cpd", "other_programmes": "keep"}
    with pytest.raises(DataError, match=r"no row of programme cpd; it has 1 of fewer"):
        clean(RAW, register, entry, **REGISTER)
    many = pd.concat([register.assign(firm=str(i)) for i in range(10)], ignore_index=True)
    with pytest.raises(DataError, match=r"no row of programme cpd; it has cdp \(10 firms\)$"):
        clean(RAW, many, entry, **REGISTER)


@pytest.mark.parametrize(
    ("delivered", "expected"),
    [
        (["007", " 12 ", "13.0", ""], ["007", "12", "13", None]),
        ([410032.0, None], ["410032", None]),
        ([1.5, 2.0], ["1.5", "2"]),
        ([7, 8], ["7", "8"]),
    ],
)
def test_codes_are_kept_as_text(delivered, expected):
    found = text(pd.Series(delivered))
    assert [None if pd.isna(value) else value for value in found] == expected


def test_two_rules_of_one_kind_on_one_column_are_two_issues():
    factors = [{"column": "sales", "years": [year], "factor": 1000.0} for year in (2001, 2003)]
    issues = clean(RAW, rules=CLEAN | {"unit_factors": factors}).issues
    conform(ISSUES, issues)
    found = issues.loc[issues["rule"] == "unit_factor", ["rule_fields", "count"]]
    assert found.to_numpy().tolist() == [['{"factor": 1000.0}', 2]] * 2


def test_a_column_in_thousands_is_converted_before_sums_and_bounds_and_counted():
    columns = DATA["columns"] | {
        "sales": DATA["columns"]["sales"] | {"factor": 1000.0, "minimum": 10_000},
        "both": {"kind": "sum", "of": ["sales", "support"], "unit": "US$", "label": "Both"},
    }
    cleaned = clean(RAW, columns=columns)
    plain = clean(RAW)
    pd.testing.assert_series_equal(cleaned.panel["sales"], 1000 * plain.panel["sales"])
    expected = cleaned.panel["sales"] + cleaned.panel["support"]
    assert (cleaned.panel["both"].dropna() == expected.dropna()).all()
    (row,) = cleaned.issues[cleaned.issues["rule"] == "unit_factor"].to_dict("records")
    assert (row["column"], row["count"], row["firms"]) == ("sales", 5, 2)
    assert (row["rule_fields"], row["action"]) == ('{"factor": 1000.0}', "converted")
    columns["sales"] |= {"minimum": 10_001}
    with pytest.raises(DataError, match="1 rows"):
        clean(RAW, columns=columns)
    with pytest.raises(ValueError, match="unit: year has none"):
        clean(RAW, columns=columns | {"sales": columns["sales"] | {"unit": "year"}})


def test_entry_years_are_left_out_by_name_and_their_neighbours_stay_treated():
    late = RAW[RAW["id"] == "01"].assign(id="03", town="B", support=[0, 0, 1])
    cleaned = clean(pd.concat([RAW, late], ignore_index=True), leave_out=[2003])
    assert set(cleaned.panel["firm_id"]) == {"01", "02"}
    flow = cleaned.sample_flow.set_index("rule").loc["entry_years_left_out"]
    assert (flow["firms_lost"], flow["treated_firms_lost"]) == (1, 1)
    assert (cleaned.panel.loc[cleaned.panel["firm_id"] == "02", "cluster_entry"] == 2003).all()
    with pytest.raises(DataError, match="leave_out_entry_years: no firm enters in 1999"):
        clean(RAW, leave_out=[1999])


def test_values_that_are_equal_as_objects_are_texts_of_their_own():
    mixed = pd.Series([1, True, 1.0, "1.0 ", " ", None], dtype=object)
    found = text(mixed)
    assert found[:4].tolist() == ["1", "True", "1", "1"]
    assert found[4:].isna().all()


@pytest.mark.parametrize(
    "words", [("True", "False"), ("TRUE", "FALSE"), ("Sí", "No"), ("VERDADERO", "FALSO")]
)
def test_truth_values_are_one_and_zero_however_they_are_written(words):
    yes, no = words
    column = NumberColumn(kind="number", column="support", unit="share", label="Support")
    found = numeric(pd.Series([yes, no, None, f" {yes} "]), column)
    assert found.tolist()[:2] + found.tolist()[3:] == [1, 0, 1]
    assert found.isna().tolist() == [False, False, True, False]
    with pytest.raises(DataError, match="support: a value is no number: 3 rows"):
        numeric(pd.Series([yes, no, "perhaps"]), column)
    with pytest.raises(DataError, match="support: a value is no number: 1 rows"):
        numeric(pd.Series([yes, "1", "0"]), column)


@pytest.mark.parametrize(
    "given", [["2008-05-01", None], pd.to_datetime(["2008-05-01", None]), [2008.0, None]]
)
def test_a_number_that_is_a_year_may_be_a_date(given):
    column = NumberColumn(kind="number", column="entry", unit="year", label="Entry")
    found = numeric(pd.Series(given), column)
    assert (found[0], found.isna().tolist()) == (2008, [False, True])


def test_the_year_of_a_row_may_be_a_date():
    dated = RAW.assign(yr=[f"{year}-12-31" for year in RAW["yr"]])
    pd.testing.assert_frame_equal(clean(dated).panel, clean(RAW).panel)


SIZES = {
    "sales": {"kind": "number", "column": "sales", "unit": "US$", "label": "Sales"},
    "jobs": {"kind": "number", "column": "jobs", "unit": "jobs", "label": "Jobs"},
    **{name: DATA["columns"][name] for name in ("support", "town", "sector")},
}
CLOSING = """
id  yr   sales jobs support town sector
01  2001 10    3    0       A    x
01  2002 11    3    1       A    x
01  2003 0     0    1       A    x
01  2004 0     9    1       A    x
02  2001 0     0    0       B    x
02  2002 0     4    0       B    x
02  2003 0     0    0       B    x
02  2004 5     0    0       B    x
"""


def test_rows_of_zeros_after_more_are_counted_and_told():
    raw = table(CLOSING, id="str").replace({"jobs": {9: None}})  # one size alone tells nothing
    cleaned = clean(raw, columns=SIZES)
    row = cleaned.issues.set_index("rule").loc["zero_in_every_size"]
    assert row[["count", "firms", "first_year", "last_year"]].tolist() == [2, 2, 2003, 2003]
    assert row["rule_fields"] == '{"columns": "sales, jobs"}'
    later, before = notices(cleaned)
    assert later.startswith("2 rows have zero in every one of sales, jobs, of firms that had more")
    assert before.startswith("1 rows have zero in every one of sales, jobs, of firms that had noth")
    assert len(cleaned.panel) == 8


def test_a_year_that_nobody_has_is_named():
    cleaned = clean(RAW[RAW["yr"] != 2002].reset_index(drop=True))
    row = cleaned.issues.set_index("rule").loc["year_without_rows"]
    assert row[["count", "firms", "first_year", "last_year"]].tolist() == [2, 2, 2002, 2002]
    assert [notice[:31] for notice in notices(cleaned)] == ["no firm has a row of 2002: who "]
    assert "year_without_rows" not in set(clean(RAW).issues["rule"])
