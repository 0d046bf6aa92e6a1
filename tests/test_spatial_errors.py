"""Spatial errors of specs: `cluster: distance`, over pairs of firms near each other."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from stacked_tables import estimation, outcomes, treatment

from pipeline.analyses.specs import estimate_specs
from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import conform, empty
from pipeline.effects.answers import Task
from pipeline.effects.study import outcome_sample, prepare_study
from pipeline.errors import DataError
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference import analytic
from pipeline.inference.analytic import infer
from pipeline.inference.conley import conley_covariance
from pipeline.params.estimate import EstimateSection
from pipeline.params.inference import Conley
from pipeline.selection.risk_sets import risk_sets

ENTRY = 2003
NEAR = {"cutoff_km": 40.0, "kernel": "uniform", "latitude": "lat", "longitude": "lon"}
TREATMENT = treatment(-2, 1)


def world(seed: int, n: int = 60, n_treated: int = 20, shocks: float = 0.0) -> pd.DataFrame:
    """Return PANEL, 2001 to 2004; `shocks` is the SD of what firms of one of 25 towns share."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"F{i:04d}" for i in range(n)])
    town = np.arange(n) % 25
    centre = rng.uniform([0, 0], [5, 5], (25, 2))
    at = centre[town] + rng.uniform(-0.05, 0.05, (n, 2))
    treated = np.isin(town, rng.permutation(25)[: round(25 * n_treated / n)])
    panel = pd.DataFrame([(f, y) for f in range(n) for y in range(2001, 2005)])
    firm, year = panel[0].to_numpy(), panel[1].to_numpy()
    shared = rng.normal(0, shocks, (25, 4))[town[firm], year - 2001]
    cohort = pd.Series(np.where(treated[firm], ENTRY, np.nan)).astype("Int64")
    columns = {
        "firm_id": ids[firm],
        "year": year,
        "cohort": cohort,
        "cluster": ids[firm],
        "cluster_entry": cohort,
        "sales": rng.normal(size=len(panel)) + shared,
        "lat": at[firm, 0],
        "lon": at[firm, 1],
    }
    return conform(PANEL, pd.DataFrame(columns))


def study_of(panel: pd.DataFrame, **spec: object):
    firms = risk_sets(panel, TREATMENT).firms
    share = int(firms["treated"].sum()) / int((~firms["treated"]).sum())
    weight = np.where(firms["treated"], 1.0, share)
    asked = {"cluster": "distance", "conley": NEAR, "average": "event"} | spec
    return prepare_study(
        panel,
        empty(MATCHES),
        conform(WEIGHTS, firms.assign(design="matched", weight=weight, estimand="att")),
        outcomes=outcomes(),
        treatment=TREATMENT,
        matched_times={},
        estimate=estimation(**asked),
    )


def rows_of(panel: pd.DataFrame, **spec: object) -> pd.DataFrame:
    found = estimate_specs(study_of(panel, **spec)).estimates
    return found[found["band"] == "pointwise"].set_index(["term", "event_time"]).sort_index()


def by_hand(panel: pd.DataFrame, kernel: str) -> tuple[float, float]:
    """Return the difference of changes since the base year, and its error over pairs of firms."""
    wide = panel.pivot(index="firm_id", columns="year", values="sales")
    change = (wide[[ENTRY, ENTRY + 1]].mean(axis=1) - wide[ENTRY - 1]).to_numpy()
    firms = panel.groupby("firm_id")[["cohort", "lat", "lon"]].first()
    treated = firms["cohort"].notna().to_numpy()
    left = np.where(treated, change - change[treated].mean(), change - change[~treated].mean())
    sign = np.where(treated, 1 / treated.sum(), -1 / (~treated).sum())
    influence = (sign * left)[:, None]
    places = firms["lat"].to_numpy(np.float64), firms["lon"].to_numpy(np.float64)
    variance = conley_covariance(influence, *places, Conley(cutoff_km=40, kernel=kernel))
    return change[treated].mean() - change[~treated].mean(), float(np.sqrt(variance[0, 0]))


@pytest.mark.parametrize("kernel", ["uniform", "bartlett"])
def test_the_error_of_a_spec_is_that_over_pairs_of_near_firms(kernel):
    panel = world(1, shocks=1.0)
    row = rows_of(panel, conley=NEAR | {"kernel": kernel}).loc["att"].iloc[0]
    estimate, error = by_hand(panel, kernel)
    assert row["estimate"] == pytest.approx(estimate, rel=1e-9)
    assert row["std_error"] == pytest.approx(error, rel=1e-9)
    assert (row["cluster"], row["n_clusters"], row["df"]) == ("distance", 60, 59)


def test_without_reach_errors_are_those_by_firm_without_a_factor():
    panel = world(2)
    spatial = rows_of(panel, conley=NEAR | {"cutoff_km": 0})
    by_firm = rows_of(panel, cluster="firm", conley=None)
    ratio = spatial["std_error"] / by_firm["std_error"]
    assert ratio.dropna().to_numpy() == pytest.approx(ratio.iloc[0], rel=1e-9)
    assert 0.95 < ratio.iloc[0] < 1


