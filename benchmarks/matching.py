"""Score and 1:1 nearest matching, side by side: `python -m benchmarks.matching 100000 1000000`.

One in ten firms is treated; a logit on five covariates, then nearest neighbours without
replacement on the linear score, caliper 0.2 SD, inside 20 exact cells. Beside it pymatchit-causal
(where installed, up to 100,000 firms) and a plain neighbour search by scikit-learn (with
replacement, no caliper), on the same firms. Entropy balancing of 20 covariates comes last.
Times are wall-clock on this machine, noisy on a shared one; ratios within a run count. What takes
under a second is run three times, whoever's it is, and the shortest counts.
"""

import argparse
import contextlib
import io
import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from pipeline.matching.entropy import entropy_weights
from pipeline.matching.mahalanobis import Space, choose_nearest, share_nearest, whiten
from pipeline.matching.nearest import caliper_width, match_nearest
from pipeline.selection.likelihood import Link, Maximiser, maximise, maximise_by_statsmodels
from pipeline.selection.propensity import fit_score

COVARIATES = [f"x{i}" for i in range(1, 6)]

# Beyond this pymatchit-causal takes hours.
MOST_FOR_PYMATCHIT = 100_000


def firms(n: int) -> pd.DataFrame:
    """Draw firms whose treatment depends on their covariates; exactly one in ten is treated."""
    rng = np.random.default_rng(n)
    table = pd.DataFrame(rng.normal(size=(n, len(COVARIATES))), columns=COVARIATES)
    index = 0.3 * table.sum(axis=1).to_numpy() + rng.logistic(size=n)
    treated = index >= np.sort(index)[-(n // 10)]
    return table.assign(treat=treated.astype(int), cell=rng.integers(0, 20, n))


def ours(table: pd.DataFrame) -> int:
    """Score and match; return the number of matched treated firms."""
    treated = table["treat"].to_numpy() == 1
    score = fit_score(table[COVARIATES], treated, "logit").linear_score
    sets = match_nearest(
        score,
        treated,
        ratio=1,
        replacement=False,
        caliper=caliper_width(score, treated, 0.2, "all"),
        cells=table["cell"].to_numpy(),
        order="largest",
        tie_tolerance=0.0,
    )
    return len(sets.treated)


def scikit_learn(table: pd.DataFrame) -> int:
    """Score without penalty, then ask for the nearest neighbour in each cell."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import NearestNeighbors

    model = LogisticRegression(C=np.inf).fit(table[COVARIATES], table["treat"])
    score = model.decision_function(table[COVARIATES])[:, None]
    treated, cell = table["treat"].to_numpy() == 1, table["cell"].to_numpy()
    for value in np.unique(cell):
        inside = cell == value
        found = NearestNeighbors(n_neighbors=1).fit(score[inside & ~treated])
        found.kneighbors(score[inside & treated])
    return int(treated.sum())


def pymatchit(table: pd.DataFrame) -> int:
    """Match by pymatchit-causal with the same rules; return the number of matched treated."""
    from pymatchit import MatchIt

    with contextlib.redirect_stdout(io.StringIO()):
        model = MatchIt(table, method="nearest", exact=["cell"], caliper=0.2)
        model.fit(f"treat ~ {' + '.join(COVARIATES)}")
    return int(model.matched_data["treat"].sum())


def entropy(table: pd.DataFrame) -> int:
    """Balance the means of 20 covariates."""
    rng = np.random.default_rng(0)
    treated = table["treat"].to_numpy() == 1
    more = rng.normal(size=(len(table), 20)) + 0.1 * treated[:, None]
    columns = pd.DataFrame(more, columns=[f"z{i}" for i in range(20)])
    return len(entropy_weights(columns, treated, np.ones(int((~treated).sum())), 1))


def score_by(maximiser: Maximiser, link: Link) -> Callable[[pd.DataFrame], int]:
    """Return the task of fitting a score."""

    def task(table: pd.DataFrame) -> int:
        treated = table["treat"].to_numpy() == 1
        return len(fit_score(table[COVARIATES], treated, link, maximiser).linear_score)

    return task


def neighbours(kind: str) -> Callable[[pd.DataFrame], int]:
    """Return the task of finding neighbours by Mahalanobis distance."""

    def task(table: pd.DataFrame) -> int:
        treated = table["treat"].to_numpy() == 1
        points = whiten(table[COVARIATES], treated, pooled=True)
        space = Space(points, np.zeros(len(table)), np.inf)
        one, zero = np.flatnonzero(treated), np.flatnonzero(~treated)
        if kind == "in turn":
            return len(choose_nearest(space, one, zero, 1).treated)
        among, ratio = (zero, 1) if kind == "shared" else (one, 2)
        return len(share_nearest(space, one, among, ratio, 1e-9).treated)

    return task


PARTS = {
    "logit, statsmodels": score_by(maximise_by_statsmodels, "logit"),
    "logit, bare steps": score_by(maximise, "logit"),
    "probit, statsmodels": score_by(maximise_by_statsmodels, "probit"),
    "probit, bare steps": score_by(maximise, "probit"),
    "neighbours, shared": neighbours("shared"),
    "neighbours, in turn": neighbours("in turn"),
    "neighbours, own": neighbours("own"),
    "entropy balancing": entropy,
}


def timed(name: str, task: Callable[[pd.DataFrame], int], table: pd.DataFrame) -> float:
    """Time a task; print its seconds and the peak memory of the process so far."""
    runs: list[float] = []
    while sum(runs) < 1 and len(runs) < 3:
        started = time.perf_counter()
        n_matched = task(table)
        runs.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(table):>9,} {name:<20} {min(runs):8.3f} s {peak:7.0f} MiB peak {n_matched:>8,}")
    return min(runs)


def main(sizes: list[int]) -> None:
    """Run every matcher on every size, and print the ratios."""
    seconds = {}
    for n in sizes:
        table = firms(n)
        for task in (ours, scikit_learn):
            task(table.head(2000))  # imports are not what is compared
        seconds[n] = timed("cluster-impact", ours, table)
        plain = timed("scikit-learn", scikit_learn, table)
        print(f"{'':>9} scikit-learn takes {plain / seconds[n]:.1f} times as long")
        if n <= MOST_FOR_PYMATCHIT:
            _beside_pymatchit(table, seconds[n])
        for name, task in PARTS.items():
            task(table.head(2000))
            timed(name, task, table)
    if len(sizes) > 1:
        first, last = sizes[0], sizes[-1]
        print(f"{first:,} to {last:,} firms: {seconds[last] / seconds[first]:.1f} times the time")


def _beside_pymatchit(table: pd.DataFrame, own: float) -> None:
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            pymatchit(table.head(2000))
        other = timed("pymatchit-causal", pymatchit, table)
    except ImportError:
        print(f"{'':>9} pymatchit-causal is not installed: pip install pymatchit-causal")
        return
    print(f"{'':>9} pymatchit-causal takes {other / own:.0f} times as long")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("firms", nargs="*", type=int, default=[100_000], help="numbers of firms")
    main(parser.parse_args().firms)
