"""What group-time effects would report if they saw the true effects: simulated studies only."""

import numpy as np
import pandas as pd

from pipeline.effects.group_time import GroupTimeRules, group_time_effects
from pipeline.effects.group_time_rows import overall_average
from pipeline.effects.group_time_samples import cohort_samples
from pipeline.effects.stacks import Floats, Stacks
from pipeline.params.estimate import GroupTimeSpec


def true_group_time(
    spec: GroupTimeSpec, stacks: Stacks, panel: pd.DataFrame, effect: Floats, whole_sets: bool
) -> float:
    """Return the average true effect under the estimator's own weights, missing without cells.

    `effect` is the true effect by PANEL row, missing where the outcome is. Every method is linear
    in the outcome and puts weight 1/n on treated firms, so that on true effects, zero for
    comparison firms, it needs no covariates; treated firms without covariates are counted here.
    """
    year = panel["year"].to_numpy(dtype=np.float64)
    after = year >= panel["cohort"].to_numpy(dtype=np.float64, na_value=np.inf)
    found = cohort_samples(
        stacks,
        np.where(np.isfinite(effect), np.where(after, effect, 0.0), np.nan),
        panel,
        clusters=stacks.cluster,
        covariates=None,
        whole_sets=whole_sets,
    )
    rules = GroupTimeRules("outcome_regression", spec.base, -1 - stacks.reference)
    average = overall_average(group_time_effects(found.samples, rules), spec.average)
    return float("nan") if average is None else average.estimate
