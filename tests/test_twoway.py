"""Flat two-way fixed effects: what it weighs, and agreement with linearmodels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from regressions import in_clusters, rows_in
from stacked_tables import matches_from, panel_from, random_study, sample_of

from pipeline.effects.least_squares import as_estimated, fit_absorbed
from pipeline.effects.terms import ATT, Term, event
from pipeline.errors import IdentificationError
from pipeline.estimators import twoway_by_linearmodels
from pipeline.estimators.stacked import event_values
from pipeline.estimators.twoway import (
    fit_twoway,
    flat_sample,
    true_twoway,
    twoway_regressors,
)
from pipeline.estimators.twoway_by_arrays import solve_by_arrays
from pipeline.estimators.twoway_by_linearmodels import solve_by_linearmodels
from pipeline.estimators.year_cells import year_cells
from pipeline.inference.analytic import infer

TERMS = (ATT, Term("anticipation"))


def flat_of(seed, missing_share=0.2):
    panel, matches, _ = random_study(seed, missing_share=missing_share)
    return flat_sample(sample_of(panel, matches, (-3, 2), "renormalise"), panel)


def own_fit(flat, seen):
    """Fit by our own regression."""
    regressors = twoway_regressors(flat)
    return fit_absorbed(
        flat.y,
        regressors,
        TERMS[: regressors.shape[1]],
        first=flat.firm,
        second=flat.year - flat.year.min(),
        weight=flat.weight,
        seen=seen,
    )


def their_fit(flat, seen):
    """Fit by linearmodels."""
    regressors, year = twoway_regressors(flat), flat.year - flat.year.min()
    solved = solve_by_linearmodels(flat.y, regressors, flat.firm, year, flat.weight)
    return as_estimated(solved, TERMS[: regressors.shape[1]], seen)


def assert_equal_fits(found, expected):
    """Compare two results with their covariances."""
    one, other = found.estimated, expected.estimated
    theirs, own = one.regression, other.regression
    assert (theirs.solved_by, own.solved_by) == ("linearmodels", "own")
    np.testing.assert_allclose(one.estimates, other.estimates, rtol=1e-8)
    np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-8)
    assert (found.influence is None) == (expected.influence is None)
    parts = [(one.influence, other.influence)]
    if expected.influence is not None:
        parts.append((found.influence, expected.influence))
    for theirs_part, own_part in parts:
        size = np.abs(own_part).max()
        np.testing.assert_allclose(theirs_part, own_part, rtol=0, atol=1e-8 * size)
    np.testing.assert_array_equal(theirs.kept, own.kept)
    for count in ("n_obs", "n_singletons", "n_regressors"):
        assert getattr(theirs, count) == getattr(own, count)
    assert one.terms == other.terms
    assert (found.counts, found.adjusted) == (expected.counts, expected.adjusted)


@pytest.mark.parametrize("cluster", ["firm", "assignment"])
@pytest.mark.parametrize("weights", ["matched", "uneven", "one"])
@pytest.mark.parametrize("anticipation", [False, True])
def test_linearmodels_and_our_own_regression_agree(cluster, weights, anticipation):
    flat = flat_of(7)
    rng = np.random.default_rng(3)
    weight = {"matched": flat.weight, "one": np.ones(len(flat.y))}
    weight["uneven"] = np.exp(2 * rng.normal(size=flat.firm.max() + 1))[flat.firm]
    before = (flat.year == flat.cohort - 1) & anticipation
    flat = replace(flat, weight=weight[weights], anticipated=before)
    assert_equal_fits(infer(fit_twoway(flat), cluster), infer(own_fit(flat, flat.seen), cluster))


def test_they_agree_on_singletons_and_in_two_directions():
    """Firms with one year left, and a year with one firm, go before either regression."""
    flat = flat_of(7)
    lone = np.isin(flat.firm, np.unique(flat.firm)[:5])
    first_row = np.unique(flat.firm, return_index=True)[1]
    kept = ~lone | np.isin(np.arange(len(flat.y)), first_row)
    year = flat.year.copy()
    year[np.flatnonzero(~lone)[0]] = flat.year.max() + 7
    flat = replace(flat, year=year).where(kept)
    assert fit_twoway(flat).regression.n_singletons == 6
    assert fit_twoway(flat).regression.solved_by == "linearmodels"
    seen = rows_in(flat.assignment[flat.firm], flat.year - flat.year.min())
    both = [in_clusters(fit(flat, seen), seen.matched_set) for fit in (their_fit, own_fit)]
    assert_equal_fits(*both)
    assert both[0].influence is None


@pytest.mark.parametrize("directions", [1, 2])
def test_the_covariance_is_that_of_linearmodels_with_our_factor(directions):
    """linearmodels' own clustered covariance, without any factor of its own."""
    from linearmodels.panel import PanelOLS

    flat = flat_of(8, missing_share=0.0)
    index = pd.MultiIndex.from_arrays([flat.firm, flat.year])
    model = PanelOLS(
        pd.Series(flat.y, index),
        pd.DataFrame({"att": flat.treated_post.astype(float)}, index),
        weights=pd.Series(flat.weight, index),
        entity_effects=True,
        time_effects=True,
    )
    groups = [flat.assignment[flat.firm], flat.year - flat.year.min()][:directions]
    given = pd.DataFrame(dict(enumerate(groups)), index)
    plain = {"debiased": False, "auto_df": False, "count_effects": False}
    theirs = model.fit(cov_type="clustered", clusters=given, **plain)
    fit = in_clusters(their_fit(flat, rows_in(*groups)), *groups[1:])
    # Firms are nested in clusters, and years in themselves: K is the regressor and what is left.
    k = 1 + (len(np.unique(flat.year)) if directions == 1 else 1)
    n, g = len(flat.y), min(len(np.unique(group)) for group in groups)
    factor = g / (g - 1) * (n - 1) / (n - k)
    assert fit.estimated.estimate(ATT) == pytest.approx(theirs.params["att"], rel=1e-9)
    if directions == 1:
        by_firm = infer(fit_twoway(flat), "assignment")
        assert by_firm.covariance == pytest.approx(fit.covariance, rel=1e-12)
    assert fit.covariance[0, 0] == pytest.approx(factor * theirs.cov.iloc[0, 0], rel=1e-8)


