"""Matching where there is too little to match: a message or a count, each with the counts."""

import numpy as np
import pandas as pd
import pytest
from test_matching_nearest import NEAREST, count, covariates_of, lost, scores_table

from pipeline.datasets.matches import LEFT_OVER, UNMATCHED, WITH_FEWER, WITHOUT_CELL
from pipeline.datasets.precision import SCORE_DECIMALS
from pipeline.errors import DataError, SupportError
from pipeline.matching.designs import match_designs
from pipeline.matching.losses import shortage_lines
from pipeline.params.match import LEAST_TIE_TOLERANCE, MatchSection

MAHALANOBIS = {**NEAREST, "method": "mahalanobis", "covariates": ["size"], "covariance_of": "all"}


def rows(treated, control, stack=2009):
    """Firms of one stack by their scores."""
    return [
        *[(stack, f"t{i}", True, s) for i, s in enumerate(treated)],
        *[(stack, f"c{i}", False, s) for i, s in enumerate(control)],
    ]


def matched(table, one, **columns):
    scores = scores_table(table)
    balance = {"denominator": "treated", "threshold": 0.1}
    match = MatchSection.model_validate({"designs": {"one": one}, "balance": balance})
    return match_designs(scores, covariates_of(scores, **columns), match)


@pytest.mark.parametrize("design", [NEAREST, {**NEAREST, "order": "closest"}, MAHALANOBIS])
def test_fewer_comparison_than_treated_firms_without_replacement(design):
    table = [*rows([0.1, 0.2, 0.3], [0.15, 0.25]), *rows([0.1], [0.2, 0.4], 2010)]
    found = matched(table, design, size=[s[3] for s in table])
    assert count(found, "one", "n_treated_matched", "2009") == 2
    assert lost(found, "one", LEFT_OVER, "2009") == 1
    assert lost(found, "one", LEFT_OVER) == 1
    assert list(shortage_lines(found.counts, found.losses)) == [
        "design one: 1 of 4 treated firms (2009: 1) found all comparison firms within reach taken; "
        "match with replacement, lower ratio or widen the comparison pool"
    ]


def test_a_firm_beyond_the_caliper_is_not_left_over():
    found = matched(rows([0.1, 0.2, 9.0], [0.15, 0.25]), {**NEAREST, "caliper": 0.5})
    assert lost(found, "one", UNMATCHED, "2009") == 1
    assert lost(found, "one", LEFT_OVER, "2009") == 0
    assert not list(shortage_lines(found.counts, found.losses))


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("design", [NEAREST, MAHALANOBIS])
def test_more_asked_for_than_the_cell_holds(design, replacement):
    table = rows([0.1, 0.5], [0.15, 0.2, 0.3, 0.45, 0.55])
    sector = ["a", "b", "a", "a", "b", "b", "b"]
    asked = {**design, "ratio": 3, "exact": ["sector"], "replacement": replacement}
    found = matched(table, asked, sector=sector, size=[row[3] for row in table])
    assert lost(found, "one", WITH_FEWER, "2009") == 1
    assert "1 of 2 treated firms (2009: 1) have fewer" in next(
        shortage_lines(found.counts, found.losses)
    )


def test_a_cell_with_treated_firms_only_is_counted_and_said():
    found = matched(
        rows([0.1, 0.5], [0.2, 0.3]), {**NEAREST, "exact": ["sector"]}, sector=["a", "b", "a", "a"]
    )
    assert count(found, "one", "cells_without_comparison", "2009") == 1
    assert list(shortage_lines(found.counts, found.losses)) == [
        "design one: 1 of 2 treated firms (2009: 1) are in exact cells without a comparison firm; "
        "use fewer exact covariates or wider bins"
    ]


def test_equal_scores_are_refused_where_row_order_alone_would_choose():
    table = rows([0.5, 0.5], [0.5, 0.5, 0.5])
    with pytest.raises(SupportError) as caught:
        matched(table, NEAREST)
    message = str(caught.value)
    assert message.startswith("model, stack 2009, design one: all 2 treated and 3 comparison firms")
    assert "same linear score, so that" in message
    shared = matched(table, {**NEAREST, "replacement": True})
    of_design = shared.weights[shared.weights["design"] == "one"]
    np.testing.assert_allclose(of_design["weight"], [2 / 3] * 3 + [1] * 2)


