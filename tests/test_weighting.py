"""Weighting designs: odds, overlap, entropy balancing."""

import lalonde
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stacked_tables import estimation, outcomes, random_study, treatment
from test_matching_nearest import SMALL, scores_table
from told import estimate_specs

from pipeline.effects.study import prepare_study
from pipeline.errors import DataError, SupportError
from pipeline.matching.designs import match_designs
from pipeline.matching.entropy import entropy_weights
from pipeline.matching.losses import effective_size
from pipeline.params.match import MatchSection

ENTROPY = {"score": "logit", "method": "entropy", "moments": 1, "base": "equal"}
DESIGNS = {
    "odds": {"score": "logit", "method": "odds"},
    "overlap": {"score": "logit", "method": "overlap"},
    "entropy": {**ENTROPY, "covariates": lalonde.IN_SCORE},
    "entropy_odds": {**ENTROPY, "covariates": lalonde.IN_SCORE, "base": "odds"},
    "entropy_third": {**ENTROPY, "covariates": ["age", "educ"], "moments": 3},
}


@pytest.fixture(scope="module")
def table():
    return lalonde.read_lalonde()


@pytest.fixture(scope="module")
def scored(table):
    return lalonde.score(table)


@pytest.fixture(scope="module")
def matched(table, scored):
    return lalonde.match(table, scored, **DESIGNS)


def test_reference_normalised_odds(matched, table):
    assert lalonde.att(matched, table, "odds")[0] == pytest.approx(1214.07122089, rel=1e-8)


def test_reference_entropy_balancing(matched, table):
    effect, weight = lalonde.att(matched, table, "entropy")
    assert effect == pytest.approx(1273.2618, abs=5e-5)
    ess = effective_size(weight[~table["treated"].to_numpy()])
    assert ess == pytest.approx(98.4578, abs=5e-5)


def test_overlap_weights_of_a_logit_balance_its_covariates_exactly(matched, table):
    """Li, Morgan & Zaslavsky (2018), theorem 3."""
    weight = lalonde.att(matched, table, "overlap")[1]
    treated = table["treated"].to_numpy()
    columns = pd.get_dummies(table[lalonde.IN_SCORE], dtype=float)
    difference = np.average(columns[treated], axis=0, weights=weight[treated]) - np.average(
        columns[~treated], axis=0, weights=weight[~treated]
    )
    np.testing.assert_allclose(difference / columns.std(), 0, atol=1e-8)
    assert weight[treated].max() < 1
    assert weight[treated].sum() == pytest.approx(weight[~treated].sum())


@pytest.mark.parametrize("design", ["entropy", "entropy_odds"])
def test_entropy_weights_meet_every_mean(matched, table, design):
    weight = lalonde.att(matched, table, design)[1]
    treated = table["treated"].to_numpy()
    columns = pd.get_dummies(table[lalonde.IN_SCORE], dtype=float)
    gap = columns[treated].mean() - np.average(columns[~treated], axis=0, weights=weight[~treated])
    np.testing.assert_allclose(gap / columns.std(), 0, atol=1e-8)


def test_entropy_weights_meet_raw_moments_up_to_the_third(matched, table):
    weight = lalonde.att(matched, table, "entropy_third")[1]
    treated = table["treated"].to_numpy()
    for name in ("age", "educ"):
        for power in (1, 2, 3):
            raised = table[name].to_numpy(float) ** power
            found = np.average(raised[~treated], weights=weight[~treated])
            assert found == pytest.approx(raised[treated].mean(), rel=1e-7)


def test_base_weights_count_unless_the_moments_already_explain_them(matched, table, scored):
    """The odds of a logit tilt equal weights by its covariates, as entropy balancing does."""
    equal = lalonde.att(matched, table, "entropy")[1]
    np.testing.assert_allclose(lalonde.att(matched, table, "entropy_odds")[1], equal, rtol=1e-6)
    fewer = {"covariates": ["age"], "score": "logit", "method": "entropy", "moments": 1}
    two = lalonde.match(
        table, scored, equal=fewer | {"base": "equal"}, odds=fewer | {"base": "odds"}
    )
    one, other = (lalonde.att(two, table, design)[1] for design in ("equal", "odds"))
    assert np.abs(one - other).max() > 0.1


def test_base_weights_may_be_a_covariate(scored, table):
    """Firms that stand for two weigh as two copies of each would with equal base weights."""
    design = {"score": "logit", "method": "entropy", "covariates": ["age", "educ"], "moments": 2}
    section = lalonde.match_section(
        {"own": {**design, "base": "covariate", "base_covariate": "stands_for"}}
    )
    keys = lalonde.covariates_of(table)
    stands_for = np.where(keys["educ"] > 10, 2.0, 1.0)
    found = match_designs(scored.scores, keys.assign(stands_for=stands_for), section)
    weight = lalonde.att(found, table, "own")[1]
    treated = table["treated"].to_numpy()
    copies = np.where(treated, 1, stands_for).astype(int)
    longer = table.loc[np.repeat(table.index, copies), ["age", "educ"]].reset_index(drop=True)
    origin, of_treated = np.repeat(np.arange(len(table)), copies), np.repeat(treated, copies)
    equal = entropy_weights(longer, of_treated, np.ones((~of_treated).sum()), 2)
    summed = np.bincount(origin[~of_treated], weights=equal, minlength=len(table))
    np.testing.assert_allclose(weight[~treated], summed[~treated], rtol=1e-6)
    with pytest.raises(DataError, match=r"zero or negative for \d+ of 429 comparison firms"):
        match_designs(scored.scores, keys.assign(stands_for=stands_for - 1), section)


