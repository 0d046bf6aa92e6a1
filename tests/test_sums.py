"""Sums follow their parts through the rules of cleaning."""

import pandas as pd
import pytest
from test_cleaning import rows
from test_panel import CLEAN, DATA, INDICATOR, RAW, clean

from pipeline.panel.rules.sums import Sums, add_up_again
from pipeline.params.clean import CleanSection
from pipeline.params.clean_faults import clean_faults
from pipeline.params.data import DataSection

COLUMNS = DATA["columns"] | {
    "both": {"kind": "sum", "of": ["sales", "support"], "unit": "US$", "label": "Both"}
}
FACTOR = {"column": "sales", "years": [2001], "factor": 1000.0}


def cleaned(*factors, **more):
    rules = CLEAN | {"unit_factors": list(factors)} | more
    return clean(RAW, entry=INDICATOR, rules=rules, columns=COLUMNS)


def test_a_factor_of_a_part_reaches_its_sum_and_is_counted():
    found = cleaned(FACTOR)
    panel = found.panel.set_index(["firm_id", "year"])
    assert panel.loc[("01", 2001), "both"] == 10_000
    assert panel.loc[("01", 2002), "both"] == 13
    assert pd.isna(panel.loc[("02", 2002), "both"])
    again = found.issues[found.issues["rule"] == "sum_of_changed_parts"].iloc[0]
    assert (again["column"], again["count"], again["firms"]) == ("both", 2, 2)
    assert again["action_fields"] == '{"columns": "sales, support"}'
    assert "sum_of_changed_parts" not in set(cleaned().issues["rule"])


def test_a_part_limited_in_its_tails_reaches_its_sum_too():
    tails = {"columns": ["sales"], "method": "winsorise", "lower_percentile": None}
    tails |= {"upper_percentile": 60, "by": []}
    panel = cleaned(tails=[tails]).panel
    assert panel["sales"].max() < 22
    assert (panel["both"] == panel["sales"] + panel["support"])[panel["both"].notna()].all()


@pytest.mark.parametrize(
    ("rules", "behind"),
    [
        ([(("a",), True)], [["s"]]),  # of a part alone
        ([(("a", "b", "s"), True), (("b",), True)], [[], ["s"]]),  # prices of all, then a part
        ([(("s",), True), (("a",), True)], [[], []]),  # as the rule on the sum left it
        ([(("a", "b", "s"), False), (("a",), True)], [[], []]),
        ([(("c",), True)], [[]]),
    ],
)
def test_a_sum_that_a_rule_made_its_own_follows_no_more(rules, behind):
    sums = DataSection.model_validate(DATA | {"columns": COLUMNS}).sums
    kept = Sums({"s": sums["both"].model_copy(update={"of": ["a", "b"]})})
    assert [[*kept.after(writes, alike=alike)] for writes, alike in rules] == behind


def test_a_sum_that_does_not_change_is_no_issue():
    panel = rows("firm_id year cohort a b s\nx 1 - 1 2 3\nx 2 - - 2 -\n")
    assert add_up_again(panel, {"s": ["a", "b"]}).issues == ()


def test_a_sum_and_its_part_cannot_both_have_a_factor_in_a_year():
    data = DataSection.model_validate(DATA | {"columns": COLUMNS})

    def faults(*factors):
        section = CleanSection.model_validate(CLEAN | {"unit_factors": list(factors)})
        return list(clean_faults(section, data))

    assert faults(FACTOR, {**FACTOR, "column": "both", "years": [2002]}) == []
    (fault,) = faults(FACTOR, {**FACTOR, "column": "both", "years": [2001, 2002]})
    assert "both is a sum and follows its part sales, which has a factor in 2001" in fault
