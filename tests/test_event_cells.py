"""The closed form of the stacked event study is the regression, to rounding."""

from dataclasses import replace

import numpy as np
import pytest
from stacked_tables import random_study, sample_of

from pipeline.effects.sample import StackedSample
from pipeline.errors import IdentificationError
from pipeline.estimators.event_cells import event_cells, fit_event_cells
from pipeline.estimators.stacked import event_regressors, fit_cells, year_cells
from pipeline.inference.analytic import infer

MISSING_RULES = ("drop_set", "renormalise")
CLOSE = {"rtol": 1e-10, "atol": 1e-12}


def samples(seed: int, missing: str) -> tuple[StackedSample, object]:
    panel, matches, _ = random_study(seed)
    return sample_of(panel, matches, (-3, 2), missing), panel


@pytest.mark.parametrize("missing", MISSING_RULES)
@pytest.mark.parametrize("seed", range(8))
def test_effects_and_influences_are_those_of_the_regression(seed, missing):
    sample, panel = samples(seed, missing)
    regressors = event_regressors(sample)
    slow = fit_cells(sample, regressors, year_cells(sample, panel, None))
    solved = event_cells(sample, sample.y)
    fast = fit_event_cells(solved)
    assert fast.terms == slow.terms
    np.testing.assert_allclose(fast.estimates, slow.estimates, **CLOSE)
    np.testing.assert_allclose(fast.influence, slow.influence, **CLOSE)
    np.testing.assert_allclose(fast.regression.bread, slow.regression.bread, **CLOSE)
    np.testing.assert_allclose(solved.mass, regressors.mass_of(slow.terms), **CLOSE)


@pytest.mark.parametrize("cluster", ["firm", "assignment"])
def test_standard_errors_are_those_of_the_regression(cluster):
    sample, panel = samples(1, "drop_set")
    cells = year_cells(sample, panel, None)
    slow = infer(fit_cells(sample, event_regressors(sample), cells), cluster)
    fast = infer(fit_event_cells(event_cells(sample, sample.y)), cluster)
    np.testing.assert_allclose(fast.std_errors, slow.std_errors, **CLOSE)
    assert fast.counts == slow.counts


def test_an_outcome_of_firm_and_year_effects_alone_has_no_estimate():
    sample, _ = samples(2, "renormalise")
    alone = 3.0 * sample.unit + 0.5 * sample.event_time
    flat = replace(sample, y=np.asarray(alone, dtype=np.float64))
    with pytest.raises(IdentificationError) as caught:
        fit_event_cells(event_cells(flat, flat.y))
    assert caught.value.reason.code == "no_outcome_variation"