@pytest.mark.parametrize("changes", [{"base": "covariate"}, {"base_covariate": "age"}])
def test_a_base_covariate_goes_with_its_base(changes):
    design = {"score": "logit", "method": "entropy", "covariates": ["age"], "moments": 1}
    with pytest.raises(ValueError, match="base: covariate needs base_covariate"):
        lalonde.match_section({"own": {**design, "base": "equal", **changes}})


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 2))
def test_entropy_moments_hold_and_affine_changes_do_not_matter(seed, order):
    rng = np.random.default_rng(seed)
    treated = np.arange(300) < 60
    table = pd.DataFrame({"a": rng.normal(size=300) + 0.3 * treated, "b": rng.gamma(2, size=300)})
    try:
        plain = entropy_weights(table, treated, np.ones(240), order)
    except SupportError as reason:
        # some draws put a moment of the treated outside what comparison firms can reach
        assert "no weights of the 240 comparison firms meet" in str(reason)
        return
    changed = entropy_weights(
        table.assign(a=5 - 3 * table["a"], b=1000 * table["b"]), treated, np.full(240, 7.0), order
    )
    np.testing.assert_allclose(changed, plain, rtol=1e-5, atol=1e-7)
    assert plain.sum() == pytest.approx(60)
    for name in table:
        standard = (table[name] / table[name].std()).to_numpy()
        for power in range(1, order + 1):
            gap = (
                np.average(standard[60:] ** power, weights=plain) - (standard[:60] ** power).mean()
            )
            assert abs(gap) < 1e-6


def test_moments_out_of_reach_are_named():
    treated = np.array([True, True, False, False, False])
    table = pd.DataFrame({"size": [9.0, 8.0, 1.0, 2.0, 3.0], "age": [1.0, 2.0, 1.0, 2.0, 3.0]})
    with pytest.raises(SupportError, match=r"3 comparison firms meet the treated firms' mean of s"):
        entropy_weights(table, treated, np.ones(3), 1)
    with pytest.raises(SupportError, match="second moment of size"):
        entropy_weights(pd.DataFrame({"size": [0.0, 4.0, 1.0, 2.0, 3.0]}), treated, np.ones(3), 2)


def test_redundant_moments_do_no_harm_and_contradictory_ones_are_named():
    rng = np.random.default_rng(1)
    treated, x = np.arange(60) < 20, rng.normal(size=60)
    twice = entropy_weights(pd.DataFrame({"a": x, "b": 2 * x}), treated, np.ones(40), 1)
    once = entropy_weights(pd.DataFrame({"a": x}), treated, np.ones(40), 1)
    np.testing.assert_allclose(twice, once, rtol=1e-6)
    other = np.where(treated, x + 5, x)
    with pytest.raises(SupportError, match="SD away"):
        entropy_weights(pd.DataFrame({"a": x, "b": other}), treated, np.ones(40), 1)


def test_missing_covariates_are_refused_with_their_count():
    treated = np.array([True, False, False])
    with pytest.raises(DataError, match=r"missing for some of 3 firms \(a 1\)"):
        entropy_weights(pd.DataFrame({"a": [1.0, np.nan, 2.0]}), treated, np.ones(2), 1)


def small_design(**design):
    section = {"designs": {"one": {"score": "model", **design}}}
    balance = {"denominator": "treated", "threshold": 0.1}
    return MatchSection.model_validate({**section, "balance": balance})


def weights_of(matched):
    return matched.weights[matched.weights["design"] == "one"].set_index(["stack", "firm_id"])


def test_odds_are_normalised_within_each_stack_and_skip_firms_off_support():
    scores = scores_table(SMALL)
    scores.loc[(scores["firm_id"] == "o") | (scores["firm_id"] == "a"), "on_support"] = False
    keys = scores.loc[scores["model"] == "model", ["stack", "firm_id"]]
    found = match_designs(scores, keys, small_design(method="odds"))
    weight = weights_of(found)["weight"]
    # Odds are the exponential of the linear score, 0.75 and 0.25; one treated firm is left.
    odds = np.exp([0.75, 0.25])
    np.testing.assert_allclose(weight[2009][["m", "n"]], odds / odds.sum(), rtol=1e-8)
    assert set(weight[2009].index) == {"b", "m", "n"}
    assert weight[2010]["c"] == 1
    assert set(weights_of(found)["estimand"]) == {"att"}
    assert found.matches.empty


def test_overlap_says_whom_it_stands_for():
    scores = scores_table(SMALL)
    keys = scores.loc[scores["model"] == "model", ["stack", "firm_id"]]
    found = match_designs(scores, keys, small_design(method="overlap"))
    assert set(weights_of(found)["estimand"]) == {"ato"}


def test_a_certain_comparison_firm_has_no_odds():
    scores = scores_table(SMALL)
    scores.loc[scores["firm_id"] == "m", "propensity_score"] = 1.0
    keys = scores.loc[scores["model"] == "model", ["stack", "firm_id"]]
    with pytest.raises(SupportError, match="2009, design one: 1 comparison firms have a propens"):
        match_designs(scores, keys, small_design(method="odds"))


@pytest.mark.parametrize("estimand", ["att", "ato"])
def test_the_estimand_of_the_weights_labels_the_estimates(estimand):
    panel, matches, weights = random_study(3)
    everyone = weights.assign(design="unmatched", estimand="att")
    both = pd.concat([weights.assign(estimand=estimand), everyone])
    results = estimate_specs(
        prepare_study(
            panel,
            matches,
            both,
            outcomes=outcomes(),
            treatment=treatment(-2, 2),
            matched_times={},
            estimate=estimation(),
        )
    )
    assert set(results.estimates["estimand"]) == {estimand}
