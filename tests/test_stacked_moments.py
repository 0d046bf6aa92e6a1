"""Stacked regressions from moments of units are the regressions of their rows, to rounding."""

from dataclasses import replace

import numpy as np
import pytest
from stacked_tables import random_study, sample_of

from pipeline.effects.least_squares import coefficients, fit_absorbed
from pipeline.errors import IdentificationError
from pipeline.estimators.stacked import fit_cells
from pipeline.estimators.stacked_moments import coefficients_by_moments
from pipeline.estimators.stacked_regressors import event_regressors, pooled_regressors
from pipeline.estimators.year_cells import year_cells
from pipeline.inference.analytic import infer

CLOSE = {"rtol": 1e-10, "atol": 1e-12}
SHAPES = {"event": event_regressors, "pooled": pooled_regressors}
CASES = [("event", 2), ("event", 1), ("pooled", 0), ("pooled", 2)]


def adjusted(seed, missing="renormalise", n_covariates=2, collinear=False):
    """Return a sample with covariates of its units, and PANEL."""
    panel, matches, _ = random_study(seed)
    sample = sample_of(panel, matches, (-3, 2), missing)
    if not n_covariates:
        return sample, panel
    values = np.random.default_rng(seed).normal(size=(len(sample.stacks.firm), n_covariates))
    if collinear:
        values[:, -1] = values[:, 0]
    return replace(sample, covariates=values), panel


def by_rows(regressors, panel, by_entry=True):
    """Return the same with every column built and both sets of effects absorbed."""
    sample = regressors.sample
    return fit_absorbed(
        sample.y,
        regressors.columns,
        regressors.terms,
        first=sample.unit,
        second=year_cells(sample, panel, None).codes,
        weight=sample.weight,
        seen=sample.seen_by_row(by_entry),
    )


def by_arrays(regressors, panel, by_entry=True):
    cells = year_cells(regressors.sample, panel, None)
    return fit_cells(regressors.sample, regressors, cells, by_entry=by_entry)


@pytest.mark.parametrize("missing", ["drop_set", "renormalise"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("shape", "n_covariates"), CASES)
def test_coefficients_and_influences_are_those_of_rows(shape, n_covariates, seed, missing):
    sample, panel = adjusted(seed, missing, n_covariates)
    regressors = SHAPES[shape](sample)
    slow, fast = by_rows(regressors, panel), by_arrays(regressors, panel)
    assert fast.terms == slow.terms and fast.reasons == slow.reasons
    np.testing.assert_allclose(fast.estimates, slow.estimates, **CLOSE)
    np.testing.assert_allclose(fast.influence, slow.influence, **CLOSE)
    np.testing.assert_allclose(fast.regression.bread, slow.regression.bread, **CLOSE)
    np.testing.assert_array_equal(fast.loadings, slow.loadings)
    again = fast.regression.least_squares.absorbed
    np.testing.assert_allclose(again.bread, fast.regression.bread, **CLOSE)


@pytest.mark.parametrize("cluster", ["firm", "assignment"])
@pytest.mark.parametrize(("shape", "n_covariates"), CASES)
def test_standard_errors_and_counts_are_those_of_rows(shape, n_covariates, cluster):
    sample, panel = adjusted(1, "drop_set", n_covariates)
    by_entry = shape == "event"
    regressors = SHAPES[shape](sample)
    slow, fast = (infer(f(regressors, panel, by_entry), cluster) for f in (by_rows, by_arrays))
    np.testing.assert_allclose(fast.std_errors, slow.std_errors, **CLOSE)
    assert fast.counts == slow.counts


@pytest.mark.parametrize("shape", SHAPES)
def test_collinear_covariates_are_left_out_as_in_rows(shape):
    sample, panel = adjusted(3, n_covariates=3, collinear=True)
    regressors = SHAPES[shape](sample)
    slow, fast = by_rows(regressors, panel), by_arrays(regressors, panel)
    assert len(fast.loadings) == len(slow.loadings) < len(regressors.parts)
    np.testing.assert_allclose(fast.estimates, slow.estimates, **CLOSE)
    np.testing.assert_allclose(fast.influence, slow.influence, **CLOSE)


@pytest.mark.parametrize("shape", SHAPES)
def test_other_outcomes_have_the_coefficients_of_rows(shape):
    sample, panel = adjusted(5)
    y, regressors = np.sin(np.arange(len(sample.y))), SHAPES[shape](sample)
    cells = year_cells(sample, panel, None).codes
    slow = coefficients(y, regressors.columns, sample.unit, cells, sample.weight)
    fast = coefficients_by_moments(regressors, sample.by_unit(y))
    np.testing.assert_allclose(fast, slow, **CLOSE)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_outcome_of_firm_and_year_effects_alone_has_no_estimate(shape):
    sample, panel = adjusted(2)
    alone = sample.by_unit(3.0 * sample.unit + 0.5 * sample.event_time)
    with pytest.raises(IdentificationError) as caught:
        by_arrays(SHAPES[shape](replace(sample, values=alone)), panel)
    assert caught.value.reason.code == "no_outcome_variation"


def test_units_are_taken_a_few_at_once(monkeypatch):
    sample, panel = adjusted(4)
    whole = by_arrays(event_regressors(sample), panel)
    monkeypatch.setattr("pipeline.estimators.stacked_moments._AT_ONCE", 7)
    few = by_arrays(event_regressors(sample), panel)
    np.testing.assert_allclose(few.estimates, whole.estimates, **CLOSE)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_covariate_that_is_who_is_treated_leaves_no_effect_but_the_reason(shape):
    sample, panel = adjusted(1, n_covariates=1)
    treated = sample.stacks.treated[:, None].astype(float)
    found = by_arrays(SHAPES[shape](replace(sample, covariates=treated)), panel)
    assert not found.terms and {reason.code for reason in found.reasons.values()} == {"collinear"}


def test_a_covariate_far_from_zero_loses_no_digits():
    """Slopes on a covariate are those on it moved and stretched; with a spread of 0.001 as well."""
    sample, panel = adjusted(4, n_covariates=1)
    plain = by_arrays(event_regressors(sample), panel)
    moved = replace(sample, covariates=2 + 1e-3 * sample.covariates)
    again = by_arrays(event_regressors(moved), panel)
    np.testing.assert_allclose(again.estimates, plain.estimates, rtol=1e-11)
    np.testing.assert_allclose(again.influence, plain.influence, rtol=1e-9, atol=1e-12)


def test_an_entry_year_with_no_more_rows_than_parameters_has_no_influence():
    sample, panel = adjusted(1, n_covariates=3)
    stacks = sample.stacks
    first = stacks.stack == stacks.stack.min()
    few = np.zeros(len(first), dtype=bool)
    for treated in (True, False):
        few[
            np.flatnonzero(first & (stacks.treated == treated) & sample.observed.all(axis=1))[:2]
        ] = True
    part = replace(sample, weights=sample.weights * (few | ~first)[:, None])
    found = by_arrays(event_regressors(part), panel)
    own = [term.cohort == stacks.stack.min() for term in found.terms]
    assert not found.influence[:, own].any()
    assert found.influence[:, np.logical_not(own)].any(axis=0).all()
