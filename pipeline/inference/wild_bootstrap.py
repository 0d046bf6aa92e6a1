"""Wild cluster bootstrap for one coefficient, with the null imposed; pure numpy.

Cameron, Gelbach & Miller (2008), doi:10.1162/rest.90.3.414; Roodman, MacKinnon, Nielsen & Webb
(2019), doi:10.1177/1536867X19830877. A draw multiplies each cluster's restricted residuals by one
weight. Every draw's t statistic is a function of cluster sums, so that none needs a regression.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from pipeline.datasets.arrays import Floats

# Below this many clusters two-point weights give too few distinct draws: Webb (2023),
# doi:10.1111/caje.12661.
MOST_CLUSTERS_FOR_WEBB = 12
WEBB_POINTS = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])

# Draws that repeat the data give the same statistic up to rounding, and count as ties.
TIE = 1e-9
BISECTIONS = 60
WIDEST = 2.0**12


@dataclass(frozen=True)
class ClusterSums:
    """Hold what draws need, for G clusters and a regressor x free of all others (and effects).

    `outcome` (G, G): in row h and column g the sum over cluster h of w x times what is left, after
    all other regressors and effects, of the outcome's residual in cluster g alone. `regressor`
    (G, G): the same for x itself in place of the outcome. `square` (G,): sums of w x^2.
    """

    outcome: Floats
    regressor: Floats
    square: Floats


@dataclass(frozen=True)
class WildTest:
    """Hold the p-value of no effect, the interval by test inversion, and how draws were made.

    `p_value` counts draws with a statistic at least as large as the data's: over all sign patterns
    two of them are the data. `larger_share` counts larger ones only, as Stata's boottest, R's
    fwildclusterboot and Roodman et al. do, and so does `p_value` where ties are left out; `n_ties`
    draws are as large. `p_value` is never zero.
    """

    p_value: float
    larger_share: float
    n_ties: int
    low: float
    high: float
    weights: str
    n_draws: int


def wild_test(
    sums: ClusterSums,
    conf_level: float,
    draws: int,
    rng: np.random.Generator,
    *,
    count_ties: bool = True,
) -> WildTest:
    """Test that the coefficient is zero, symmetric in |t|; invert the test for the interval.

    Where no draw counts, B draws show no more than p < 1 / (B + 1), which is then given.
    """
    signs, name = cluster_weights(len(sums.square), draws, rng)
    own_tie = -TIE if count_ties else TIE

    def share(null: float, tie: float = own_tie) -> float:
        statistics = _statistics(sums, null, signs)
        observed = abs(_statistics(sums, null, np.ones((1, len(sums.square))))[0])
        return float((np.abs(statistics) >= observed * (1 + tie)).mean())

    estimate = float(sums.outcome.sum() / sums.square.sum())
    low, high = (_interval_end(share, sums, estimate, side, 1 - conf_level) for side in (-1, 1))
    as_large, larger = share(0.0, -TIE), share(0.0, TIE)
    n_ties = round((as_large - larger) * len(signs))
    p_value = max(as_large if count_ties else larger, 1 / (len(signs) + 1))
    return WildTest(p_value, larger, n_ties, low, high, name, len(signs))


def cluster_weights(n_clusters: int, draws: int, rng: np.random.Generator) -> tuple[Floats, str]:
    """Return weights (draws, G) and their name: all sign patterns where there are few enough."""
    if 2**n_clusters <= draws:
        patterns = np.array(list(product((-1.0, 1.0), repeat=n_clusters)))
        return patterns, "rademacher_all"
    if n_clusters <= MOST_CLUSTERS_FOR_WEBB:
        return np.asarray(rng.choice(WEBB_POINTS, (draws, n_clusters))), "webb"
    return random_signs(draws, n_clusters, rng), "rademacher"


def random_signs(draws: int, n_clusters: int, rng: np.random.Generator) -> Floats:
    """Return draws of -1 and +1 with equal chance, shape (draws, n_clusters)."""
    packed = rng.integers(0, 256, size=(draws, -(-n_clusters // 8)), dtype=np.uint8)
    bits = np.unpackbits(packed, axis=1, count=n_clusters)
    return bits.astype(np.float64) * 2 - 1


def _statistics(sums: ClusterSums, null: float, weights: Floats) -> Floats:
    """Return t statistics (draws,) around the null, up to the factor that all draws share."""
    scores = weights @ (sums.outcome - null * sums.regressor).T
    coefficient = scores.sum(axis=1) / sums.square.sum()
    left = scores - coefficient[:, None] * sums.square
    spread = np.sqrt((left**2).sum(axis=1))
    infinite = np.full(len(spread), np.inf)
    return np.asarray(np.divide(scores.sum(axis=1), spread, out=infinite, where=spread > 0))


def _interval_end(
    p_value: Callable[[float], float], sums: ClusterSums, estimate: float, side: int, alpha: float
) -> float:
    """Return where the p-value falls to alpha on one side; infinite where it never does."""
    scores = sums.outcome.sum(axis=1) - estimate * sums.square
    step = float(np.sqrt((scores**2).sum()) / sums.square.sum())
    reach = 1.0
    while p_value(estimate + side * reach * step) > alpha:
        reach *= 2
        if reach > WIDEST:
            return side * float("inf")
    inside, outside = 0.0, reach
    for _ in range(BISECTIONS):
        middle = (inside + outside) / 2
        if p_value(estimate + side * middle * step) > alpha:
            inside = middle
        else:
            outside = middle
    return estimate + side * outside * step
