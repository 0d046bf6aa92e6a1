"""Where the scores of both groups lie, as it may be published: no bin tells of few firms."""

import pandas as pd

from pipeline.datasets.arrays import Floats
from pipeline.datasets.selection import SCORE_SHARES
from pipeline.datasets.small_counts import step_runs
from pipeline.datasets.store import empty
from pipeline.exhibits.inputs import StudySettings

_GROUPS = {"share_treated": True, "share_comparison": False}


def headline_score_shares(counted: pd.DataFrame, settings: StudySettings) -> pd.DataFrame:
    """Return SCORE_SHARES of the headline's score; no rows where its design has none."""
    design = settings.estimate.headline.design
    if design == "unmatched":
        return empty(SCORE_SHARES)
    least = settings.exhibit.disclosure.min_cell_firms
    return score_shares(counted, settings.match.designs[design].score, least)


def score_shares(counted: pd.DataFrame, model: str, least: int = 1) -> pd.DataFrame:
    """Return the share of each group in the bins of a model's score; `counted` is SCORE_BINS.

    Neighbours whose counts are smaller than `least` share their firms equally.
    """
    of_model = counted[counted["model"] == model]
    groups = {
        name: of_model[of_model["treated"] == treated].sort_values("bin")
        for name, treated in _GROUPS.items()
    }
    bins = groups["share_treated"][["model", "bin", "low", "high"]].reset_index(drop=True)
    return bins.assign(
        **{name: _shares(rows["n_firms"].to_numpy(float), least) for name, rows in groups.items()}
    )


def _shares(counts: Floats, least: int) -> Floats:
    """Return shares of counts averaged over runs of bins with nobody or at least `least` firms."""
    spread = counts.copy()
    for run in step_runs(spread[:, None], least):
        spread[run.start : run.stop] = counts[run.start : run.stop].mean()
    return spread / max(float(counts.sum()), 1.0)
