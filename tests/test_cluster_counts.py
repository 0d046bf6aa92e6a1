"""Every estimator says how many clusters stand behind it, and where the treated ones are few."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bad_studies import inputs, plain_panel
from results import study_results, with_details, with_figures, with_settings

from pipeline.datasets.fits import FITS
from pipeline.datasets.matches import MATCHED
from pipeline.datasets.samples import SHARED_CLUSTERS
from pipeline.errors import Reason
from pipeline.exhibits.tables.panels import Shown, lettered_panels
from pipeline.exhibits.words.cautions import panel_warnings
from pipeline.exhibits.words.language import sentences, tell
from pipeline.inference.cautions import (
    ERRORS_BY_FIRM,
    cluster_caution,
)

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


def test_twenty_treated_clusters_are_enough():
    panel = plain_panel(120)
    number = panel["firm_id"].str[1:].astype(int)
    panel["cohort"] = np.where(number < 40, 2004, np.nan)
    panel["cohort"] = panel["cohort"].astype("Float64").astype("Int64")
    specs = [spec for spec in inputs().estimate.model_dump()["specs"] if spec["name"] == "main"]
    found = inputs(panel, specs=specs, analyses={}, romano_wolf=None).results().estimates
    rows = averages(found)
    assert rows["n_treated_clusters"].min() == 20
    assert not rows["note"].str.contains("treated clusters are few").any()


@pytest.mark.parametrize(("n_treated", "said"), [(1, False), (2, True), (19, True), (20, False)])
def test_the_caution_is_for_intervals_over_few_treated_clusters(n_treated, said):
    found = cluster_caution("assignment", 40, n_treated)
    count = {"n_treated_clusters": n_treated}
    assert found == (Reason("few_treated_clusters", count) if said else None)
    assert not said or tell(found).startswith(f"{n_treated} {CAUTION}")


@pytest.mark.parametrize(
    ("n_components", "code"),
    [
        (1, "one_component"),
        (5, "few_components_no_bootstrap"),
        (6, "few_components"),
        (19, "few_components"),
        (20, None),
    ],
)
def test_few_components_have_no_bootstrap_below_six(n_components, code):
    found = cluster_caution("components", n_components, n_components)
    assert (None if found is None else found.code) == code


def by_firm(cluster_of):
    """Return analytic averages with errors by firm, and SHARED_CLUSTERS, under given clusters."""
    panel = plain_panel(24)
    panel["cluster"] = panel["firm_id"].map(cluster_of)
    specs = [
        spec | {"cluster": "firm"}
        for spec in inputs().estimate.model_dump()["specs"]
        if spec["name"] in ("main", "twoway")
    ]
    found = inputs(panel, specs=specs, analyses={}, romano_wolf=None).results()
    return averages(found.estimates), found.details[SHARED_CLUSTERS.name]


def test_errors_by_firm_say_that_treated_firms_share_a_cluster():
    shared, sharing = by_firm(lambda firm: f"c{int(firm[1:]) // 2}")
    assert len(shared) and shared["note"].str.contains(tell(ERRORS_BY_FIRM), regex=False).all()
    assert len(sharing)
    assert (sharing["n_treated_sharing_cluster"] == shared["n_treated"].max()).all()
    alone, sharing = by_firm(lambda firm: firm)
    assert len(alone) and not alone["note"].str.contains("errors by firm", na=False).any()
    assert sharing.empty


def test_the_main_table_warns_of_errors_by_firm():
    results = study_results()
    row = {"design": results.settings.exhibit.panels[0].design, "n_treated_sharing_cluster": 31}
    told = with_details(results, SHARED_CLUSTERS, [row])
    warning = "treated that share their cluster: 31."
    assert warning not in " ".join(first_panel_warnings(told))
    estimate = told.settings.estimate
    specs = [spec.model_copy(update={"cluster": "firm"}) for spec in estimate.specs]
    settings = replace(told.settings, estimate=estimate.model_copy(update={"specs": specs}))
    assert warning in " ".join(first_panel_warnings(with_settings(told, settings)))


def test_the_main_table_counts_treated_firms_that_year_effects_leave_alone():
    results = study_results()
    panel = results.settings.exhibit.panels[0]
    row = {"design": panel.design, "outcome": "sales_log", "estimator": panel.spec}
    told = with_details(results, FITS, [row | {"n_treated_without_comparison": 17}])
    assert "without a comparison" not in " ".join(first_panel_warnings(told)), "by year alone"
    estimate = told.settings.estimate
    specs = [spec.model_copy(update={"year_effects_by": "sector"}) for spec in estimate.specs]
    settings = replace(told.settings, estimate=estimate.model_copy(update={"specs": specs}))
    said = " ".join(first_panel_warnings(with_settings(told, settings)))
    assert "leave without a comparison, and that do not move the estimate, at most: 17." in said
    hidden = with_figures(told, FITS, row, n_treated_without_comparison=pd.NA)
    few = " ".join(first_panel_warnings(with_settings(hidden, settings)))
    assert "do not move the estimate, at most: few." in few
    unknown = with_settings(results, settings)
    assert "without a comparison" not in " ".join(first_panel_warnings(unknown))


def first_panel_warnings(results):
    letter, panel = next(iter(lettered_panels(results).items()))
    return panel_warnings(results, Shown({1: "sales_log"}, {letter: panel}))


@pytest.mark.parametrize("language", ["en", "es", "pt"])
@pytest.mark.parametrize("code", ["few_treated_clusters", "few_treated_clusters_two_way"])
def test_the_caution_names_bias_reduced_errors_first(language, code):
    words = sentences(language)[f"reason.{code}"]
    assert words.index("bias_reduced (") < words.index("wild_bootstrap")


@pytest.mark.parametrize(("reused", "told"), [(12, "779, once an entry year"), (0, "779")])
def test_comparison_firms_of_several_entry_years_are_not_told_as_so_many_firms(reused, told):
    counts = {"n_comparison_in_treated_clusters": 779, "n_comparison_reused": reused}
    results = study_results()
    for design in dict.fromkeys(panel.design for panel in results.settings.exhibit.panels):
        results = with_figures(results, MATCHED, {"design": design, "stack": "all"}, **counts)
    said = " ".join(first_panel_warnings(results))
    assert f"in clusters with participants, which may be affected: {told}" in said
    assert ("once an entry year" in said) == (reused > 0)
