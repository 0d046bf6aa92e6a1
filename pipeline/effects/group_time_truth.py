"""What group-time effects would report if they saw the true effects: simulated studies only."""

import numpy as np
import pandas as pd

from pipeline.effects.group_time import GroupTimeRules, group_time_effects
from pipeline.effects.group_time_rows import overall_average
from pipeline.effects.group_time_samples import cohort_samples
from pipeline.effects.stacks import Floats, Stacks
from pipeline.params.estimate import GroupTimeSpec


def true_group_time(
    spec: GroupTimeSpec,
    stacks: Stacks,
    panel: pd.DataFrame,
    effect: Floats,
    *,
    covariates: pd.DataFrame | None,
    whole_sets: bool,
) -> float:
    """Return the average true effect under the estimator's own weights, missing without cells.

    `effect` is the true effect by PANEL row, missing where the outcome is; `covariates` is
    COVARIATES. Every method is linear in the outcome, so that applied to true effects, zero for
    comparison firms, it returns its own truth: over the firms and the cells that it can use.
    """
    year = panel["year"].to_numpy(dtype=np.float64)
    after = year >= panel["cohort"].to_numpy(dtype=np.float64, na_value=np.inf)
    found = cohort_samples(
        stacks,
        np.where(np.isfinite(effect), np.where(after, effect, 0.0), np.nan),
        panel,
        clusters=stacks.cluster,
        covariates=_adjusted_for(spec, covariates),
        whole_sets=whole_sets,
    )
    method = "outcome_regression" if spec.method == "difference" else spec.method
    rules = GroupTimeRules(method, spec.base, -1 - stacks.reference)
    average = overall_average(group_time_effects(found.samples, rules), spec.average)
    return float("nan") if average is None else average.estimate


def _adjusted_for(spec: GroupTimeSpec, covariates: pd.DataFrame | None) -> pd.DataFrame | None:
    if covariates is None or not spec.covariates:
        return None
    return covariates[["stack", "firm_id", *spec.covariates]]
