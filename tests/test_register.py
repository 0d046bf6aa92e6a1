"""The participation register: which rows are an entry, into what, from which year on."""

import pandas as pd
import pytest
from text_tables import table

from pipeline.entry import Cohorts, cohorts_from_group, cohorts_from_register
from pipeline.errors import DataError
from pipeline.params.clean import Identifier
from pipeline.params.data import RegisterColumns
from pipeline.params.treatment import GroupEntry, RegisterEntry
from pipeline.register import read_entries

REGISTER = table("""
id prog  entry approved   paid       left decision
1  cdp   2003  2003-02-10 2004-11-30 -    yes
1  other 2002  2002-05-01 2002-06-01 -    yes
2  cdp   2003  2003-10-01 2004-03-01 2005 yes
3  cdp   2004  2004-01-15 2004-02-01 -    no
4  other 2003  2003-03-01 2003-04-01 -    yes
""", id="str")  # fmt: skip

PANEL = pd.DataFrame(
    {"firm_id": list("11223344"), "year": pd.array([2002, 2003] * 4, dtype="Int64")}
)

COLUMNS = {
    "firm_id": "id",
    "entry_year": "entry",
    "programme": "prog",
    "dates": {"approval": "approved", "disbursement": "paid"},
}


def cohorts(columns=None, **entry) -> Cohorts:
    settings = {"source": "register", "programme": "cdp", "other_programmes": "keep"} | entry
    declared = RegisterEntry.model_validate(settings)
    named = RegisterColumns.model_validate(COLUMNS | (columns or {}))
    entries = read_entries(REGISTER, named, declared, Identifier(), None)
    return cohorts_from_register(PANEL, entries, declared)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, {"1": 2003, "2": 2003, "3": 2004}),
        ({"programme": None}, {"1": 2002, "2": 2003, "3": 2004, "4": 2003}),
        ({"dated_by": "approval"}, {"1": 2003, "2": 2003, "3": 2004}),
        ({"dated_by": "disbursement"}, {"1": 2004, "2": 2004, "3": 2004}),
        ({"dated_by": "approval", "late_entry_month": 10}, {"1": 2003, "2": 2004, "3": 2004}),
        ({"dated_by": "disbursement", "late_entry_month": 3}, {"1": 2005, "2": 2005, "3": 2004}),
    ],
)
def test_entry_is_dated_as_declared(entry, expected):
    assert cohorts(**entry).entry_year.to_dict() == expected


def test_a_partial_first_year_needs_dates():
    with pytest.raises(DataError, match="not written as 2009-10-31: 5 rows"):
        cohorts(late_entry_month=7)


@pytest.mark.parametrize(
    ("rule", "steps"),
    [
        ("keep", {}),
        ("covariate", {}),
        ("exclude", {"Not in another programme only": ["4"]}),
        ("exclude_all", {"Not in another programme": ["1", "4"]}),
    ],
)
def test_other_programmes_exclude_whom_params_say(rule, steps):
    found = cohorts(other_programmes=rule).excluded
    assert {step: sorted(firms) for step, firms in found.items()} == steps


def test_another_programme_as_covariate_counts_from_its_entry_on():
    flag = cohorts(other_programmes="covariate").derived["other_programme"]
    assert flag.tolist() == [1, 1, 0, 0, 0, 0, 0, 1]


def test_applicants_who_were_refused_are_kept_and_not_treated():
    found = cohorts({"decision": "decision"}, accepted=["yes"])
    assert found.entry_year.to_dict() == {"1": 2003, "2": 2003}
    assert found.derived["applicant"].tolist() == [1, 1, 1, 1, 1, 1, 0, 0]
    assert [(i.rule, i.count) for i in found.issues] == [("applicant not accepted", 1)]
    with pytest.raises(DataError, match=r"no decision .* among .*accepted; it has no, yes"):
        cohorts({"decision": "decision"}, accepted=["approved"])


def test_a_firm_that_leaves_is_refused_or_stays_treated():
    with pytest.raises(DataError, match=r"a firm leaves the programme; .*: 1 rows; .* row 4"):
        cohorts({"exit_year": "left"})
    stays = cohorts({"exit_year": "left"}, switches_off="absorbing")
    assert [(i.rule, i.count, i.years) for i in stays.issues] == [
        ("firm leaves the programme", 1, "2005")
    ]


def test_an_exit_before_entry_is_an_error():
    with pytest.raises(DataError, match="an exit lies before entry: 2 rows"):
        cohorts({"exit_year": "entry"}, dated_by="disbursement", switches_off="absorbing")


GROUPS = pd.DataFrame(
    {"firm_id": list("aabb"), "year": [1, 2, 1, 2], "state": ["NJ", "NJ", "PA", "PA"]}
)
ADOPTION = GroupEntry(source="group", column="state", treated="NJ", entry_year=2)


def test_a_group_enters_in_its_declared_year():
    assert cohorts_from_group(GROUPS, ADOPTION).to_dict() == {"a": 2}


@pytest.mark.parametrize("state", [["NJ", "PA", "PA", "PA"], [None, None, "PA", "PA"]])
def test_a_firm_in_several_groups_or_none_is_an_error(state):
    with pytest.raises(DataError, match="1 firms are in no group of state, or in several"):
        cohorts_from_group(GROUPS.assign(state=state), ADOPTION)
