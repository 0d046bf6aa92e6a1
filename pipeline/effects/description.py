"""What a table foot needs beside the estimates: baseline means, losses, outcome paths."""

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Floats
from pipeline.datasets.samples import ABOVE_50, BANDS, LARGEST
from pipeline.effects.sample import StackedSample
from pipeline.panel.panel_index import n_groups
from pipeline.params.outcomes import Outcome


def baseline_means(
    sample: StackedSample, panel: pd.DataFrame, outcome: Outcome
) -> dict[bool, float]:
    """Return weighted means in the reference year: a share for `any`, else the column's level.

    By whether firms are treated. A log outcome's mean is over firms of its sample, those above 0.
    """
    stacks, base = sample.stacks, sample.stacks.reference_column
    levels = panel[outcome.column].to_numpy(dtype=np.float64, na_value=np.nan)
    own = (
        sample.values[:, base] if outcome.transform == "any" else levels[stacks.panel_row[:, base]]
    )
    return {
        treated: _weighted_mean(
            own, sample.weights[:, base], sample.observed[:, base] & (stacks.treated == treated)
        )
        for treated in (False, True)
    }


def of_all(sample: StackedSample, treated: bool) -> bool:
    """Say whether every firm of a group that enters in some year does in the reference year."""
    own = sample.stacks.treated == treated
    used, base = sample.observed.any(axis=1), sample.observed[:, sample.stacks.reference_column]
    return bool(base[own & used].all())


def sample_figures(sample: StackedSample) -> dict[str, float]:
    """Return columns of SAMPLES: what missing outcomes cost, what is used, firms used twice."""
    losses, stacks = sample.losses, sample.stacks
    used = sample.observed.any(axis=1)
    figures: dict[str, float] = {
        "n_treated_missing": losses.treated_missing,
        "firm_years_missing": losses.firm_years_missing,
        "firm_years_dropped": losses.firm_years_dropped,
        "treated_years": losses.treated_years,
        "treated_years_dropped": losses.treated_years_dropped,
        "stack_years_dropped": losses.stack_years_dropped,
        "n_firms_reused": int((np.bincount(stacks.firm[used]) > 1).sum()),
        "n_firms_moved_cluster": stacks.n_firms_moved,
    }
    if stacks.sets is not None:
        sets = stacks.sets
        n_sets = n_groups(sets.set_code)
        figures["comparison_firms_per_set"] = (len(sets.unit) - n_sets) / max(n_sets, 1)
    if used.any():
        entry, column = np.nonzero(sample.observed_years)
        years = stacks.entry_years[0][entry] + stacks.event_times[column]
        figures |= {
            "n_treated_clusters": n_groups(stacks.cluster[used & stacks.treated]),
            "n_stacks": int(sample.observed_years.any(axis=1).sum()),
            "first_year": int(years.min()),
            "last_year": int(years.max()),
        }
    return figures


def mean_paths(sample: StackedSample, outcome: str) -> pd.DataFrame:
    """Return weighted means of the transformed outcome by group and event time.

    Pooled over stacks on the estimator's rows and weights, so that the composition is the same.
    """
    parts = []
    for treated in (False, True):
        own = sample.stacks.treated == treated
        weights, values = sample.weights[own], np.where(sample.observed[own], sample.values[own], 0)
        seen = (weights > 0).sum(axis=0)
        some = seen > 0
        means = (weights * values).sum(axis=0)[some] / weights.sum(axis=0)[some]
        times = sample.stacks.event_times[some]
        columns = {"treated": treated, "event_time": times, "mean": means, "n_firms": seen[some]}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts).assign(outcome=outcome, design=sample.stacks.design)


def _weighted_mean(values: Floats, weight: Floats, where: np.ndarray) -> float:
    total = weight[where].sum()
    return float((values[where] * weight[where]).sum() / total) if total > 0 else float("nan")


def largest_shares(shares: Floats) -> dict[str, float | str | None]:
    """Return, as CONCENTRATION has them, the shares of the largest firm and of the largest ones.

    Of few firms the largest ones' share would tell what the others have.
    """
    ordered = np.sort(shares)[::-1]
    enough = (ordered > 0).sum() >= 2 * LARGEST
    one = float(ordered[:1].sum())
    five = float(ordered[:LARGEST].sum()) if enough else float("nan")
    return {
        "largest_firm_share": one,
        "largest_five_share": five,
        "largest_firm_band": _band(one),
        "largest_five_band": _band(five),
    }


def _band(share: float) -> str | None:
    """Return in which band a share lies, None for none."""
    if not share > 0:
        return None
    return next((band for edge, band in BANDS.items() if share < edge), ABOVE_50)