@pytest.mark.parametrize(
    "spec",
    [
        {"estimator": "twoway", "average": None, "terms": ["att"]},
        {"estimator": "group_time", "method": "difference", "base": "universal"}
        | {"covariates": [], "bands": True},
        {"estimator": "sun_abraham"},
        {"estimator": "cross_section", "average": None, "base_value": "subtracted"},
    ],
)
def test_every_estimator_with_influences_takes_them(spec):
    asked = {"conley": NEAR, "cluster": "distance"} | spec
    asked = {name: value for name, value in asked.items() if value is not None}
    panel = world(3, shocks=1.0)
    found = estimate_specs(_any_study(panel, asked)).estimates.set_index("term")
    row = found.loc[["att"]].iloc[0]
    assert row["std_error"] > 0
    plain = {k: v for k, v in asked.items() if k != "conley"} | {"cluster": "firm"}
    by_firm = estimate_specs(_any_study(panel, plain)).estimates.set_index("term")
    assert row["std_error"] != pytest.approx(by_firm.loc[["att"], "std_error"].iloc[0], rel=0.05)


def _any_study(panel, spec):
    named = {"name": "main", "designs": ["matched"], "outcomes": "all", "terms": ["att", "event"]}
    average = {} if spec["estimator"] in ("twoway", "cross_section") else {"average": "event"}
    base = estimation().model_dump(exclude_unset=True) | {"specs": [named | average | spec]}
    return replace(study_of(panel), estimate=EstimateSection.model_validate(base))


def test_tests_before_entry_and_stored_covariances_are_spatial_too():
    panel = world(4, shocks=1.0)
    found = estimate_specs(study_of(panel, bands=True, placebo_entry_years=1))
    rows = found.estimates.set_index(["term", "event_time", "sample", "band"]).sort_index()
    lead = rows.loc[("event", -2, "all", "pointwise")]
    test = found.tests[found.tests["test"] == "pre_trends"].iloc[0]
    assert test["statistic"] == pytest.approx(lead["statistic"] ** 2, rel=1e-9)
    stored = found.event_covariance
    own = stored[(stored["event_time"] == -2) & (stored["other_event_time"] == -2)]
    assert own["covariance"].iloc[0] == pytest.approx(lead["std_error"] ** 2, rel=1e-9)
    placebo = rows.loc[("att", pd.NA, "placebo_entry", "pointwise")]
    assert placebo["cluster"] == "distance"
    assert (rows.xs("simultaneous", level="band")["estimate"].notna()).all()
    # influences are by place, whose products alone are no covariance
    assert set(found.influence["cluster_kind"]) == {"distance"}
    assert found.influence["cluster"].str.contains(", ").all()


def test_a_negative_variance_is_missing_and_says_why(monkeypatch):
    def negative(influence, *_):
        return -(influence.T @ influence)

    monkeypatch.setattr(analytic, "conley_covariance", negative)
    found = estimate_specs(study_of(world(5)))
    att = found.estimates.set_index("term").loc["att"]
    assert np.isfinite(att["estimate"])
    assert np.isnan(att["std_error"])
    assert att["reason"] == "negative_spatial_variance"
    test = found.tests[found.tests["test"] == "pre_trends"].iloc[0]
    assert np.isnan(test["statistic"])


def test_a_firm_without_a_place_is_told():
    panel = world(6)
    panel.loc[panel["firm_id"] == "F0001", "lat"] = np.nan
    with pytest.raises(DataError, match=r"clusters by lat, lon, which 1 firms lack"):
        study_of(panel)


def test_few_places_of_treated_firms_are_said():
    panel = world(7)
    panel[["lat", "lon"]] = panel[["lat", "lon"]].round(0)
    row = rows_of(panel).loc["att"].iloc[0]
    assert "few_treated_places" in row["remarks"]
    assert row["n_treated_clusters"] < 20


def test_methods_that_take_whole_clusters_are_refused():
    for asked in ({"bias_reduced": True}, {"wild_bootstrap": {"draws": 99, "seed": 1}}):
        with pytest.raises(ValueError, match="firms that share shocks within a distance make none"):
            estimation(cluster="distance", conley=NEAR, **asked)
    with pytest.raises(ValueError, match="cluster: distance and conley go together"):
        estimation(cluster="firm", conley=NEAR)
    with pytest.raises(ValueError, match="write cluster: distance, with conley"):
        estimation(inference="conley")


def test_shocks_of_towns_need_errors_over_distances():
    covered = {"distance": 0, "firm": 0}
    for seed in range(20):
        study = study_of(world(100 + seed, n=150, n_treated=60, shocks=1.0), terms=["att"])
        (spec,), sample = study.estimate.specs, outcome_sample(study, "matched", "sales")
        answer = ESTIMATORS["stacked"].answer(Task(study, spec, "sales", sample))
        for name, cluster in (("distance", spec.clustering), ("firm", "firm")):
            inferred = infer(answer.results[0], cluster)
            covered[name] += abs(float(inferred.statistics[0])) < 2
    assert covered["distance"] >= 17
    assert covered["firm"] <= 14
