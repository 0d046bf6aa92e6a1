"""Event studies with all their covariances, and what follows from them, as R and Stata print them.

Sources in reference/README.md.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from group_time_samples import full_samples
from test_reference_cohorts import flat_panel

from pipeline.effects.terms import ATT, event
from pipeline.estimators.cohort_regression import (
    event_time_averages,
    fit_extended_twoway,
    fit_sun_abraham,
)
from pipeline.estimators.goodman_bacon import goodman_bacon, share_by_kind
from pipeline.estimators.group_time.group_time import GroupTimeRules, group_time_effects
from pipeline.estimators.group_time.group_time_averages import event_averages
from pipeline.estimators.imputation import impute, imputed_averages
from pipeline.estimators.twoway import fit_twoway
from pipeline.inference.analytic import infer
from pipeline.inference.bands import simultaneous_critical_value

REFERENCE = Path(__file__).parent / "reference"
PRINTED = json.loads((REFERENCE / "event_study.json").read_text(encoding="utf-8"))
COUNTIES = pd.read_csv(REFERENCE / "counties.csv.gz")


def flat():
    cohort = COUNTIES["first_treat"].replace(0, np.inf).to_numpy(dtype=float)
    county, year = COUNTIES["countyreal"].to_numpy(), COUNTIES["year"].to_numpy()
    return flat_panel(COUNTIES["lemp"].to_numpy(), cohort, county, year)


def at(estimated, times):
    """Return the effects at event times and their covariance, clustered by firm."""
    inferred = infer(estimated.where([event(time) for time in times]), "firm")
    return inferred.estimated.estimates, inferred.covariance


def group_time(times):
    wide = COUNTIES.pivot(index="countyreal", columns="year", values="lemp")
    own = COUNTIES.drop_duplicates("countyreal").set_index("countyreal").loc[wide.index]
    first = own["first_treat"].replace(0, np.inf).to_numpy(dtype=float)
    samples = full_samples(wide, first, never_only=True)
    rules = GroupTimeRules("outcome_regression", "universal", 0)
    return at(event_averages(group_time_effects(samples, rules)), times)


def sun_abraham(times):
    return at(event_time_averages(fit_sun_abraham(flat(), -1)), times)


def extended_twoway(times):
    return at(event_time_averages(fit_extended_twoway(flat(), -1, None, "cohort")), times)


def imputation(times):
    sample = flat()
    imputed = impute(sample)
    own = [(sample.year - sample.cohort == time) & imputed.imputable for time in times]
    weights = np.column_stack([rows / rows.sum() for rows in own])
    terms = [event(time) for time in times]
    return at(imputed_averages(imputed, sample, weights, terms), times)


@pytest.mark.parametrize(
    ("estimator", "relative"),
    [(group_time, 1e-10), (sun_abraham, 1e-10), (extended_twoway, 1e-8), (imputation, 2e-9)],
)
def test_effects_by_event_time_and_their_covariances(estimator, relative):
    """R's did, fixest and etwfe, Stata's did_imputation; variances to a share of the largest."""
    printed = PRINTED[estimator.__name__]
    estimates, covariance = estimator(printed["times"])
    assert estimates == pytest.approx(printed["beta"], abs=2e-13)
    expected = np.array(printed["vcov"])
    assert covariance == pytest.approx(expected, abs=relative * expected.max())


@pytest.mark.parametrize("estimator", [group_time, sun_abraham])
@pytest.mark.parametrize("after", [False, True])
def test_critical_values_of_simultaneous_bands(estimator, after):
    """R's mvtnorm on those covariances, all event times or those after entry; 95 percent."""
    printed = PRINTED[estimator.__name__]
    chosen = np.array(printed["times"]) >= (0 if after else -9)
    covariance = estimator(printed["times"])[1][np.ix_(chosen, chosen)]
    found = simultaneous_critical_value(covariance, np.inf, 0.95)
    critical = PRINTED["critical_values"][estimator.__name__]["post" if after else "all"]
    assert found == pytest.approx(critical, abs=0.002)


def test_weighted_decomposition_as_bacondecomp():
    """Stata's bacondecomp with weights 1 to 7: early and late entrants together, and never.

    It keeps weights of comparisons in single precision.
    """
    sample = flat()
    weight = 1.0 + sample.firm % 7
    weighted = type(sample)(**(vars(sample) | {"weight": weight}))
    parts = goodman_bacon(weighted)
    share = share_by_kind(parts)
    assert fit_twoway(weighted).estimate(ATT) == pytest.approx(-0.03957314984034883, abs=1e-13)
    never = sum(p.weight * p.estimate for p in parts if p.kind == "never") / share["never"]
    timing = sum(p.weight * p.estimate for p in parts if p.kind != "never") / (1 - share["never"])
    assert (never, share["never"]) == pytest.approx(
        (-0.03174594996702124, 0.4656053082297643), abs=2e-8
    )
    assert timing == pytest.approx(-0.046392802200449015, abs=2e-8)
