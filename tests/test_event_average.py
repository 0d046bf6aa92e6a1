"""The average of standing changes is that of the stacked event study on the same units."""

from dataclasses import replace

import numpy as np
import pytest
from moving_firms import moving_panel, moving_study

from pipeline.effects.sample import sample_of_values, values_by_unit
from pipeline.errors import IdentificationError
from pipeline.estimators.event_average import (
    LEAST_CHANGE,
    Weighed,
    average_from_entry,
    changes_of,
)
from pipeline.estimators.stacked import estimate_stacked
from pipeline.inference.analytic import infer


@pytest.fixture(scope="module")
def study():
    return moving_study(moving_panel(), "odds", "not_yet_treated").study


def weighed(stacks):
    return Weighed(stacks.weight, stacks.treated, stacks.firm, stacks.assignment)


def on_sample(study, stacks, values):
    sample = sample_of_values(stacks, values, "renormalise")
    spec = study.estimate.specs[0].only_average("odds")
    return estimate_stacked(study, spec, sample).results[0]


@pytest.mark.parametrize("cluster", ["assignment", "firm"])
@pytest.mark.parametrize("seed", range(3))
def test_estimate_and_error_are_those_of_the_event_study(study, cluster, seed):
    """Of any weights, some zero, of holes, and where a year has no comparison firm at all."""
    rng, stacks = np.random.default_rng(seed), study.stacks["odds"]
    drawn = rng.exponential(size=len(stacks.weight)) * (rng.uniform(size=len(stacks.weight)) > 0.2)
    values = values_by_unit(stacks, study.panel["sales"].to_numpy(float))
    values[rng.uniform(size=values.shape) < 0.1] = np.nan
    values[(stacks.stack == 2004) & ~stacks.treated, 4] = np.nan
    given = replace(stacks, weight=drawn)
    fast, slow = (
        infer(found, cluster)
        for found in (
            average_from_entry(changes_of(stacks, values), weighed(given)),
            on_sample(study, given, values),
        )
    )
    np.testing.assert_allclose(fast.estimated.estimates, slow.estimated.estimates, rtol=1e-11)
    np.testing.assert_allclose(fast.covariance, slow.covariance, rtol=1e-11)
    assert fast.counts.columns == slow.counts.columns
    assert fast.reasons == slow.reasons == (None,)
    assert fast.estimated.largest == slow.estimated.largest


def test_outcomes_of_years_left_out_do_not_count_against_rounding(study):
    """Large ones, in a year without comparison firms, would make every other change rounding."""
    stacks = study.stacks["odds"]
    values = values_by_unit(stacks, study.panel["sales"].to_numpy(float))
    own = stacks.stack == 2004
    values[own & ~stacks.treated, 4] = np.nan
    values[own & stacks.treated, 4] *= 1e13
    fast = average_from_entry(changes_of(stacks, values), weighed(stacks))
    slow = on_sample(study, stacks, values)
    assert fast.largest == pytest.approx(slow.largest, rel=1e-14)
    assert fast.estimates == pytest.approx(slow.estimates, rel=1e-11)


def test_equal_weights_do_not_drift(study):
    """Weights that sum to the treated only to rounding move no effect by more."""
    stacks = study.stacks["odds"]
    values = values_by_unit(stacks, study.panel["sales"].to_numpy(float))
    changes = changes_of(stacks, values)
    ones = replace(stacks, weight=np.where(stacks.treated, 1.0, 1 / 3))
    scaled = replace(stacks, weight=np.where(stacks.treated, 1.0, 1e-9 / 7))
    one, other = (average_from_entry(changes, weighed(given)) for given in (ones, scaled))
    assert one.estimates == pytest.approx(other.estimates, rel=1e-13)


def test_what_only_the_full_estimate_tells_is_left_to_it(study):
    stacks = study.stacks["odds"]
    values = values_by_unit(stacks, study.panel["sales"].to_numpy(float))
    nearly_constant = values + 100 / LEAST_CHANGE
    assert average_from_entry(changes_of(stacks, nearly_constant), weighed(stacks)) is None
    pair = np.zeros(len(stacks.weight))
    pair[[np.flatnonzero(stacks.treated)[0], np.flatnonzero(~stacks.treated)[0]]] = 1.0
    alone = replace(stacks, weight=pair)
    assert average_from_entry(changes_of(stacks, values), weighed(alone)) is None


def test_nobody_after_entry_is_a_reason(study):
    stacks = study.stacks["odds"]
    values = values_by_unit(stacks, study.panel["sales"].to_numpy(float))
    values[:, stacks.event_times >= 0] = np.nan
    with pytest.raises(IdentificationError, match="nobody_observed_after_entry"):
        average_from_entry(changes_of(stacks, values), weighed(stacks))