@pytest.mark.parametrize("n_clusters", [1, 2])
def test_base_did_by_linearmodels_has_the_published_errors(n_clusters):
    data = pd.read_csv(Path(__file__).parent / "reference" / "fixest_base_did.csv")
    firm, period = pd.factorize(data["id"])[0], pd.factorize(data["period"])[0]
    columns = np.column_stack([data["treat"] * data["post"], data["x1"]]).astype(float)
    solved = solve_by_linearmodels(data["y"].to_numpy(), columns, firm, period, np.ones(len(data)))
    groups = [firm, period][:n_clusters]
    terms = [Term("effect"), Term("x1")]
    fit = in_clusters(as_estimated(solved, terms, rows_in(*groups)), *groups[1:])
    assert fit.estimated.regression.solved_by == "linearmodels"
    assert fit.estimated.estimates == pytest.approx([4.850645143, 0.9721657766], rel=1e-8)
    error = {1: 0.4552220459, 2: 0.9335973233}[n_clusters]
    assert np.sqrt(fit.covariance[0, 0]) == pytest.approx(error, rel=1e-8)


def test_our_own_regression_runs_beyond_the_rows_that_linearmodels_takes(monkeypatch):
    flat = flat_of(7)
    theirs = fit_twoway(flat)
    n_obs = theirs.regression.n_obs
    monkeypatch.setattr(twoway_by_linearmodels, "MOST_ROWS", n_obs)
    assert fit_twoway(flat).regression.solved_by == "linearmodels"
    monkeypatch.setattr(twoway_by_linearmodels, "MOST_ROWS", n_obs - 1)
    assert_equal_fits(infer(theirs, "assignment"), infer(fit_twoway(flat), "assignment"))


def by_arrays(flat):
    """Fit on arrays of years by firms."""
    regressors = twoway_regressors(flat)
    year = flat.year - flat.year.min()
    solved = solve_by_arrays(flat.y, regressors, flat.firm, year, flat.weight)
    return as_estimated(solved, TERMS[: regressors.shape[1]], flat.seen)


def assert_same_regression(one, other):
    """Compare two results of our own, and what stands behind them."""
    assert one.terms == other.terms
    np.testing.assert_allclose(one.estimates, other.estimates, rtol=1e-10)
    np.testing.assert_allclose(one.regression.bread, other.regression.bread, rtol=1e-10)
    size = np.abs(other.influence).max()
    np.testing.assert_allclose(one.influence, other.influence, rtol=0, atol=1e-10 * size)
    np.testing.assert_array_equal(one.regression.kept, other.regression.kept)
    assert one.regression.n_effects == other.regression.n_effects
    alone = np.arange(len(one.seen.firm))
    for clusters in (one.seen.firm, alone, one.seen.assignment[one.seen.firm]):
        assert one.regression.nested(clusters) == other.regression.nested(clusters)
    residuals = [fit.regression.least_squares.residuals for fit in (one, other)]
    np.testing.assert_array_equal(*residuals)


@pytest.mark.parametrize("anticipation", [False, True])
@pytest.mark.parametrize("missing_share", [0.0, 0.3, 0.6])
def test_arrays_by_year_and_absorbed_effects_give_the_same(missing_share, anticipation):
    flat = flat_of(11, missing_share)
    weight = np.exp(np.random.default_rng(4).normal(size=len(flat.y)))
    before = (flat.year == flat.cohort - 1) & anticipation
    flat = replace(flat, weight=weight, anticipated=before)
    assert_same_regression(by_arrays(flat), own_fit(flat, flat.seen))


def test_arrays_take_years_that_no_firm_links():
    """Half of the firms are seen in early years only, half in late ones; a lone row goes."""
    flat = flat_of(11, missing_share=0.0)
    late = flat.firm % 2 == 1
    middle = int(np.median(flat.year))
    flat = flat.where(np.where(late, flat.year > middle, flat.year <= middle))
    lone = np.flatnonzero(flat.firm == flat.firm[0])[1:]
    flat = flat.where(~np.isin(np.arange(len(flat.y)), lone))
    fit = by_arrays(flat)
    assert fit.regression.n_singletons == 1
    assert_same_regression(fit, own_fit(flat, flat.seen))


