"""The closed form of the stacked event study is the regression, to rounding."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from stacked_tables import random_study, sample_of

from pipeline.effects.estimated import Estimated
from pipeline.effects.least_squares import coefficients, fit_absorbed
from pipeline.effects.sample import StackedSample
from pipeline.errors import IdentificationError
from pipeline.estimators.stacked import event_values, fit_cells
from pipeline.estimators.stacked_regressors import event_regressors
from pipeline.estimators.year_cells import year_cells
from pipeline.inference.analytic import infer

MISSING_RULES = ("drop_set", "renormalise")
CLOSE = {"rtol": 1e-10, "atol": 1e-12}


def samples(seed: int, missing: str) -> tuple[StackedSample, pd.DataFrame]:
    panel, matches, _ = random_study(seed)
    return sample_of(panel, matches, (-3, 2), missing), panel


def closed_form(sample: StackedSample, panel: pd.DataFrame) -> Estimated:
    return fit_cells(sample, event_regressors(sample), year_cells(sample, panel, None))


def regression(sample: StackedSample, panel: pd.DataFrame) -> Estimated:
    """Return the same with every column built and both sets of effects absorbed."""
    regressors = event_regressors(sample)
    return fit_absorbed(
        sample.y,
        regressors.columns,
        regressors.terms,
        first=sample.unit,
        second=year_cells(sample, panel, None).codes,
        weight=sample.weight,
        seen=sample.seen_by_row(),
    )


@pytest.mark.parametrize("missing", MISSING_RULES)
@pytest.mark.parametrize("seed", range(8))
def test_effects_and_influences_are_those_of_the_regression(seed, missing):
    sample, panel = samples(seed, missing)
    slow, fast = regression(sample, panel), closed_form(sample, panel)
    assert fast.terms == slow.terms
    np.testing.assert_allclose(fast.estimates, slow.estimates, **CLOSE)
    np.testing.assert_allclose(fast.influence, slow.influence, **CLOSE)
    np.testing.assert_allclose(fast.regression.bread, slow.regression.bread, **CLOSE)


@pytest.mark.parametrize("missing", MISSING_RULES)
def test_treated_weights_are_those_of_the_columns(missing):
    sample, _ = samples(3, missing)
    regressors = event_regressors(sample)
    np.testing.assert_allclose(regressors.mass, sample.weight @ regressors.columns, **CLOSE)


@pytest.mark.parametrize("cluster", ["firm", "assignment"])
def test_standard_errors_and_counts_are_those_of_the_regression(cluster):
    sample, panel = samples(1, "drop_set")
    slow, fast = (infer(f(sample, panel), cluster) for f in (regression, closed_form))
    np.testing.assert_allclose(fast.std_errors, slow.std_errors, **CLOSE)
    assert fast.counts == slow.counts


def test_what_inference_absorbs_again_is_the_regression():
    sample, panel = samples(4, "renormalise")
    slow, fast = (f(sample, panel).regression.least_squares for f in (regression, closed_form))
    np.testing.assert_allclose(fast.residuals, slow.residuals, **CLOSE)
    np.testing.assert_allclose(fast.absorbed.columns, slow.absorbed.columns, **CLOSE)


def test_another_column_has_the_effects_that_the_regression_gives_it():
    sample, panel = samples(5, "drop_set")
    y, cells = np.sin(np.arange(len(sample.y))), year_cells(sample, panel, None)
    regressors = event_regressors(sample)
    slow = coefficients(y, regressors.columns, sample.unit, cells.codes, sample.weight)
    mass = regressors.mass
    by_time = {
        time: np.average(slow[own], weights=mass[own])
        for time in {term.event_time for term in regressors.terms}
        if (own := np.array([term.event_time == time for term in regressors.terms])).any()
    }
    fast = event_values(sample, y, cells)
    found = {term.event_time: fast.estimate(term) for term in fast.terms}
    assert found == pytest.approx(by_time, rel=1e-10)


def test_an_outcome_of_firm_and_year_effects_alone_has_no_estimate():
    sample, panel = samples(2, "renormalise")
    alone = np.asarray(3.0 * sample.unit + 0.5 * sample.event_time)
    with pytest.raises(IdentificationError) as caught:
        closed_form(replace(sample, values=sample.by_unit(alone)), panel)
    assert caught.value.reason.code == "no_outcome_variation"
