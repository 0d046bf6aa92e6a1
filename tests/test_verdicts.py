"""How sure: every word by its rule, and every caution by its number."""

import dataclasses
from functools import cache

import pandas as pd
import pytest
from results import OUTCOMES, said, settings, study_results, with_figures

from pipeline.datasets.balance import BALANCE_SUMMARY
from pipeline.datasets.matches import MATCHED
from pipeline.datasets.samples import SAMPLES
from pipeline.datasets.specs import SPECS
from pipeline.errors import Reason
from pipeline.exhibits.checks.caution import Caution
from pipeline.exhibits.checks.cautions import cautions_on, study_cautions
from pipeline.exhibits.checks.outcome_checks import adjusted_p_value
from pipeline.exhibits.checks.verdicts import verdict
from pipeline.exhibits.headlines import headlines
from pipeline.exhibits.inputs import find_effect
from pipeline.exhibits.summary import summary
from pipeline.exhibits.words.caution_words import cautions_said
from pipeline.exhibits.words.verdicts import answer, sure_sentence

SALES = {"outcome": "sales_log", "design": "covariates_lags", "estimator": "stacked"}
SERIOUS = Caution("serious", "gap_before", {"p": 0.01}, "sales_log")
MATTERS = Caution("matters", "few_treated_clusters", {"n": 8}, "sales_log")
ELSEWHERE = Caution("serious", "gap_before", {"p": 0.01}, "employment_log")
PASSED = Caution("passed", "gap_before", {"p": 0.6}, "sales_log")


made_up = cache(study_results)


def with_interval(low, high, relevant=None, p_value=0.001):
    """Return the results with a headline interval of sales, in log points."""
    outcomes = {**OUTCOMES, "sales_log": {**OUTCOMES["sales_log"], "relevant": relevant}}
    results = dataclasses.replace(made_up(), settings=settings(outcomes))
    return changed(
        results, conf_low=low, conf_high=high, estimate=(low + high) / 2, p_value=p_value
    )


def changed(results, event_time=None, **figures):
    """Return the results with figures of sales' headline replaced: the average's, or a lead's."""
    table = results.estimates.copy()
    rows = (table[list(SALES)] == SALES).all(axis=1)
    of_time = (
        table["event_time"].isna() if event_time is None else table["event_time"].eq(event_time)
    )
    for name, value in figures.items():
        table.loc[rows & of_time.fillna(False), name] = value
    return dataclasses.replace(results, estimates=table)


@pytest.mark.parametrize(
    ("interval", "relevant", "cautions", "word", "direction"),
    [
        ((0.02, 0.12), None, [], "evidence", "rise"),
        ((-0.12, -0.02), None, [PASSED, ELSEWHERE], "evidence", "fall"),
        ((0.02, 0.12), None, [MATTERS], "some_evidence", "rise"),
        ((0.02, 0.12), None, [MATTERS, SERIOUS], "do_not_rely", "rise"),
        ((-0.02, 0.03), 5, [MATTERS], "no_sizeable_change", "rise"),
        ((-0.02, 0.03), 3, [], "cannot_tell", "rise"),
        ((-0.02, 0.03), None, [], "cannot_tell", "rise"),
        ((-0.03, 0.02), 5, [SERIOUS], "cannot_tell", "fall"),
    ],
)
def test_each_word_by_its_rule(interval, relevant, cautions, word, direction):
    found = verdict(with_interval(*interval, relevant), "sales_log", cautions)
    assert (found.word, found.direction) == (word, direction)
    weakening = {"some_evidence": [MATTERS], "do_not_rely": [SERIOUS]}
    serious = [c for c in cautions if c in (SERIOUS,)]
    assert list(found.against) == weakening.get(word, serious)


def test_an_effect_on_a_study_wide_caution_and_on_none():
    results = with_interval(0.02, 0.12)
    whole = Caution("matters", "support", {"lost": 90, "everyone": 100})
    assert verdict(results, "sales_log", [whole]).word == "some_evidence"
    assert verdict(results, "exports_value", []) is None


def test_p_values_of_the_family_decide_and_are_a_caution():
    results = with_interval(0.001, 0.12, p_value=0.03)
    tests = results.tests.copy()
    first = tests[(tests[list(SALES)] == SALES).all(axis=1)].iloc[[0]]
    for test, p_value in (("q_value", 0.04), ("romano_wolf", 0.06)):
        tests = pd.concat([tests, first.assign(test=test, p_value=p_value)])
    results = dataclasses.replace(results, tests=tests)
    effect = find_effect(results, "sales_log", "covariates_lags", "stacked")
    assert adjusted_p_value(results, "sales_log", effect) == 0.06
    assert verdict(results, "sales_log", []).word == "cannot_tell"
    (found,) = [c for c in study_cautions(results) if c.code == "several_outcomes" and c.weakens]
    assert (found.severity, found.outcome, dict(found.fields)) == (
        "matters",
        "sales_log",
        {"p": 0.06},
    )
    assert verdict(results, "sales_log", study_cautions(results)).word == "some_evidence"


def found_of(results, code, outcome="sales_log"):
    """Return severity and fields of a check on an outcome, or on the study."""
    found = [c for c in study_cautions(results) if c.code == code]
    own = [c for c in found if c.outcome in (outcome, None)]
    return (own[0].severity, dict(own[0].fields)) if own else None


