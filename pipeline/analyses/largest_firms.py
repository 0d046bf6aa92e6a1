"""The largest firm in what paths and baseline means publish."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Floats
from pipeline.datasets.dominance import OUTCOME_DOMINANCE
from pipeline.effects.sample import StackedSample, values_by_unit
from pipeline.effects.study import Study, asked, outcome_sample


def outcome_dominance(study: Study) -> pd.DataFrame:
    """Return OUTCOME_DOMINANCE: means of levels in the estimates' samples."""
    rows: list[dict[str, object]] = []
    for design, name, _ in asked(study):
        outcome = study.outcomes[name]
        if not outcome.observed or outcome.transform == "any":
            continue
        level = study.panel[outcome.column].to_numpy(float, na_value=float("nan"))
        own = {"outcome": name, "design": design}
        rows += [row | own for row in _shares(outcome_sample(study, design, name), level)]
    return pd.DataFrame(rows, columns=list(OUTCOME_DOMINANCE.columns))


def _shares(sample: StackedSample, level: Floats) -> Iterator[dict[str, object]]:
    """Yield, by group and event time, the largest firm's share in percent of a level's total."""
    stacks, values = sample.stacks, values_by_unit(sample.stacks, level)
    for treated in (False, True):
        own = stacks.treated == treated
        for column, time in enumerate(stacks.event_times.tolist()):
            units = np.flatnonzero(own & sample.observed[:, column])
            if not len(units):
                continue
            parts = np.nan_to_num(values[units, column]) * sample.weights[units, column]
            by_firm = np.abs(np.bincount(stacks.firm[units], parts))
            share = 100 * by_firm.max() / by_firm.sum() if by_firm.sum() > 0 else float("nan")
            yield {"treated": treated, "event_time": time, "share": float(share)}
