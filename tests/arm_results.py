"""Made-up results of a study with arms: two of participants, two rings of exposed firms."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from results import OUTCOMES as ALL_OUTCOMES
from results import study_results, with_settings

from pipeline.datasets.arms import ARM_CONTRASTS, ARM_FLOW
from pipeline.datasets.exposure import EXPOSED
from pipeline.datasets.reasons import packed_remarks
from pipeline.datasets.store import conform
from pipeline.errors import Reason
from pipeline.exhibits.inputs import StudyResults
from pipeline.params.treatment import TreatmentSection

LABELS = {
    "training": "Training",
    "credit": "Credit",
    "within_5": "Within 5 km",
    "within_15": "5 to 15 km",
    "less_credit": "Training less credit",
}
DIRECT = {
    "training": {"source": "register", "component": ["training"]},
    "credit": {"source": "register", "component": ["credit"]},
}
EXPOSED_ARMS = {
    "within_5": {"source": "exposure", "exposure": "near", "classes": [1]},
    "within_15": {"source": "exposure", "exposure": "near", "classes": [2]},
}
_RINGS = {"kind": "ring", "latitude": "lat", "longitude": "lon", "edges_km": [5.0, 15.0]}
OUTCOMES = {name: ALL_OUTCOMES[name] for name in ("sales_log", "exports_any")}
HEADLINE = ("covariates_lags", "stacked")


def arm_results(*, exposed: bool = True, **exhibit: Any) -> StudyResults:
    """Return the headline arm's results with those of all arms; `exhibit` replaces its settings."""
    made = study_results(OUTCOMES, arm_labels=LABELS, **exhibit)
    chosen = replace(made.settings, treatment=_treatment(exposed=exposed))
    one = with_settings(made, chosen)
    by_arm = {arm: _of_arm(one, arm) for arm in chosen.treatment.arms.named}
    return replace(
        by_arm["training"],
        arms=by_arm,
        arm_flow=_flow(list(by_arm)),
        arm_contrasts=_contrasts(by_arm, exposed=exposed),
        exposed=_exposed() if exposed else None,
    )


def _treatment(*, exposed: bool) -> TreatmentSection:
    named = DIRECT | (EXPOSED_ARMS if exposed else {})
    section = {
        "entry": {"source": "register", "programme": None, "other_programmes": "keep"},
        "anticipation_years": 0,
        "comparison": "never_treated",
        "window": {"first_event_time": -3, "last_event_time": 3},
        "arms": {
            "headline": "training",
            "named": named,
            "contrasts": {"less_credit": {"training": 1.0, "credit": -1.0}},
        },
    }
    rings = {"near": {**_RINGS, "precision_km": 1.0}} if exposed else {}
    return TreatmentSection.model_validate(section | {"exposure": rings})


def _of_arm(results: StudyResults, arm: str) -> StudyResults:
    """Return an arm's results with effects of a size of their own, and of their estimand."""
    shrunk = {"training": 1.0, "credit": 0.5, "within_5": 0.4, "within_15": 0.02}[arm]
    estimates = results.estimates.copy()
    for name in ("estimate", "conf_low", "conf_high"):
        estimates[name] = estimates[name] - (1 - shrunk) * results.estimates["estimate"]
    estimates["estimand"] = "spill" if arm in EXPOSED_ARMS else "total_on_treated"
    return replace(results, estimates=estimates, arm=arm)


def effect(results: StudyResults, outcome: str) -> float:
    """Return the stored average effect under the headline's design and spec."""
    rows = results.estimates.set_index(["outcome", "design", "estimator", "term"]).sort_index()
    rows = rows[rows["band"] == "pointwise"]
    return float(rows.loc[(outcome, *HEADLINE, "att"), "estimate"])


def _contrasts(by_arm: dict[str, StudyResults], *, exposed: bool) -> pd.DataFrame:
    sums: dict[tuple[str, str], dict[str, float]] = {
        ("contrast", "less_credit"): {"training": 1, "credit": -1}
    }
    if exposed:
        sums[("own", "training")] = {"training": 1, "within_5": -1}
        sums[("overall", "all")] = {arm: 0.25 for arm in by_arm}
    rows = [
        _sum_row(by_arm, of, weights, outcome)
        for of, weights in sums.items()
        for outcome in OUTCOMES
    ]
    return conform(ARM_CONTRASTS, pd.DataFrame(rows).reindex(columns=list(ARM_CONTRASTS.columns)))


def _sum_row(
    by_arm: dict[str, StudyResults], of: tuple[str, str], weights: dict[str, float], outcome: str
) -> dict[str, Any]:
    value = sum(weight * effect(by_arm[arm], outcome) for arm, weight in weights.items())
    remarks = [Reason("spillover_as_on_exposed")] if of[0] == "own" else []
    figures = {"estimate": value, "conf_low": value - 0.02, "conf_high": value + 0.02}
    return {
        "estimand": of[0],
        "contrast": of[1],
        "exposure": None if of[0] == "contrast" else "near",
        "outcome": outcome,
        **dict(zip(("design", "estimator"), HEADLINE, strict=True)),
        "term": "att",
        **figures,
        "std_error": 0.01,
        "std_error_apart": 0.012,
        "df": 59.0,
        "p_value": 0.01,
        "n_clusters": 60,
        "remarks": packed_remarks(remarks),
    }


def _flow(arms: list[str]) -> pd.DataFrame:
    counts = {"n_listed": 70, "n_joint": 0, "n_after_another": 10, "n_until": 0, "n_entrants": 60}
    rows = pd.DataFrame([{"arm": arm, **counts} for arm in arms])
    return conform(ARM_FLOW, rows.reindex(columns=list(ARM_FLOW.columns)))


def _exposed() -> pd.DataFrame:
    rows = [(0, 420, np.nan, 0.0, 0.0), (1, 150, 2.29, 0.0, 5.0), (2, 150, 8.86, 5.0, 15.0)]
    frame = pd.DataFrame(rows, columns=["class", "n_firms", "mean", "above", "up_to"])
    frame.loc[frame["class"] == 0, ["above", "up_to"]] = np.nan
    told = {"exposure": "near", "measure": "km", "n_cells": 30, "n_entered": 6, "n_stronger": 7}
    share = frame["n_firms"] / frame["n_firms"].sum()
    return conform(
        EXPOSED, frame.assign(**told, share=share, n_participants=120, n_also=0, n_outside=0)
    )
