"""What a table foot needs beside the estimates: baseline means, losses, outcome paths."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Floats
from pipeline.datasets.samples import LARGEST
from pipeline.effects.sample import StackedSample
from pipeline.params.outcomes import Outcome


def baseline_means(
    sample: StackedSample, panel: pd.DataFrame, outcome: Outcome
) -> dict[bool, float]:
    """Return weighted means in the reference year: a share for `any`, else the column's level.

    By whether firms are treated. A log outcome's mean is over firms of its sample, those above 0.
    """
    levels = panel[outcome.column].to_numpy(dtype=np.float64, na_value=np.nan)[sample.panel_row]
    values = sample.y if outcome.transform == "any" else levels
    at_base = sample.event_time == sample.stacks.reference
    return {
        treated: _weighted_mean(values, sample.weight, at_base & (sample.treated == treated))
        for treated in (False, True)
    }


def sample_figures(sample: StackedSample) -> dict[str, float]:
    """Return columns of SAMPLES: what missing outcomes cost, what is used, firms used twice."""
    losses = sample.losses
    used = pd.DataFrame({"firm": sample.stacks.firm[sample.unit], "unit": sample.unit})
    per_firm = used.drop_duplicates().groupby("firm").size()
    figures: dict[str, float] = {
        "n_treated_missing": losses.treated_missing,
        "firm_years_missing": losses.firm_years_missing,
        "firm_years_dropped": losses.firm_years_dropped,
        "treated_years": losses.treated_years,
        "treated_years_dropped": losses.treated_years_dropped,
        "stack_years_dropped": losses.stack_years_dropped,
        "n_firms_reused": int((per_firm > 1).sum()),
        "n_firms_moved_cluster": sample.stacks.n_firms_moved,
    }
    if sample.stacks.sets is not None:
        sets = sample.stacks.sets
        n_sets = _n_distinct(sets.set_code)
        figures["comparison_firms_per_set"] = (len(sets.unit) - n_sets) / max(n_sets, 1)
    if len(sample.y):
        cluster = sample.stacks.cluster[sample.unit]
        figures |= {
            "n_treated_clusters": _n_distinct(cluster[sample.treated]),
            "n_stacks": _n_distinct(sample.stack),
            "first_year": int(sample.year.min()),
            "last_year": int(sample.year.max()),
        }
    return figures


def mean_paths(sample: StackedSample, outcome: str) -> pd.DataFrame:
    """Return weighted means of the transformed outcome by group and event time.

    Pooled over stacks on the estimator's rows and weights, so that the composition is the same.
    """
    rows = pd.DataFrame(
        {
            "treated": sample.treated,
            "event_time": sample.event_time,
            "weight": sample.weight,
            "weighted": sample.weight * sample.y,
        }
    )
    groups = rows.groupby(["treated", "event_time"])
    sums = groups[["weight", "weighted"]].sum()
    path = (sums["weighted"] / sums["weight"]).rename("mean").reset_index()
    path["n_firms"] = groups.size().to_numpy()
    return path.assign(outcome=outcome, design=sample.stacks.design)


def _n_distinct(codes: NDArray[np.integer]) -> int:
    return len(np.unique(codes))


def _weighted_mean(values: Floats, weight: Floats, where: np.ndarray) -> float:
    total = weight[where].sum()
    return float((values[where] * weight[where]).sum() / total) if total > 0 else float("nan")


def largest_shares(shares: Floats) -> dict[str, float]:
    """Return, as CONCENTRATION has them, the shares of the largest firm and of the largest ones.

    Of few firms the largest ones' share would tell what the others have.
    """
    ordered = np.sort(shares)[::-1]
    enough = (ordered > 0).sum() >= 2 * LARGEST
    return {
        "largest_firm_share": float(ordered[:1].sum()),
        "largest_five_share": float(ordered[:LARGEST].sum()) if enough else float("nan"),
    }
