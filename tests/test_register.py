"""The participation register: which rows are an entry, into what, from which year on."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_tables import table

from pipeline.errors import DataError
from pipeline.panel.entry import Cohorts, cohorts_from_group, cohorts_from_register
from pipeline.panel.register import read_entries
from pipeline.params.clean import CleanSection
from pipeline.params.data import RegisterColumns
from pipeline.params.treatment import GroupEntry, RegisterEntry

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


def clean(values=None):
    duplicates = {"identical": "refuse", "conflicting": "refuse"}
    return CleanSection.model_validate({"duplicates": duplicates, "register_values": values or {}})


def entries(columns=None, register=REGISTER, values=None, **entry):
    declared = asked(entry)
    named = RegisterColumns.model_validate(COLUMNS | (columns or {}))
    return read_entries(register, named, declared, clean(values), None, panel_years=(2002, 2003))


def asked(entry):
    settings = {"source": "register", "programme": "cdp", "other_programmes": "keep"} | entry
    return RegisterEntry.model_validate(settings)


def cohorts(columns=None, register=REGISTER, values=None, **entry) -> Cohorts:
    found = entries(columns, register, values, **entry)
    return cohorts_from_register(PANEL, found, asked(entry), clean(values))


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


@pytest.mark.parametrize("code", ["0", "9999", "1900"])
def test_a_code_of_who_never_entered_is_read_where_it_is_declared(code):
    rows = REGISTER.assign(entry=["2003", code, "2003", code, "2003"])
    with pytest.raises(
        DataError, match=r"entry \(register\) .*: 2 rows; .*entry\.never, or correct"
    ):
        cohorts(register=rows, programme=None)
    found = cohorts(register=rows, programme=None, never=[float(code)])
    assert found.entry_year.to_dict() == {"1": 2003, "2": 2003, "4": 2003}


@pytest.mark.parametrize("column", ["prog", "decision"])
def test_an_error_of_a_spreadsheet_is_no_programme_and_no_decision(column):
    rows = REGISTER.assign(**{column: ["cdp", "#N/A", "cdp", "#REF!", "cdp"]})
    message = rf"column {column} \(register\): .*spreadsheet.*: 2 rows; .* row 3, 5"
    with pytest.raises(DataError, match=message):
        cohorts({"decision": "decision"}, rows, accepted=["cdp"], other_programmes="exclude")


UNREADABLE = {"entry": "soon", "approved": "-", "decision": None, "left": "#REF!", "id": None}


@pytest.mark.parametrize("dated", [{}, {"dated_by": "approval", "late_entry_month": 10}])
@pytest.mark.parametrize(
    ("rule", "spoilt", "stops"),
    [
        ("keep", list(UNREADABLE), False),
        ("exclude", ["entry", "approved", "left"], False),
        ("exclude_all", ["entry", "approved", "left"], False),
        ("exclude", ["id"], True),
        ("exclude", ["decision"], True),
        ("covariate", ["entry", "approved"], True),
    ],
)
def test_of_other_programmes_only_what_matters_is_read(rule, spoilt, stops, dated):
    other = REGISTER["prog"] == "other"
    rows = REGISTER.assign(**{n: REGISTER[n].astype(object).mask(other, UNREADABLE[n])
                              for n in spoilt})  # fmt: skip
    rules = {"other_programmes": rule, "accepted": ["yes"]} | dated
    columns = {"decision": "decision"} | ({"amount": "left"} if "left" in spoilt else {})
    if stops:
        with pytest.raises(DataError, match=r"\(register\)"):
            cohorts(columns, rows, **rules)
        return
    clean_found = cohorts(columns, REGISTER, **rules)
    found = cohorts(columns, rows, **rules)
    assert found.entry_year.to_dict() == clean_found.entry_year.to_dict()
    listed = [{step: sorted(firms) for step, firms in f.excluded.items()}
              for f in (found, clean_found)]  # fmt: skip
    assert listed[0] == listed[1]


ROW = st.tuples(
    st.sampled_from(["cdp", "other"]),
    st.sampled_from(["yes", "no"]),
    st.sampled_from(["2003", "0"]),
)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(rows=st.lists(ROW, max_size=8), rule=st.sampled_from(["keep", "exclude", "exclude_all"]))
def test_whatever_other_programmes_have_in_the_place_of_dates_changes_nothing(rows, rule):
    """Counts of who did not enter add up to the rows of the evaluated programme."""
    every = [("cdp", "yes", "2003"), *rows]
    listed = pd.DataFrame(every, columns=["prog", "decision", "entry"]).astype(object)
    listed["id"] = [str(n) for n in range(len(listed))]
    own = listed["prog"] == "cdp"
    rules = {"other_programmes": rule, "accepted": ["yes"], "never": [0]}
    columns = {"decision": "decision", "dates": {}}
    plain = entries(columns, listed, **rules)
    # a code of who never entered is one of theirs too
    written = listed["entry"].mask(~own & (listed["entry"] != "0"), "s/d")
    spoilt = entries(columns, listed.assign(entry=written), **rules)
    assert spoilt.evaluated.to_dict() == plain.evaluated.to_dict()
    assert set(spoilt.other.index) == set(plain.other.index)
    counts = {issue.rule.code: issue.count for issue in spoilt.issues}
    refused = counts.get("applicant_not_accepted", 0)
    assert refused == (own & (listed["decision"] == "no")).sum()
    n_never = counts.get("coded_never_entered", 0)
    assert refused + n_never + len(spoilt.evaluated) == own.sum()


def test_firms_listed_as_never_entered_are_no_refused_applicants():
    rows = REGISTER.assign(entry=["2003", "2002", "nunca", "0", "2003"])
    found = cohorts(register=rows, never=["nunca", 0])
    assert [(i.rule.code, i.count) for i in found.issues] == [("coded_never_entered", 2)]
    refused = cohorts({"decision": "decision"}, rows, accepted=["yes"], never=["nunca", 0])
    assert {i.rule.code: i.count for i in refused.issues} == {
        "applicant_not_accepted": 1,
        "coded_never_entered": 1,
    }
    assert refused.derived["applicant"].sum() == 6


def test_a_word_for_never_is_a_code_too():
    rows = REGISTER.assign(entry=["2003", "2002", "2003", " nunca ", "2003"])
    assert "3" not in cohorts(register=rows, never=["nunca"]).entry_year
    with pytest.raises(DataError, match="a year is missing"):
        cohorts(register=rows)


@pytest.mark.parametrize(("late", "expected"), [(None, 2003), (10, 2004)])
def test_dates_are_read_in_the_declared_format(late, expected):
    register = REGISTER.assign(entry=["10/02/2003", "1/5/2002", "31/10/2003", "15/01/2004", ""])
    rows = register[register["prog"] == "cdp"]
    found = cohorts({"date_format": "%d/%m/%Y"}, rows, late_entry_month=late).entry_year
    assert found["2"] == expected
    with pytest.raises(DataError, match=r"a date is missing or not written as %m/%d/%Y: 2 rows"):
        cohorts({"date_format": "%m/%d/%Y"}, rows, late_entry_month=7)


def test_a_partial_first_year_needs_dates():
    with pytest.raises(DataError, match="not written as 2009-10-31: 3 rows"):
        cohorts(late_entry_month=7)


@pytest.mark.parametrize(
    ("rule", "steps"),
    [
        ("keep", {}),
        ("covariate", {}),
        ("exclude", {"not_in_another_programme_only": ["4"]}),
        ("exclude_all", {"not_in_another_programme": ["1", "4"]}),
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
    assert [(i.rule.code, i.count) for i in found.issues] == [("applicant_not_accepted", 1)]
    with pytest.raises(DataError, match=r"no decision .*accepted; it has 2 of fewer"):
        cohorts({"decision": "decision"}, accepted=["approved"])


def test_a_firm_that_leaves_is_refused_or_stays_treated():
    with pytest.raises(DataError, match=r"a firm leaves the programme; .*: 1 rows; .* row 4"):
        cohorts({"exit_year": "left"})
    stays = cohorts({"exit_year": "left"}, switches_off="absorbing")
    assert [(i.rule.code, i.count, i.first_year, i.last_year) for i in stays.issues] == [
        ("leaves_programme", 1, 2005, 2005)
    ]


def test_an_exit_before_entry_is_an_error():
    with pytest.raises(DataError, match="an exit lies before entry: 2 rows"):
        cohorts({"exit_year": "entry"}, dated_by="disbursement", switches_off="absorbing")


@pytest.mark.parametrize("left", ["dic 2012", "31.12", "2005.5"])
def test_an_exit_that_cannot_be_read_is_refused(left):
    rows = REGISTER.assign(left=["-", "-", left, "-", "-"]).replace("-", None)
    with pytest.raises(DataError, match=r"an exit is no year.*: 1 rows; .*date_format"):
        cohorts({"exit_year": "left"}, register=rows, switches_off="absorbing")


@pytest.mark.parametrize("written", ["CDP", " Cdp", "c dp", "cd\u0301p"])
def test_a_programme_or_decision_in_another_spelling_is_refused(written):
    rows = REGISTER.assign(prog=[written, *REGISTER["prog"][1:]])
    with pytest.raises(DataError, match=r"from treatment\.entry\.programme only .*: 1 rows"):
        cohorts(register=rows)
    rows = REGISTER.assign(decision=["Yes", *REGISTER["decision"][1:]])
    with pytest.raises(DataError, match=r"from treatment\.entry\.accepted only in case"):
        cohorts({"decision": "decision"}, register=rows, accepted=["yes"])
    found = cohorts({"decision": "decision"}, register=rows, accepted=["yes", "Yes"])
    assert found.entry_year.to_dict() == {"1": 2003, "2": 2003}


def test_a_row_without_programme_is_refused_where_one_is_evaluated():
    rows = REGISTER.assign(prog=[None, *REGISTER["prog"][1:]])
    with pytest.raises(DataError, match=r"prog \(register\): no programme: 1 rows"):
        cohorts(register=rows)
    assert len(cohorts(register=rows, programme=None).entry_year) == 4


def test_a_date_may_stand_for_never():
    rows = REGISTER.assign(entry=["2003", "1900-01-01", "2003", "1900-01-01", "2003"])
    found = cohorts(register=rows, programme=None, never=[1900.0])
    assert found.entry_year.to_dict() == {"1": 2003, "2": 2003, "4": 2003}


GROUPS = pd.DataFrame(
    {"firm_id": list("aabb"), "year": [1, 2, 1, 2], "state": ["NJ", "NJ", "PA", "PA"]}
)
ADOPTION = GroupEntry(source="group", column="state", treated="NJ", entry_year=2)


def test_a_group_in_another_spelling_is_refused():
    with pytest.raises(DataError, match=r"from treatment\.entry\.treated only in case"):
        cohorts_from_group(GROUPS.replace("NJ", "nj"), ADOPTION)


def test_a_group_enters_in_its_declared_year():
    assert cohorts_from_group(GROUPS, ADOPTION).to_dict() == {"a": 2}


@pytest.mark.parametrize("state", [["NJ", "PA", "PA", "PA"], [None, None, "PA", "PA"]])
def test_a_firm_in_several_groups_or_none_is_an_error(state):
    with pytest.raises(DataError, match="a firm is in no group of state, or in several"):
        cohorts_from_group(GROUPS.assign(state=state), ADOPTION)


SUPPORT = table("""
id prog  entry kind      part     paid own applied rank fit decision
1  cdp   2004  finance   supplier 30   5   2003    2    yes yes
1  cdp   2003  technical supplier 20   -   2002    1    yes yes
1  other 2002  roads     sponsor  99   9   2001    1    yes yes
2  cdp   2003  finance   -        10   1   2002    3    yes yes
3  cdp   2004  finance   supplier 7    7   2003    9    no  no
""", id="str")  # fmt: skip
FIELDS = {
    "component": "kind",
    "role": "part",
    "register_cluster": "prog",
    "amount": "paid",
    "own_contribution": "own",
    "applied_year": "applied",
    "ranking": "rank",
    "eligible": "fit",
    "decision": "decision",
}


def fields(values, register=SUPPORT):
    """Return the PANEL columns of the register by firm, and what was counted."""
    columns = {"firm_id": "id", "entry_year": "entry", "programme": "prog", "dates": {}, **FIELDS}
    found = cohorts(columns, register, values, accepted=["yes"])
    by_firm = pd.DataFrame(found.derived).groupby(PANEL["firm_id"]).first()
    return by_firm, {(i.rule.code, i.column): i.count for i in found.issues}


@pytest.mark.parametrize(
    ("values", "component", "amount", "own", "ranking"),
    [
        ({"texts": "first", "numbers": "first"}, "technical", 20, 5, 1),
        ({"texts": "join", "numbers": "sum"}, "finance + technical", 50, 5, 3),
        ({"texts": "first", "numbers": "largest"}, "technical", 30, 5, 2),
    ],
)
def test_support_of_several_rows_follows_the_declared_rule(values, component, amount, own, ranking):
    found, counts = fields(values)
    assert found.loc["1", ["component", "role"]].tolist() == [component, "supplier"]
    numbers = found.loc["1", ["amount", "own_contribution", "ranking"]].tolist()
    assert numbers == [amount, own, ranking]
    assert counts[("several_values", "component")] == 1
    assert counts[("no_value", "role")] == 1
    assert found["register_cluster"].dropna().to_dict() == {"1": "cdp", "2": "cdp"}


def test_of_applicants_refused_only_the_application_is_known():
    found, _ = fields({"texts": "first", "numbers": "sum"})
    refused = found.loc["3"]
    assert refused[["applied_year", "ranking", "eligible", "decision"]].tolist() == [
        2003, 9, "no", "no"
    ]  # fmt: skip
    assert refused[["component", "role", "amount", "own_contribution"]].isna().all()
    assert found.loc["4"].drop("applicant").isna().all()
    assert [str(found[name].dtype) for name in ("role", "eligible", "amount")] == [
        "str", "str", "float64"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "several values of component for a firm: 2 rows; declare clean.register_values.texts"),
        ({"texts": "first"}, "several values of amount for a firm: 2 rows; .* row 2, 3"),
    ],
)
def test_several_values_are_refused_until_a_rule_is_declared(values, message):
    with pytest.raises(DataError, match=message):
        fields(values)


@pytest.mark.parametrize(("cell", "rule"), [("ten", "is no number"), ("-4", "is below zero")])
def test_an_amount_that_is_none_is_an_error(cell, rule):
    register = SUPPORT.astype({"paid": object})
    register.loc[3, "paid"] = cell
    with pytest.raises(DataError, match=rf"column paid \(register\): a value {rule}: 1 rows; .* 5"):
        fields({"texts": "first", "numbers": "sum"}, register)


@pytest.mark.parametrize(
    ("answers", "count"),
    [
        (["Aprobada", "-", "No  aprobada", "RECHAZADA", "-"], 2),
        (["não selecionado", "-", "Rejeté", "no elegible", "-"], 3),
        (["not awarded", "no adjudicado", "Denegada", "-", "Rechazado"], 2),
        (["aprobada", "notable", "norte", "no", None], 0),
    ],
)
def test_entries_that_an_unread_column_rejects_are_told(answers, count):
    rows = REGISTER.assign(estatus=answers)
    found = [i for i in entries(register=rows, accepted=None).issues if i.rule.fields]
    assert [(i.rule.code, i.rule.fields["column"], i.count) for i in found] == (
        [("rejection_not_read", "estatus", count)] if count else []
    )
    named = entries({"component": "estatus"}, rows, {"texts": "join"})
    assert not [i for i in named.issues if i.rule.code == "rejection_not_read"]


def test_remarks_and_refused_applicants_are_no_unread_rejections():
    many = pd.concat([REGISTER.assign(nota=f"rechazo {n}") for n in range(11)])
    assert not entries(register=many).issues
    rows = REGISTER.assign(estatus="rechazada")
    found = entries({"decision": "decision"}, rows, accepted=["yes"])
    assert {i.rule.code: i.count for i in found.issues} == {
        "applicant_not_accepted": 1, "rejection_not_read": 2,
    }  # fmt: skip
