"""Gaps of a delivery as readers meet them: sentences, cautions, what disclosure leaves of them."""

import dataclasses
from functools import cache

import pandas as pd
import pytest
from results import study_results

from pipeline.datasets import panel as tables
from pipeline.datasets.panel import ISSUES, PROFILE
from pipeline.datasets.store import conform
from pipeline.exhibits.checks.cautions import study_cautions
from pipeline.exhibits.words.caution_words import cautions_said, short_clauses
from pipeline.exhibits.words.language import speaking
from pipeline.exhibits.words.steps import issue_words
from pipeline.publishing.disclosure.issues import hide_issues

YEARS = [
    tables.EMPTY_YEAR,
    tables.HALF_YEAR,
    tables.FEW_FIRMS,
    tables.FEW_TREATED,
    tables.FEW_COMPARISON,
    tables.FEW_IN_FILE,
]
GROUPS = [tables.NO_VALUE_OF_TREATED, tables.NO_VALUE_OF_COMPARISON]
OTHERS = [tables.GONE_ONE_YEAR, tables.CLUSTER_CHANGES, tables.ZERO_ROWS, tables.FLAGGED_ABSENT]
OTHERS += [tables.ZERO_BEFORE, tables.ZERO_IN_PART]
CODES = [*YEARS, tables.NO_VALUE_IN_YEAR, *GROUPS, *OTHERS]


made_up = cache(study_results)


def issues_of(*rows):
    """Return ISSUES of rows: rule, column, count, firms, action."""
    fields = '{"year": 2009, "columns": "sales, jobs", "column": "state", "values": "closed"}'
    found = [
        {
            "issue": place,
            "rule": rule,
            "rule_fields": fields,
            "column": column,
            "count": count,
            "firms": firms,
            "first_year": 2009,
            "last_year": 2009,
            "action": action,
            "action_fields": None,
        }
        for place, (rule, column, count, firms, action) in enumerate(rows, 1)
    ]
    return conform(ISSUES, pd.DataFrame(found))


def with_issues(*rows):
    return dataclasses.replace(made_up(), issues=issues_of(*rows))


def coverage_of(results):
    with results.speaking():
        found = [c for c in study_cautions(results) if c.code == "coverage"]
        said = [one.sentence for one in cautions_said(results, found)]
        return [(c.severity, one) for c, one in zip(found, said, strict=True)]


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_every_gap_has_a_sentence_in_every_language(language):
    exhibit = made_up().settings.exhibit.model_copy(update={"language": language})
    issues = issues_of(*((code, "year", 30, 30, "accepted") for code in CODES))
    with speaking(exhibit):
        said = [issue_words(row)[0] for _, row in issues.iterrows()]
    assert len(set(said)) == len(CODES)
    names_year = [code in [*YEARS, tables.NO_VALUE_IN_YEAR] for code in CODES]
    assert ["2009" in rule for rule in said] == names_year


def test_a_study_without_gaps_has_no_word_of_them():
    assert coverage_of(made_up()) == []


@pytest.mark.parametrize("code", YEARS)
def test_a_thin_year_is_a_caution(code):
    ((severity, sentence),) = coverage_of(with_issues((code, "year", 30, 30, "not_filled")))
    assert severity == "matters"
    assert "2009" in sentence and sentence.startswith("The data as delivered have gaps: ")


def test_a_column_is_a_caution_where_it_is_used_and_is_called_by_its_label():
    gap = (tables.NO_VALUE_IN_YEAR, "sales", 30, None)
    assert coverage_of(with_issues((*gap, "kept_missing"))) == []
    ((severity, sentence),) = coverage_of(with_issues((*gap, "accepted")))
    assert severity == "matters"
    assert ": nobody has a value in 2009. " in sentence


def n_firms():
    return int(made_up().sample_flow["firms"].iloc[-1])


@pytest.mark.parametrize("code", [tables.GONE_ONE_YEAR, tables.CLUSTER_CHANGES])
@pytest.mark.parametrize(("share", "severity"), [(0.04, "passed"), (0.06, "matters")])
def test_firms_that_go_and_move_matter_where_they_are_many(code, share, severity):
    firms = round(share * n_firms())
    ((found, sentence),) = coverage_of(with_issues((code, "year", 2 * firms, firms, "kept")))
    assert found == severity
    assert f"({firms:,} " in sentence


def test_rows_of_zeros_are_told_with_their_number_unless_they_are_settled():
    rule = (tables.ZERO_ROWS, "year", 30, 12)
    ((severity, sentence),) = coverage_of(with_issues((*rule, "kept")))
    assert severity == "passed"
    assert "zero in all of sales, jobs, of firms that had more before (30 rows)" in sentence
    assert coverage_of(with_issues((*rule, "left_out"))) == []


def test_a_caution_on_gaps_follows_but():
    results = with_issues((tables.HALF_YEAR, "year", 30, 30, "accepted"))
    with results.speaking():
        (caution,) = [c for c in study_cautions(results) if c.code == "coverage"]
        assert short_clauses(results, [caution]) == "the data as delivered have gaps"


def test_few_firms_of_a_gap_are_hidden_and_the_year_stays_in_its_rule():
    hidden = hide_issues(issues_of((tables.HALF_YEAR, "year", 3, 3, "accepted")), None, 5)
    assert hidden[["count", "firms", "first_year"]].isna().all(axis=None)
    results = dataclasses.replace(made_up(), issues=hidden)
    ((_, sentence),) = coverage_of(results)
    assert "2009 has fewer than half" in sentence


@pytest.mark.parametrize(("longer", "shown"), [(0, True), (4, False), (5, True)])
def test_firms_gone_for_one_year_do_not_tell_of_few_gone_for_longer(longer, shown):
    issues = issues_of(
        (tables.YEARS_NOT_OBSERVED, "year", 20 + longer, 20 + longer, "not_filled"),
        (tables.GONE_ONE_YEAR, "year", 20, 20, "not_filled"),
    )
    hidden = hide_issues(issues, None, 5)["count"].isna().tolist()
    assert hidden == [False, not shown]
    assert hide_issues(issues, None, 1)["count"].notna().all()


def profile_of(*cells):
    """Return PROFILE rows of `sales`: scope, year, treated, rows."""
    rows = [
        {"column": "sales", "scope": s, "first_year": y, "last_year": y, "treated": t, "n_rows": n}
        for s, y, t, n in cells
    ]
    frame = pd.DataFrame(rows).reindex(columns=list(PROFILE.columns))
    return frame.astype({"n_rows": "Int64"})


@pytest.mark.parametrize(("treated_rows", "shown"), [(40, True), (None, False)])
def test_all_rows_of_a_year_are_not_told_where_the_profile_hides_those_of_a_group(
    treated_rows, shown
):
    profile = profile_of(("year", 2009, True, treated_rows), ("year", 2009, False, 60))
    issues = issues_of((tables.NO_VALUE_IN_YEAR, "sales", 100, None, "accepted"))
    found = hide_issues(issues, profile, 5)
    assert found["count"].notna().tolist() == [shown]
    assert found["first_year"].tolist() == [2009]


@pytest.mark.parametrize(("treated_rows", "shown"), [(40, True), (None, False)])
def test_rows_of_a_group_are_not_told_where_the_profile_hides_them(treated_rows, shown):
    profile = profile_of(
        ("all_years", 2005, True, treated_rows), ("year", 2009, True, 9), ("year", 2009, False, 9)
    )
    issues = issues_of((tables.NO_VALUE_OF_TREATED, "sales", 40, None, "accepted"))
    assert hide_issues(issues, profile, 5)["count"].notna().tolist() == [shown]
