"""Figures of MatchIt on its LaLonde data (sources and tolerances in tests/reference/README.md)."""

import lalonde as data
import pytest
from matched_sets import nearest_design

from pipeline.matching.balance import measure_balance
from pipeline.selection.firm_stacks import firm_stacks

LOGIT = {
    "const": -1.663281595,
    "age": 0.01577707099,
    "educ": 0.1613068770,
    "race=hispan": -2.081734119,
    "race=white": -3.065367729,
    "married": -0.8321132713,
    "nodegree": 0.7072968811,
    "re74": -7.177668568e-05,
    "re75": 5.344644639e-05,
}

# ATT on re78 in dollars, and matched treated.
ATT = {
    "pairs": (894.3674802703, 185),
    "caliper": (1571.7444544, 113),
    "cells": (1405.7201892, 116),
    "ties": (1968.79971586, 185),
}

STD_DIFF = {
    ("propensity_score", "before"): 1.7940860,
    ("propensity_score", "after"): 0.9739377,
    ("age", "before"): -0.3094453,
    ("age", "after"): 0.0717697,
    ("educ", "after"): -0.1290426,
    ("race=black", "after"): 1.0258593,
    ("married", "after"): -0.0552052,
    ("re74", "before"): -0.7210838,
    ("re74", "after"): -0.0504508,
    ("re75", "after"): -0.0256860,
}

PAIRS = nearest_design("logit", distance="probability", caliper_sd_of="all", tie_tolerance=1e-12)

DESIGNS = {
    "pairs": PAIRS,
    "caliper": {**PAIRS, "caliper_sd": 0.2},
    "cells": {**PAIRS, "exact": ["race", "married"]},
    "ties": {**PAIRS, "replacement": True},
}


@pytest.fixture(scope="module")
def lalonde():
    return data.read_lalonde()


@pytest.fixture(scope="module")
def scored(lalonde):
    return data.score(lalonde)


@pytest.fixture(scope="module")
def matched(scored, lalonde):
    return data.match(lalonde, scored, **DESIGNS)


def printed_name(rows):
    """Return covariates and categories as the source prints them."""
    return rows["covariate"] + ("=" + rows["category"]).fillna("")


@pytest.mark.parametrize("term", LOGIT)
def test_logit_coefficients(scored, term):
    table = scored.coefficients
    estimate = table.set_index(printed_name(table).fillna("const"))["estimate"]
    # The printed figures are short of the optimum by up to 4e-9 (test_score_equations_hold).
    assert estimate[term] == pytest.approx(LOGIT[term], rel=1e-8)


@pytest.mark.parametrize("design", ATT)
def test_att_and_matched_treated(matched, lalonde, design):
    effect, weight = data.att(matched, lalonde, design)
    expected, n_treated = ATT[design]
    assert effect == pytest.approx(expected, abs=1e-7)
    assert (weight > 0)[lalonde["treated"]].sum() == n_treated


def test_caliper_is_a_fifth_of_the_standard_deviation(matched):
    counts = matched.counts.set_index(["design", "stack"])
    assert counts.loc[("caliper", "1978"), "caliper"] / 0.2 == pytest.approx(0.2903134, abs=5e-8)


@pytest.fixture(scope="module")
def balance(scored, matched, lalonde):
    tables = firm_stacks(scored.scores, data.covariates_of(lalonde), matched.weights)
    table = measure_balance(tables, data.score_section(), data.match_section(DESIGNS))
    pairs = table[table["design"] == "pairs"].assign(covariate=printed_name)
    return pairs.set_index(["stack", "covariate", "sample"])


@pytest.mark.parametrize("stack", ["1978", "all"])
@pytest.mark.parametrize(("covariate", "sample"), STD_DIFF)
def test_standardised_differences(balance, stack, covariate, sample):
    found = balance.loc[(stack, covariate, sample), "std_diff"]
    assert found == pytest.approx(STD_DIFF[covariate, sample], abs=5e-8)


@pytest.mark.parametrize(("covariate", "ratio"), [("age", 0.4568027), ("re74", 1.3289093)])
def test_variance_ratios(balance, covariate, ratio):
    found = balance.loc[("1978", covariate, "after"), "variance_ratio"]
    assert found == pytest.approx(ratio, abs=5e-8)


def test_score_equations_hold(scored, lalonde):
    """At the optimum, residuals are orthogonal to every covariate."""
    rows = scored.scores[scored.scores["model"] == "logit"]
    residual = rows["treated"] - rows["propensity_score"]
    for column in ("age", "educ", "married", "nodegree", "re74", "re75"):
        values = lalonde[column].to_numpy()
        # Scores are rounded to eight decimals.
        assert abs((residual.to_numpy() * values).sum()) < 5e-9 * values.sum()
