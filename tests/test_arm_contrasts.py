"""Contrasts of arms: the joint covariance, in which comparison firms that arms share cancel."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from stacked_tables import estimation, outcomes, treatment

from pipeline.analyses.specs import estimate_specs
from pipeline.datasets.arms import ARMS
from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import conform, empty
from pipeline.effects.panel_firms import panel_firms
from pipeline.effects.study import Study, prepare_study
from pipeline.inference.arm_contrasts import as_contrasts, contrast_rows, effects_by_place
from pipeline.inference.conley import conley_covariance
from pipeline.inference.own_exposure import arm_effects
from pipeline.params.arms import Arms
from pipeline.params.inference import Conley
from pipeline.selection.arms import panel_of_arm
from pipeline.selection.risk_sets import risk_sets

ENTRY = 2003
EACH, NEVER = 12, 30
TREATMENT = treatment(-1, 1)
ASKED = Arms.model_validate(
    {
        "headline": "a",
        "named": {
            "a": {"source": "register", "component": ["a"]},
            "b": {"source": "register", "component": ["b"]},
        },
        "contrasts": {"difference": {"a": 1.0, "b": -1.0}, "both": {"a": 1.0, "b": 1.0}},
    }
)


def world(seed: int, cluster_of: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return PANEL and ARMS: two arms of one size, one entry year, `cluster_of` firms a cluster."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"F{i:03d}" for i in range(2 * EACH + NEVER)])
    years = np.arange(2001, 2006)
    panel = pd.DataFrame([(f, y) for f in ids for y in years], columns=["firm_id", "year"])
    place = pd.factorize(panel["firm_id"])[0]
    shuffled = rng.permutation(len(ids)) // cluster_of
    cohort = pd.Series(np.where(place < 2 * EACH, ENTRY, np.nan)).astype("Int64")
    panel = panel.assign(
        cohort=cohort,
        cluster=[f"c{shuffled[i]}" for i in place],
        cluster_entry=cohort,
        sales=rng.normal(size=len(panel)) + 0.4 * (place < EACH) * (panel["year"] >= ENTRY),
    )
    arms = pd.DataFrame(
        {"arm": ["a"] * EACH + ["b"] * EACH, "firm_id": ids[: 2 * EACH], "cohort": ENTRY}
    )
    return conform(PANEL, panel), conform(ARMS, arms.assign(until=pd.NA))


def contacts_of(arms: pd.DataFrame) -> pd.DataFrame:
    return arms.rename(columns={"cohort": "contact"})[["firm_id", "contact"]]


def effects_by_arm(panel, arms, **spec):
    found = {}
    for arm in ASKED.named:
        seen = panel_of_arm(panel, arms, contacts_of(arms), arm, 0)
        firms = risk_sets(seen, TREATMENT).firms
        n_treated = int(firms["treated"].sum())
        share = np.where(firms["treated"], 1.0, n_treated / (~firms["treated"]).sum())
        weights = firms.assign(design="matched", weight=share, estimand="att")
        study = prepare_study(
            seen,
            empty(MATCHES),
            conform(WEIGHTS, weights),
            outcomes=outcomes(),
            treatment=TREATMENT,
            matched_times={},
            estimate=estimation(**spec),
            arm=arm,
        )
        found[arm] = estimate_specs(study)
    return found


def contrasts(found) -> pd.DataFrame:
    effects = {arm: effects_by_place(own.estimates, own.kept) for arm, own in found.items()}
    table = as_contrasts(contrast_rows(effects, ASKED, {}))
    return table.set_index(["contrast", "term", "event_time"]).sort_index()


def change(panel: pd.DataFrame) -> pd.Series:
    wide = panel.pivot(index="firm_id", columns="year", values="sales")
    return wide[[ENTRY, ENTRY + 1]].mean(axis=1) - wide[ENTRY - 1]


def test_shares_are_of_firms_that_the_design_keeps_and_that_are_seen_after_entry():
    panel, arms = world(6)
    unseen = (panel["firm_id"] == "F001") & (panel["year"] >= ENTRY)
    seen = panel_of_arm(panel[~unseen], arms, contacts_of(arms), "a", 0)
    firms = risk_sets(panel_of_arm(panel, arms, contacts_of(arms), "a", 0), TREATMENT).firms
    weights = firms[firms["firm_id"] != "F000"].assign(design="matched", weight=1.0, estimand="att")
    study = prepare_study(
        seen,
        empty(MATCHES),
        conform(WEIGHTS, weights),
        outcomes=outcomes(),
        treatment=TREATMENT,
        matched_times={},
        estimate=estimation(),
        arm="a",
    )
    (behind,) = arm_effects(study, estimate_specs(study)).behind.values()
    assert set(behind["firm_id"]) == set(arms["firm_id"][2:EACH])
    assert set(behind["cohort"]) == {ENTRY} and set(behind["weight"]) == {1.0}


def test_each_arm_is_compared_with_firms_in_none():
    panel, arms = world(1)
    seen = panel_of_arm(panel, arms, contacts_of(arms), "a", 0)
    firms = risk_sets(seen, TREATMENT).firms
    assert int(firms["treated"].sum()) == EACH
    assert int((~firms["treated"]).sum()) == NEVER


def test_comparison_firms_that_arms_share_cancel_in_their_difference():
    panel, arms = world(2)
    found = effects_by_arm(panel, arms)
    row = contrasts(found).loc[("difference", "att", pd.NA)]
    dy = change(panel)
    a, b = dy.iloc[:EACH], dy.iloc[EACH : 2 * EACH]
    assert row["estimate"] == pytest.approx(a.mean() - b.mean(), rel=1e-10)
    # both arms have one small-sample factor, that of 42 firms, so that the shared ones leave none
    alone = found["a"].estimates.set_index("term").loc["att", "std_error"]
    never = dy.iloc[2 * EACH :]
    plain = a.var(ddof=0) / EACH + never.var(ddof=0) / NEVER
    expected = np.sqrt((a.var(ddof=0) + b.var(ddof=0)) / EACH * alone**2 / plain)
    assert row["std_error"] == pytest.approx(expected, rel=1e-8)
    assert row["n_clusters"] == 2 * EACH + NEVER
    assert row["std_error_apart"] > row["std_error"]
    both = contrasts(found).loc[("both", "att", pd.NA)]
    assert both["std_error_apart"] == pytest.approx(row["std_error_apart"], rel=1e-12)
    assert both["std_error"] > both["std_error_apart"]


def test_clusters_with_firms_of_both_arms_count_once():
    panel, arms = world(3, cluster_of=3)
    found = effects_by_arm(panel, arms, cluster="assignment")
    row = contrasts(found).loc[("difference", "att", pd.NA)]
    assert row["n_clusters"] == panel["cluster"].nunique()
    assert row["df"] == row["n_clusters"] - 1
    influence = pd.concat(
        [own.influence.assign(sign=sign) for own, sign in zip(found.values(), (1, -1), strict=True)]
    )
    influence = influence[influence["term"] == "att"]
    psi = (influence["influence"] * influence["sign"]).groupby(influence["cluster"]).sum()
    assert row["std_error"] == pytest.approx(float(np.sqrt((psi**2).sum())), rel=1e-12)


def test_an_arm_without_the_effect_is_a_row_with_the_reason():
    panel, arms = world(4)
    found = effects_by_arm(panel, arms)["a"]
    effects = {"a": effects_by_place(found.estimates, found.kept), "b": {}}
    table = as_contrasts(contrast_rows(effects, ASKED, {}))
    assert table["estimate"].isna().all()
    assert set(table["reason"]) == {"arm_without_effect"}


def test_effects_without_an_error_have_a_sum_without_one():
    panel, arms = world(4)
    found = effects_by_arm(panel, arms)
    effects = {arm: effects_by_place(own.estimates, ()) for arm, own in found.items()}
    table = as_contrasts(contrast_rows(effects, ASKED, {})).set_index(
        ["contrast", "term", "event_time"]
    )
    row, whole = (rows.loc[("difference", "att", pd.NA)] for rows in (table, contrasts(found)))
    assert row["estimate"] == whole["estimate"]
    assert np.isnan(row["std_error"]) and row["reason"] == "arm_without_error"


@pytest.mark.parametrize("clusters", [("assignment", "firm"), "set_and_assignment", "components"])
def test_clusters_of_a_design_or_in_two_directions_bear_no_joint_error(clusters):
    panel, arms = world(4)
    found = effects_by_arm(panel, arms)
    by_arm = {}
    for arm, own in found.items():
        kept = [replace(k, label=replace(k.label, cluster=clusters)) for k in own.kept]
        by_arm[arm] = effects_by_place(own.estimates, kept)
    table = as_contrasts(contrast_rows(by_arm, ASKED, {}))
    assert table["estimate"].notna().all() and table["std_error"].isna().all()
    assert set(table["reason"]) == {"arms_without_common_clusters"}


@pytest.mark.parametrize("comparison", ["never_treated", "not_yet_treated"])
def test_every_firm_of_the_panel_compares_until_it_is_in_contact(comparison):
    panel, arms = world(5)
    later = arms["cohort"].mask(arms["arm"] == "b", ENTRY + 1)
    seen = panel_of_arm(panel, arms, contacts_of(arms.assign(cohort=later)), "a", 0)
    asked = TREATMENT.model_copy(update={"comparison": comparison})
    study = Study(seen, {}, {}, {}, {}, asked, estimation(), None, arm="a")
    firms = panel_firms(study)
    compares = {"never_treated": -np.inf, "not_yet_treated": ENTRY + 1}[comparison]
    assert set(firms.exposed_from[EACH : 2 * EACH]) == {compares}
    assert np.isinf(firms.cohort[EACH:]).all()
    assert set(firms.exposed_from[2 * EACH :]) == {np.inf}


@pytest.mark.slow
def test_coverage_of_a_difference_is_nominal_with_the_joint_covariance():
    hits = []
    for seed in range(60):
        panel, arms = world(100 + seed)
        row = contrasts(effects_by_arm(panel, arms)).loc[("difference", "att", pd.NA)]
        hits.append(row["conf_low"] <= 0.4 <= row["conf_high"])
    # 0.95 less three Monte-Carlo errors of sqrt(.95 x .05 / 60) = .028
    assert np.mean(hits) >= 0.95 - 3 * 0.028


def test_contrasts_over_distances_take_pairs_of_all_arms():
    panel, arms = world(5)
    rng = np.random.default_rng(5)
    firm = pd.factorize(panel["firm_id"])[0]
    at = rng.uniform(0, 3, (2 * EACH + NEVER, 2))
    panel = panel.assign(lat=at[firm, 0], lon=at[firm, 1])
    near = {"cutoff_km": 60.0, "latitude": "lat", "longitude": "lon"}
    found = effects_by_arm(panel, arms, cluster="distance", conley=near, average="event")
    row = contrasts(found).loc[("difference", "att", pd.NA)]
    dy = change(panel).to_numpy()
    a, b = dy[:EACH], dy[EACH : 2 * EACH]
    influence = np.concatenate([(a - a.mean()) / EACH, -(b - b.mean()) / EACH, np.zeros(NEVER)])
    asked = Conley(cutoff_km=60)
    variance = conley_covariance(influence[:, None], *at.T, asked)[0, 0]
    assert row["std_error"] == pytest.approx(np.sqrt(variance), rel=1e-9)
    assert row["n_clusters"] == 2 * EACH + NEVER