def test_arrays_refuse_a_firm_with_two_rows_in_a_year():
    firm, year = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 0, 1])
    with pytest.raises(AssertionError, match="one row per firm and year"):
        solve_by_arrays(np.arange(5.0), np.ones((5, 1)), firm, year, np.ones(5))


def test_what_the_effects_explain_is_left_to_our_own_regression_to_name():
    flat = flat_of(7)
    treated_only = flat.where(flat.cohort == flat.cohort.min())
    with pytest.raises(IdentificationError, match=r"^collinear$"):
        fit_twoway(treated_only)
    with pytest.raises(IdentificationError, match=r"^no_outcome_variation$"):
        fit_twoway(replace(flat, y=flat.firm + 0.1 * flat.year))


def test_rows_that_effects_and_regressor_fit_exactly_have_no_error_from_either():
    """Two firms in two years."""
    flat = flat_of(7, missing_share=0.0)
    firms = [flat.firm[flat.cohort == flat.cohort.min()][0], flat.firm[np.isinf(flat.cohort)][0]]
    years = [flat.cohort.min() - 1, flat.cohort.min()]
    few = flat.where(np.isin(flat.firm, firms) & np.isin(flat.year, years))
    fit = infer(fit_twoway(few), "firm")
    regression = fit.estimated.regression
    assert (regression.n_obs, regression.solved_by) == (4, "own")
    assert fit.covariance[0, 0] == 0


def test_iterations_that_stop_too_early_are_not_believed(monkeypatch):
    flat = flat_of(7)
    monkeypatch.setattr(twoway_by_linearmodels, "TOLERANCE", 1e-3)
    assert fit_twoway(flat).regression.solved_by == "own"


def test_a_firm_in_two_stacks_has_its_summed_weight():
    text = """
    firm_id cluster 2003 2004 2005 2006
    T1      a       1    2    3    9
    T2      a       1    2    4    4
    C1      c       1    2    3    5
    """
    panel = panel_from(text, {"T1": 2004, "T2": 2005})
    sets = matches_from(
        "stack set_id firm_id treated\n2004 A T1 1\n2004 A C1 0\n2005 B T2 1\n2005 B C1 0"
    )
    flat = flat_sample(sample_of(panel, sets, (-1, 1), "drop_set"), panel)
    firm = panel["firm_id"].to_numpy()[flat.panel_row]
    weight = {(f, int(y)): w for f, y, w in zip(firm, flat.year, flat.weight, strict=True)}
    assert [weight["C1", y] for y in (2003, 2004, 2005, 2006)] == [1, 2, 2, 1]
    treated = {(f, int(y)) for f, y, d in zip(firm, flat.year, flat.treated_post, strict=True) if d}
    assert treated == {("T1", 2004), ("T1", 2005), ("T2", 2005), ("T2", 2006)}
    effect = np.where(firm == "T1", 1.0, 3.0)
    assert true_twoway(flat, effect) == pytest.approx(2.0)


def test_a_firm_used_before_its_own_entry_is_treated_from_its_cohort():
    text = """
    firm_id cluster 2003 2004 2005 2006
    T1      a       1    2    3    9
    T2      a       1    2    4    4
    C1      c       1    2    3    5
    """
    panel = panel_from(text, {"T1": 2004, "T2": 2006})
    sets = matches_from(
        "stack set_id firm_id treated\n2004 A T1 1\n2004 A T2 0\n2006 B T2 1\n2006 B C1 0"
    )
    flat = flat_sample(sample_of(panel, sets, (-1, 0), "drop_set"), panel)
    late = panel["firm_id"].to_numpy()[flat.panel_row] == "T2"
    assert flat.treated_post[late].tolist() == [False, False, False, True]
    assert flat.ever_treated[late].tolist() == [False, False, True, True]


def test_growing_effects_bias_two_way_but_not_stacked():
    """Effects grow by one a year: stacked event estimates are exact, two-way is not the mean."""
    rng = np.random.default_rng(1)
    panel, matches, _ = random_study(9, missing_share=0.0)
    cohort = panel["cohort"].to_numpy(dtype=float, na_value=np.nan)
    year = panel["year"].to_numpy(dtype=float)
    effect = np.where(year >= cohort, year - cohort + 1, 0.0)
    level = rng.normal(size=panel["firm_id"].nunique())[pd.factorize(panel["firm_id"])[0]]
    panel = panel.assign(sales=level + 0.1 * year + effect)
    sample = sample_of(panel, matches, (-3, 2), "renormalise")
    stacked = event_values(sample, sample.y, year_cells(sample, panel, None))
    after = [stacked.estimate(event(e)) for e in (0, 1, 2)]
    assert after == pytest.approx([1, 2, 3], abs=1e-10)
    flat = flat_sample(sample, panel)
    bias = fit_twoway(flat).estimate(ATT) - true_twoway(flat, effect[flat.panel_row])
    assert bias < -0.01