def with_test(results, p_value, reason=None):
    tests = results.tests.copy()
    rows = (tests[list(SALES)] == SALES).all(axis=1)
    tests.loc[rows, "p_value"] = p_value
    for name, value in said(reason).items():
        tests.loc[rows, name] = value
    return dataclasses.replace(results, tests=tests)


def test_a_gap_before_entry_is_serious_and_none_found_has_passed():
    results = made_up()
    assert found_of(with_test(results, 0.01), "gap_before") == ("serious", {"p": 0.01})
    assert found_of(results, "gap_before") == ("passed", {"p": 0.412})


def test_without_a_joint_test_the_leads_are_looked_at():
    """Two leads with p 0.001 and 0.5: by Bonferroni 0.002; one that was matched on is none."""
    results = with_test(made_up(), float("nan"), Reason("no_covariance"))
    leads = changed(changed(results, -3, p_value=0.001), -2, p_value=0.5)
    assert found_of(leads, "gap_before") == ("serious", {"p": 0.001})
    place = {"design": "covariates_lags", "outcome": "sales_log", "estimator": "stacked"}
    unmatched = with_figures(leads, SPECS, place, matched_event_times="[]")
    assert found_of(unmatched, "gap_before") == ("serious", {"p": 0.002})


def test_effects_before_entry_that_are_absent_or_hidden_matter():
    results = with_test(made_up(), float("nan"), Reason("no_pre_year"))
    table = results.estimates
    early = table["event_time"].isin([-3, -2]).fillna(False)
    absent = dataclasses.replace(results, estimates=table[~early])
    assert found_of(absent, "no_look_before") == ("matters", {})
    hidden = table.copy()
    hidden.loc[early, ["estimate", "std_error", "p_value"]] = float("nan")
    for name, value in said(Reason("few_firms_in_group")).items():
        hidden.loc[early, name] = value
    assert found_of(dataclasses.replace(results, estimates=hidden), "look_hidden") == (
        "matters",
        {},
    )


@pytest.mark.parametrize(("n", "severity"), [(5, "serious"), (19, "matters"), (20, "passed")])
def test_few_treated_clusters(n, severity):
    results = changed(made_up(), n_treated_clusters=n)
    assert found_of(results, "few_treated_clusters") == (severity, {"n": n})


def test_a_variant_with_the_other_sign_matters_and_one_clear_of_zero_is_serious():
    results = with_interval(0.02, 0.12)
    table = results.estimates.copy()
    other = (table["outcome"] == "sales_log") & (table["design"] == "covariates")
    other &= table["event_time"].isna()
    for low, high, severity in ((-0.05, 0.01, "matters"), (-0.05, -0.01, "serious")):
        table.loc[other, ["estimate", "conf_low", "conf_high"]] = [-0.02, low, high]
        turned = dataclasses.replace(results, estimates=table)
        # the flat two-way figure of staggered entry is biased, and does not count
        assert found_of(turned, "sign_changes") == (severity, {"turned": 1, "n": 2})


def test_rows_left_out_support_and_balance_matter_beyond_their_bounds():
    results = made_up()
    place = {"design": "covariates_lags", "outcome": "sales_log"}
    half = with_figures(results, SAMPLES, place, firm_years_missing=11752)
    assert found_of(half, "rows_left_out") == ("matters", {"share": 0.5})
    assert found_of(results, "support")[0] == "passed"
    few = with_figures(
        results, MATCHED, {"design": "covariates_lags", "stack": "all"}, n_treated_matched=300
    )
    assert found_of(few, "support")[0] == "matters"
    after = {"design": "covariates_lags", "sample": "after"}
    uneven = with_figures(results, BALANCE_SUMMARY, after, n_above_threshold=2)
    assert found_of(uneven, "imbalance")[0] == "matters"
    even = with_figures(results, BALANCE_SUMMARY, after, n_above_threshold=0)
    assert found_of(even, "imbalance")[0] == "passed"


def test_cautions_stand_worst_first_and_the_passed_in_one_line():
    results = with_test(made_up(), 0.01)
    cautions = study_cautions(results)
    order = [("serious", "matters", "passed").index(c.severity) for c in cautions]
    assert order == sorted(order)
    told = cautions_said(results, cautions)
    assert [s.severity for s in told].count("passed") == 1
    assert told[0].severity == "serious" and told[0].section == "before"
    assert "Annual sales (p = 0.01)" in told[0].sentence
    assert all(
        c.weakens and c.outcome in (None, "sales_log") for c in cautions_on(cautions, "sales_log")
    )


def test_the_headline_never_travels_alone():
    results = with_test(with_interval(0.02, 0.12), 0.01)
    cautions = study_cautions(results)
    found = verdict(results, "sales_log", cautions)
    sentence = sure_sentence(results, found)
    assert sentence == "Do not rely on it: the groups moved apart before entry (p = 0.01)."
    assert "do not rely on the effect on Annual sales" in answer(results, {"sales_log": found})
    serious = cautions_said(results, cautions)[0].sentence
    for text in (summary(results).replace("\\", ""), headlines(results).decode()):
        assert serious in text
        assert "o not rely on it" in text


def test_an_interval_over_zero_names_both_ends_in_readers_units():
    found = verdict(with_interval(-0.02, 0.05), "sales_log", [])
    assert sure_sentence(made_up(), found) == (
        "Cannot tell: a fall of 2.0 and a rise of 5.1 percent both fit."
    )
