"""Who chooses first without replacement, and how many comparison firms each may choose."""

from typing import Literal

import numpy as np

from pipeline.datasets.arrays import Flags, Floats, Integers

Order = Literal["largest", "smallest", "closest", "data", "random"]


def turns_by(order: Order, score: Floats, rng: np.random.Generator | None) -> Integers:
    """Return positions of treated firms in the order in which they choose.

    `score` has one entry per treated firm in row order; equal scores choose in row order.
    `random` draws a permutation from `rng`. Raises ValueError for `closest`, which has no order.
    """
    if order == "random":
        if rng is None:
            raise ValueError("a random order needs a random generator")
        return rng.permutation(len(score))
    if order == "data":
        return np.arange(len(score))
    if order == "closest":
        raise ValueError("closest pairs first is no order of treated firms")
    return np.argsort(-score if order == "largest" else score, kind="stable")


def ratios(score: Floats, treated: Flags, ratio: int, between: tuple[int, int] | None) -> Integers:
    """Return how many comparison firms each treated firm may choose, in row order.

    Without `between` everyone `ratio`. Otherwise `ratio` on average, and as many treated firms
    as possible at either bound: those with scores like the comparison firms' get the most
    (extremal matching; Ming & Rosenbaum 2000, doi:10.1111/j.0006-341X.2000.00118.x).
    """
    n = int(treated.sum())
    if between is None or n == 0:
        return np.full(n, ratio)
    least, most = between
    n_most = min((ratio * n - least * (n - 1)) // (most - least), n - 1)
    n_least = n - n_most - 1
    middle = ratio * n - least * n_least - most * n_most
    ascending = np.repeat([least, middle, most], [n_least, 1, n_most])
    if middle == 0:
        # Nobody stays without a choice: the next in line gives one up, as in MatchIt.
        ascending[n_least : n_least + 2] += np.array([1, -1])
    above = score[treated].mean() > score[~treated].mean()
    found = np.empty(n, np.int64)
    found[np.argsort(-score[treated] if above else score[treated], kind="stable")] = ascending
    return found