KERNEL = {
    "score": "model",
    "method": "kernel",
    "distance": "linear",
    "bandwidth": 0.01,
    "exact": [],
}
RADIUS = {
    key: NEAREST[key] for key in ("score", "distance", "caliper_sd", "caliper_sd_of", "exact")
}


@pytest.mark.parametrize(
    ("design", "message"),
    [
        ({**NEAREST, "caliper": 0.01}, "the nearest comparison firm is 1 away"),
        ({**RADIUS, "method": "radius", "caliper": 0.01}, "the nearest comparison firm is 1 away"),
        ({**MAHALANOBIS, "caliper": 0.01}, "none has a comparison firm within 0.01"),
        (KERNEL, "none has a comparison firm within the bandwidth of 0.01"),
    ],
)
def test_a_caliper_that_empties_one_stack_names_the_stack_and_counts(design, message):
    table = [*rows([0.0], [0.0, 2.0]), *rows([1.0, 5.0], [2.0, 3.5], 2010)]
    with pytest.raises(SupportError) as caught:
        matched(table, design, size=np.arange(7.0))
    found = str(caught.value)
    assert found.startswith("model, stack 2010, design one: ")
    assert message in found
    assert "2 treated and 2 comparison firms" in found
    assert "t0" not in found


@pytest.mark.parametrize(
    ("design", "message"),
    [
        (MAHALANOBIS, "covariates of the Mahalanobis distance are missing for 1 of 4 firms"),
        (
            {
                "score": "model",
                "method": "entropy",
                "covariates": ["size"],
                "moments": 1,
                "base": "equal",
            },
            r"covariates to balance are missing for some of 4 firms \(size 1\)",
        ),
    ],
)
def test_missing_covariates_are_refused_with_the_count_and_where(design, message):
    size = [1.0, np.nan, 2.0, 3.0]
    with pytest.raises(DataError, match="model, stack 2009, design one: " + message):
        matched(rows([0.0, 1.0], [0.5, 2.0]), design, size=size)


def test_firms_without_a_cell_variable_are_counted():
    sector = pd.Series(["a", None, "a", None])
    found = matched(rows([0.0, 1.0], [0.5, 2.0]), {**NEAREST, "exact": ["sector"]}, sector=sector)
    assert lost(found, "one", WITHOUT_CELL, "2009") == 2
    assert count(found, "one", "n_treated_matched", "2009") == 1


@pytest.mark.parametrize("tolerance", [0.0, 1e-10, LEAST_TIE_TOLERANCE])
def test_rounding_of_scores_parts_no_ties(tolerance):
    """Each treated firm lies midway between two comparison firms, at steps of no decimal number."""
    steps = np.arange(31) / 7**0.5
    exact = rows((steps[:-1] + steps[1:]) / 2, steps)
    rounded = [(*row[:-1], np.round(row[-1], SCORE_DECIMALS)) for row in exact]
    design = {**NEAREST, "replacement": True, "caliper_sd": None, "tie_tolerance": tolerance}
    weights = matched(rounded, design).weights.query("design == 'one' and not treated")
    np.testing.assert_allclose(np.sort(weights["weight"]), [0.5, 0.5, *[1.0] * 29])


def test_ties_of_covariates_have_their_own_tolerance():
    assert LEAST_TIE_TOLERANCE >= 4 * 10.0**-SCORE_DECIMALS
    for design, tolerance in ((NEAREST, LEAST_TIE_TOLERANCE), (MAHALANOBIS, 1e-12)):
        read = MatchSection.model_validate(
            {
                "designs": {"one": {**design, "tie_tolerance": 1e-12}},
                "balance": {"denominator": "treated", "threshold": 0.1},
            }
        )
        assert read.designs["one"].tie_tolerance == tolerance
