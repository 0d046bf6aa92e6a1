"""Specs that weight firms: whole numbers as weights are firms copied so often."""

import numpy as np
import pandas as pd
import pytest
from keyed import figure
from stacked_tables import estimation, no_matches, random_study
from statsmodels.regression.linear_model import WLS
from test_group_time_specs import group_time, pointwise, run

from pipeline.datasets.fits import FITS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import conform
from pipeline.errors import DataError
from pipeline.params.estimate import EstimateSection, StackedSpec

UNMATCHED = {"designs": ["unmatched"], "cluster": "assignment"}
SPECS = {
    "event": {"average": "event"},
    "pooled": {"average": "pooled"},
    "adjusted": {"average": "event", "covariates": ["size"]},
    "difference": {"method": "difference", "covariates": []},
    "outcome_regression": {"method": "outcome_regression", "covariates": ["size"]},
    "ipw": {"method": "ipw", "covariates": ["size"]},
    "doubly_robust": {"method": "doubly_robust", "covariates": ["size"]},
    "doubly_robust_improved": {"method": "doubly_robust_improved", "covariates": ["size"]},
}


def asked(name, **changes):
    """Return a section with one spec of the design without matching."""
    make = estimation if "average" in SPECS[name] else group_time
    section = make().model_dump(exclude_none=True)
    section["headline"]["design"] = "unmatched"
    section["specs"][0] |= UNMATCHED | SPECS[name] | changes
    return EstimateSection.model_validate(section)


@pytest.fixture(scope="module")
def study():
    """Return PANEL, WEIGHTS without matching, and COVARIATES with a weight of 1 to 3."""
    panel, _, weights = random_study(3)
    weights = weights.assign(design="unmatched", weight=1.0)
    rng = np.random.default_rng(0)
    firms = sorted(set(panel["firm_id"]))
    times = pd.Series(rng.integers(1, 4, len(firms)).astype(float), index=firms)
    size = pd.Series(rng.normal(size=len(firms)), index=firms)
    own = weights["firm_id"]
    covariates = weights[["stack", "firm_id"]].assign(size=own.map(size), times=own.map(times))
    return panel, weights, covariates


def copies(table, times):
    """Return a table with each firm's rows as often as it counts, under names of their own."""
    parts = [
        table[table["firm_id"].map(times) >= copy].assign(
            firm_id=lambda rows, copy=copy: rows["firm_id"] + f"_{copy}"
        )
        for copy in (1, 2, 3)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("name", SPECS)
def test_whole_weights_are_firms_copied_so_often(study, name):
    panel, weights, covariates = study
    times = covariates.drop_duplicates("firm_id").set_index("firm_id")["times"]
    spec = asked(name, weight_by="times")
    weighted = pointwise(run(panel, no_matches(), weights, spec, covariates=covariates))
    members = panel[panel["firm_id"].isin(times.index)]
    copied = run(
        conform(PANEL, copies(members, times)),
        no_matches(),
        copies(weights, times),
        asked(name),
        covariates=copies(covariates, times),
    )
    expected = pointwise(copied)
    known = expected["std_error"].notna()
    assert known.sum() > 3
    one, other = weighted.loc[known.index[known]], expected[known]
    np.testing.assert_allclose(one["estimate"], other["estimate"], rtol=1e-9, atol=1e-11)
    ratio = one["std_error"] / other["std_error"]
    if "method" in SPECS[name]:
        np.testing.assert_allclose(ratio, 1, rtol=1e-8)
        return
    # The small-sample factor of a regression counts rows, of which there are fewer.
    events = ratio[one["term"] == "event"]
    np.testing.assert_allclose(events, events.iloc[0], rtol=1e-8)
    assert (ratio > 1).all() and (ratio < 1.1).all()


def test_the_effect_of_one_entry_year_is_that_of_weighted_least_squares(study):
    panel, weights, covariates = study
    rows = weights[weights["stack"] == 2004]
    whole = panel[panel["year"].isin([2003, 2004])].dropna(subset=["sales"])
    change = whole.pivot(index="firm_id", columns="year", values="sales").diff(axis=1)[2004]
    spec = asked("event", weight_by="times", terms=["att"])
    found = run(panel, no_matches(), rows, spec, window=(-1, 0), covariates=covariates)
    firms = rows.set_index("firm_id").join(change.rename("change")).dropna(subset=["change"])
    own = covariates[covariates["stack"] == 2004].set_index("firm_id")["times"][firms.index]
    columns = np.column_stack([np.ones(len(firms)), firms["treated"].astype(float)])
    fit = WLS(firms["change"].to_numpy(), columns, weights=own.to_numpy()).fit()
    assert pointwise(found).loc["att", "estimate"] == pytest.approx(fit.params[1], rel=1e-10)


def test_firms_without_a_weight_are_left_out_and_counted(study):
    panel, weights, covariates = study
    holes = covariates.assign(times=covariates["times"].where(covariates.index % 4 > 0))
    spec = asked("event", weight_by="times")
    found = run(panel, no_matches(), weights, spec, covariates=holes)
    lost = holes["times"].isna()
    assert figure(found, FITS, "n_without_covariates") == lost.sum()
    fewer = run(panel, no_matches(), weights[~lost.to_numpy()], spec, covariates=covariates)
    np.testing.assert_allclose(pointwise(found)["estimate"], pointwise(fewer)["estimate"])
    with pytest.raises(DataError, match="are negative"):
        run(panel, no_matches(), weights, spec, covariates=covariates.assign(times=-1.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"designs": ["matched"]}, "matches and their weights are made without"),
        ({"randomisation": {"draws": 99, "seed": 1}}, "make the design again without it"),
        (
            {"inference": "cluster_bootstrap", "draws": 99, "seed": 1},
            "make the design again without it",
        ),
    ],
)
def test_what_cannot_carry_weights_is_refused(changes, message):
    spec = {"name": "main", "estimator": "stacked", "outcomes": "all", "terms": ["att"]}
    with pytest.raises(ValueError, match=message):
        StackedSpec.model_validate(
            spec | UNMATCHED | {"average": "event", "weight_by": "times"} | changes
        )
