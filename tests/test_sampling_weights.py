"""Specs that weight firms: whole numbers as weights are firms copied so often."""

import numpy as np
import pandas as pd
import pytest
from keyed import figure
from stacked_tables import estimation, no_matches, outcomes, random_study, treatment
from statsmodels.regression.linear_model import WLS
from test_group_time_specs import group_time, pointwise, run

from pipeline.analyses.largest_firms import outcome_dominance
from pipeline.datasets.fits import FITS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import conform
from pipeline.effects.study import prepare_study
from pipeline.errors import DataError
from pipeline.params.estimate import EstimateSection, StackedSpec

SALES = {"column": "sales", "unit": "US$", "label": "Sales"}
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


def largest_weights(study, name, transform="log", **changes):
    """Return the largest firm's share in a spec's weights by group and event time."""
    panel, weights, covariates = study
    found = outcome_dominance(
        prepare_study(
            panel,
            no_matches(),
            weights,
            outcomes=outcomes(sales=SALES | {"transform": transform}),
            treatment=treatment(-3, 2),
            matched_times={},
            estimate=asked(name, **changes),
            covariates=covariates,
        )
    )
    own = found[found["estimator"] == "main"]
    return own.set_index(["treated", "event_time"])["share"].sort_index()


@pytest.fixture(scope="module")
def one_large(study):
    """Return the study with sales above zero, in every year, and one treated firm that weighs."""
    panel, weights, covariates = study
    panel = panel.assign(sales=np.exp(panel["sales"].fillna(0.0)))
    first = weights.loc[weights["treated"], "firm_id"].iloc[0]
    large = covariates["times"].mask(covariates["firm_id"] == first, 500.0)
    return panel, weights, covariates.assign(times=large), first


@pytest.mark.parametrize("name", ["event", "pooled", "difference", "ipw"])
def test_the_largest_share_of_weights_is_told_by_group_and_event_time(one_large, name):
    *given, first = one_large
    panel, weights, covariates = given
    shares = largest_weights(given, name, weight_by="times")
    own = weights.merge(covariates, on=["stack", "firm_id"])
    seen = own.merge(panel.assign(at=panel["year"]), on="firm_id")
    base = seen[seen["at"] == seen["stack"] - 1]
    treated = base[base["treated"]].groupby("firm_id")["times"].sum()
    assert treated.idxmax() == first
    assert shares[True, -1] == pytest.approx(100 * treated.max() / treated.sum())
    scale = base[base["treated"]].groupby("stack")["times"].sum()
    others = base[~base["treated"]]
    total = others.groupby("stack")["times"].transform("sum")
    mass = (others["times"] * others["stack"].map(scale) / total).groupby(others["firm_id"]).sum()
    assert shares[False, -1] == pytest.approx(100 * mass.max() / mass.sum())
    assert (shares[True] > 75).all() and (shares[False] < 75).all()
    assert largest_weights(given, name).empty


@pytest.mark.parametrize("name", ["event", "difference"])
def test_of_effects_in_levels_the_share_is_that_of_weighted_levels_where_it_is_more(
    one_large, study, name
):
    panel, weights, _, first = one_large
    sales = panel["sales"].where(panel["firm_id"] != first, 1e6)
    given = panel.assign(sales=sales), weights, study[2]
    in_logs = largest_weights(given, name, weight_by="times")
    for transform in ("level", "asinh"):
        shares = largest_weights(given, name, transform, weight_by="times")
        assert (shares[True] > 99).all() and (in_logs[True] < 75).all()
