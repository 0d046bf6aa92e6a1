"""Options of group-time effects taken together, through a whole study, as R's did prints them."""

import numpy as np
import pandas as pd
import pytest
from test_group_time_panel import ON_POPULATION, REFERENCE, counties, rows
from test_reference_group_time_options import IMPROVED_SHARE, ITERATED

from pipeline.panel.treated_clusters import cluster_entry

PANEL_OF_DID = {"firms": "panel"}
NOT_YET = {"comparison": "not_yet_treated"}
DOUBLY_ROBUST = {"method": "doubly_robust"} | ON_POPULATION
IMPROVED = {"method": "doubly_robust_improved"} | ON_POPULATION
STATES = {"cluster": "assignment"}
WEIGHTED = {"weight_by": "size"}

SCENARIOS = {
    "doubly_robust_not_yet": DOUBLY_ROBUST | NOT_YET,
    "doubly_robust_weighted": DOUBLY_ROBUST | NOT_YET | WEIGHTED,
    "doubly_robust_clustered": DOUBLY_ROBUST | STATES,
    "doubly_robust_not_yet_clustered": DOUBLY_ROBUST | NOT_YET | STATES,
    "not_yet_clustered": NOT_YET | STATES,
    "always": DOUBLY_ROBUST,
    "always_anticipation": {"anticipation": 1},
    "improved_universal": IMPROVED | {"base": "universal"},
    "improved_not_yet": IMPROVED | NOT_YET,
    "ipw_clustered": {"method": "ipw", "base": "universal"} | ON_POPULATION | STATES,
    "doubly_robust_anticipation_weighted": DOUBLY_ROBUST
    | {"base": "universal", "anticipation": 1}
    | WEIGHTED,
    "anticipation_not_yet_clustered": NOT_YET | {"anticipation": 1} | STATES,
    "balanced_doubly_robust_not_yet_weighted": DOUBLY_ROBUST
    | NOT_YET
    | WEIGHTED
    | {"gaps": "balanced"},
    "balanced_clustered": {"gaps": "balanced"} | STATES,
    "gaps": {"gaps": "every_row"},
    "gaps_not_yet_weighted": NOT_YET | WEIGHTED | {"gaps": "every_row", "constant": True},
    "gaps_not_yet_weighted_clustered": NOT_YET
    | WEIGHTED
    | {"gaps": "every_row", "constant": True}
    | STATES,
}


def panel_of(scenario):
    """Return PANEL with the scenario's weights, gaps, and counties treated all along."""
    more = pd.read_csv(REFERENCE / "mpdta_gaps.csv", dtype={"seen": str}, index_col="countyreal")
    panel = counties()
    county = panel["firm_id"].astype(int)
    own = more.loc[county].reset_index()
    panel["size"] = 1 + county % 7 / 7 if "anticipation" in scenario else own["weight"]
    if "always" in scenario:
        panel["cohort"] = panel["cohort"].fillna(own["treated_since"].astype("Int64"))
        panel["cluster_entry"] = cluster_entry(panel)
    if "gaps" in scenario or "balanced" in scenario:
        position = panel["year"] - panel["year"].min()
        seen = [bits[at] == "1" for bits, at in zip(own["seen"], position, strict=True)]
        panel = panel[seen].reset_index(drop=True)
    return panel


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_study_reports_what_r_did_prints(scenario):
    found = rows(panel_of(scenario), **PANEL_OF_DID, **SCENARIOS[scenario])
    table = pd.read_csv(REFERENCE / "did_mpdta_options.csv")
    expected = table[table["scenario"] == scenario].set_index("term")
    expected = expected[expected.index.isin(found.index)]
    assert len(expected) > 15
    share = IMPROVED_SHARE if "improved" in scenario else 0.0
    for column in ("estimate", "std_error"):
        got = found.loc[expected.index, column].to_numpy(float)
        known = np.isfinite(got)
        assert known.all() or "clustered" in scenario
        assert got[known] == pytest.approx(expected[column][known], abs=ITERATED, rel=share)


def test_constant_covariates_are_known_in_gaps_as_r_did_has_them():
    """Effects only: for R's standard errors see the test of the estimator."""
    settings = DOUBLY_ROBUST | WEIGHTED | {"gaps": "every_row", "constant": True}
    found = rows(panel_of("gaps_doubly_robust_weighted"), **PANEL_OF_DID, **settings)
    table = pd.read_csv(REFERENCE / "did_mpdta_options.csv")
    expected = table[table["scenario"] == "gaps_doubly_robust_weighted"].set_index("term")
    expected = expected.loc[expected.index.isin(found.index), "estimate"]
    got = found.loc[expected.index, "estimate"].to_numpy(float)
    assert got == pytest.approx(expected.to_numpy(), abs=ITERATED)
