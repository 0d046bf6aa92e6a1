"""What group-time effects would report if they saw the true effects: simulated studies only."""

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.effects.stacks import Stacks
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT
from pipeline.estimators.group_time.estimate import overall_average
from pipeline.estimators.group_time.group_time_study import spec_effects
from pipeline.params.group_time_spec import GroupTimeSpec


def true_group_time(study: Study, spec: GroupTimeSpec, stacks: Stacks, effect: Floats) -> float:
    """Return the average true effect under the estimator's own weights, missing without cells.

    `effect` is the true effect by PANEL row, missing where the outcome is. Every method is linear
    in the outcome, so that applied to true effects, zero for comparison firms, it returns its own
    truth: over the firms and the cells that it can use, weighted as it weights them.
    """
    year = study.panel["year"].to_numpy(dtype=np.float64)
    after = year >= study.panel["cohort"].to_numpy(dtype=np.float64, na_value=np.inf)
    values = np.where(np.isfinite(effect), np.where(after, effect, 0.0), np.nan)
    effects, _ = spec_effects(study, spec, stacks, values)
    return overall_average(effects, spec.average).estimate(ATT)
