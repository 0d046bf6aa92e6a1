"""Every estimator says how many clusters stand behind it, and where the treated ones are few."""

import numpy as np
import pytest
from bad_studies import inputs, plain_panel

from pipeline.effects.cluster_cautions import cluster_caution

COUNTS = ["n_clusters", "n_treated_clusters"]
CAUTION = "treated clusters are few: analytic intervals are too short"


@pytest.fixture(scope="module")
def estimates():
    """Every estimator and analysis on 24 firms in 12 clusters, 4 of them treated."""
    return inputs().results().estimates


def test_every_estimate_and_interval_has_its_counts(estimates):
    shown = estimates[["estimate", "conf_low"]].notna().any(axis=1)
    without = estimates[shown & estimates[COUNTS].isna().any(axis=1)]
    assert without[["estimator", "term", "inference"]].to_numpy().tolist() == []


def averages(estimates):
    """Return analytic and bounded averages with an interval; components warn in other words."""
    places = estimates[["cohort", "year", "event_time"]].isna().all(axis=1)
    plain = estimates["inference"].isin(["analytic", "imbens_manski"])
    plain &= estimates["band"] == "pointwise"
    plain &= (estimates["sample"] != "placebo_entry") & (estimates["cluster"] != "components")
    return estimates[places & plain & estimates["conf_low"].notna()]


def test_averages_over_few_treated_clusters_say_so(estimates):
    rows = averages(estimates)
    few = rows["n_treated_clusters"] < 10
    assert few.any()
    assert set(rows["estimator"]) >= {"main", "twoway", "gt_ipw", "bounds", "survival", "groups"}
    assert rows.loc[few, "note"].str.contains(CAUTION).all()


def test_ten_treated_clusters_are_enough():
    panel = plain_panel(60)
    number = panel["firm_id"].str[1:].astype(int)
    panel["cohort"] = np.where(number < 20, 2004, np.nan)
    panel["cohort"] = panel["cohort"].astype("Float64").astype("Int64")
    specs = [spec for spec in inputs().estimate.model_dump()["specs"] if spec["name"] == "main"]
    found = inputs(panel, specs=specs, analyses={}, romano_wolf=None).results().estimates
    rows = averages(found)
    assert rows["n_treated_clusters"].min() == 10
    assert not rows["note"].str.contains("treated clusters are few").any()


@pytest.mark.parametrize(("n_treated", "said"), [(1, False), (2, True), (9, True), (10, False)])
def test_the_caution_is_for_intervals_over_few_treated_clusters(n_treated, said):
    found = cluster_caution("assignment", 40, n_treated)
    assert (found is not None and found.startswith(f"{n_treated} {CAUTION}")) == said
