"""Effects at event times whose treated firms lie in one cluster have no standard error."""

import numpy as np
import pytest
from stacked_tables import estimation, outcomes, random_study, treatment, weights_from
from told import estimate_specs

from pipeline.effects.study import prepare_study
from pipeline.params.estimate import EstimateSection

ESTIMATORS = ["stacked", "group_time", "sun_abraham", "extended_twoway", "imputation"]
GROUP_TIME = {
    "method": "difference",
    "covariates": [],
    "base": "universal",
    "bands": None,
    "terms": ["att", "event", "year", "att_gt"],
}


def run(estimator, lost_at=None, lone=2004, first_year=2001, compare_in_one=False, **changes):
    """Estimate where the firms of `lone` share a cluster; only those of 2004 are seen 3 years on.

    `lost_at`: instead, they lie in two clusters of which one is not observed at that event time.
    `compare_in_one`: their comparison firms, who serve nobody else, share a cluster in their place.
    """
    panel, matches, weights = random_study(1, missing_share=0)
    panel = panel[panel["year"].between(first_year, 2007)].copy()
    if compare_in_one:
        panel, matches, weights = _own_comparison(panel, matches)
    of_stack = matches["treated"] != compare_in_one
    alone = matches[of_stack & (matches["stack"] == lone)]["firm_id"].unique()
    for table in (panel, weights):
        own = table["firm_id"].isin(alone[3:] if lost_at is not None else [])
        table["cluster"] = table["cluster"].mask(table["firm_id"].isin(alone), "one")
        table["cluster"] = table["cluster"].mask(own, "two")
    if lost_at is not None:
        gone = panel["firm_id"].isin(alone[3:]) & (panel["year"] == 2004 + lost_at)
        panel["sales"] = panel["sales"].mask(gone)
    spec = estimation().model_dump(exclude_unset=True)["specs"][0]
    spec |= {"estimator": estimator, "average": "event", "cluster": "assignment"}
    spec |= GROUP_TIME if estimator == "group_time" else {}
    section = estimation().model_dump(exclude_unset=True) | {"specs": [spec | changes]}
    return estimate_specs(
        prepare_study(
            panel,
            matches,
            weights,
            outcomes=outcomes(),
            treatment=treatment(-3, 3),
            matched_times={},
            estimate=EstimateSection.model_validate(section),
        )
    )


def _own_comparison(panel, matches):
    """Let no firm compare in both entry years."""
    shared = set(matches[matches["stack"] == 2005]["firm_id"])
    kept = ~((matches["stack"] == 2004) & matches["firm_id"].isin(shared))
    sets = matches[kept & ~matches["treated"] | matches["treated"]]
    complete = sets.groupby("set_id")["treated"].transform("nunique") == 2
    return panel, sets[complete], weights_from(sets[complete], panel)


@pytest.mark.parametrize("lost_at", [None, 3])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_event_time_of_one_treated_cluster_has_the_reason(estimator, lost_at):
    rows = run(estimator, lost_at).estimates.set_index("named")
    assert np.isfinite(rows.loc["event[3]", "estimate"])
    assert np.isnan(rows.loc["event[3]", "std_error"])
    assert "entry years 2004 only; no standard error" in rows.loc["event[3]", "note"]
    assert "lie in a single cluster" in rows.loc["event[3]", "note"]
    assert rows.loc["event[2]", "std_error"] > 0
    partly = "leaves out entry years with a single treated or comparison cluster: 2004"
    assert (partly in str(rows.loc["event[2]", "note"])) == (lost_at is None)


@pytest.mark.parametrize("estimator", ["stacked", "group_time"])
def test_comparison_firms_of_one_cluster_leave_no_standard_error_either(estimator):
    rows = run(estimator, compare_in_one=True).estimates.set_index("named")
    assert np.isnan(rows.loc["event[3]", "std_error"])
    assert "comparison firms lie in a single cluster" in rows.loc["event[3]", "note"]
    assert "or comparison cluster: 2004" in rows.loc["event[2]", "note"]


def test_a_year_in_which_one_cluster_has_entered_has_the_reason_too():
    rows = run("group_time").estimates.set_index("named")
    assert np.isnan(rows.loc[["year[2004]", "att_gt[2004,2004]"], "std_error"]).all()
    assert rows.loc["year[2005]", "std_error"] > 0


def test_a_bin_of_such_event_times_has_the_reason():
    bins = [{"first_event_time": a, "last_event_time": b} for a, b in ((2, 3), (3, 3))]
    rows = run("stacked", event_bins=bins).estimates.set_index("named")
    assert rows.loc["event_bin[2,3]", "std_error"] > 0
    assert np.isnan(rows.loc["event_bin[3,3]", "std_error"])


def test_such_leads_leave_the_pre_trend_test():
    """Their variance, without its treated part, would reject too often."""
    found = run("sun_abraham").tests.iloc[0]
    assert found["note"].endswith("2 without a standard error left out")
    assert found["df"] == 2


def test_a_lead_of_one_treated_cluster_leaves_the_stacked_test():
    found = run("stacked", lone=2005, first_year=2002).tests.iloc[0]
    assert found["df"] == 1
    assert found["note"] == "event times −2; without a standard error and left out: −3"
