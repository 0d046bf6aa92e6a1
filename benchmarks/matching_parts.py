"""Time the parts of matching, each in a process of its own: `python -m benchmarks.matching_parts`.

The firms of `benchmarks.matching`: scores by statsmodels and by the bare Newton steps of draws,
neighbours by Mahalanobis distance, entropy balancing of 20 covariates.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd

from benchmarks.matching import COVARIATES, OWN, firms
from benchmarks.side_by_side import Comparison, Side, compare


def entropy(table: pd.DataFrame) -> None:
    """Balance the means of 20 covariates."""
    from pipeline.matching.entropy import entropy_weights

    rng = np.random.default_rng(0)
    treated = table["treat"].to_numpy() == 1
    more = rng.normal(size=(len(table), 20)) + 0.1 * treated[:, None]
    columns = pd.DataFrame(more, columns=[f"z{i}" for i in range(20)])
    entropy_weights(columns, treated, np.ones(int((~treated).sum())), 1)


def score_by(
    maximiser: Literal["statsmodels", "bare steps"], link: Literal["logit", "probit"]
) -> Callable[[pd.DataFrame], None]:
    """Return the task of fitting a score."""

    def task(table: pd.DataFrame) -> None:
        from pipeline.selection.likelihood import maximise, maximise_by_statsmodels
        from pipeline.selection.score_fit import fit_score

        treated = table["treat"].to_numpy() == 1
        by = maximise_by_statsmodels if maximiser == "statsmodels" else maximise
        fit_score(table[COVARIATES], treated, link, by)

    return task


def neighbours(kind: Literal["shared", "in turn", "own"]) -> Callable[[pd.DataFrame], None]:
    """Return the task of finding neighbours by Mahalanobis distance."""

    def task(table: pd.DataFrame) -> None:
        from pipeline.matching.mahalanobis import Space, choose_nearest, share_nearest, whiten

        treated = table["treat"].to_numpy() == 1
        points = whiten(table[COVARIATES], treated, pooled=True)
        space = Space(points, np.zeros(len(table)), np.inf)
        one, zero = np.flatnonzero(treated), np.flatnonzero(~treated)
        if kind == "in turn":
            choose_nearest(space, one, zero, 1)
            return
        among, ratio = (zero, 1) if kind == "shared" else (one, 2)
        share_nearest(space, one, among, ratio, 1e-9)

    return task


TASKS = {
    "logit, statsmodels": score_by("statsmodels", "logit"),
    "logit, bare steps": score_by("bare steps", "logit"),
    "probit, statsmodels": score_by("statsmodels", "probit"),
    "probit, bare steps": score_by("bare steps", "probit"),
    "neighbours, shared": neighbours("shared"),
    "neighbours, in turn": neighbours("in turn"),
    "neighbours, own": neighbours("own"),
    "entropy balancing, 20 covariates": entropy,
}

COMPARISON = Comparison(
    name="matching_parts",
    what="parts of matching",
    counted="firms",
    simulate=firms,
    sides={name: Side(task, OWN, own=True) for name, task in TASKS.items()},
    size=1_000_000,
)

if __name__ == "__main__":
    compare(COMPARISON, __doc__)
