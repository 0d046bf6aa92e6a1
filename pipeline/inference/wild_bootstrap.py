"""Wild cluster bootstrap for one coefficient, with the null imposed; pure numpy.

Cameron, Gelbach & Miller (2008), doi:10.1162/rest.90.3.414; Roodman, MacKinnon, Nielsen & Webb
(2019), doi:10.1177/1536867X19830877. A draw multiplies each cluster's restricted residuals by one
weight. Every draw's t statistic is a function of cluster sums, so that none needs a regression.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.absorb import TwoEffects, demean, dense_codes
from pipeline.effects.rows import Row, without_figures
from pipeline.effects.terms import ATT
from pipeline.errors import Reason
from pipeline.inference.analytic import Inferred
from pipeline.inference.cautions import UNINFORMATIVE_BELOW
from pipeline.params.inference import WildBootstrap

# Below this many clusters two-point weights give too few distinct draws: Webb (2023),
# doi:10.1111/caje.12661.
MOST_CLUSTERS_FOR_WEBB = 12
WEBB_POINTS = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])

# Draws that repeat the data give the same statistic up to rounding, and count as ties.
TIE = 1e-9
BISECTIONS = 60
WIDEST = 2.0**12

INFERENCE = "wild_bootstrap"
UNBOUNDED = Reason("unbounded_interval")


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


def wild_bootstrap_row(analytic: Row, inferred: Inferred, settings: WildBootstrap) -> Row:
    """Return the row of the average effect with a restricted wild cluster bootstrap of its t test.

    `analytic` is the same effect's row with the t test.
    """
    if not np.isfinite(analytic.get("statistic", np.nan)):
        return without_figures(analytic, INFERENCE, Reason("no_bootstrap_without_error"), "df")
    rng = np.random.default_rng(settings.seed)
    counted = settings.ties == "counted"
    level = analytic["conf_level"]
    test = wild_test(_sums(inferred), level, settings.draws, rng, count_ties=counted)
    bounded = bool(np.isfinite([test.low, test.high]).all())
    return analytic | {
        "inference": INFERENCE,
        "df": np.nan,
        "p_value": test.p_value,
        "conf_low": test.low if bounded else np.nan,
        "conf_high": test.high if bounded else np.nan,
        "reason": None if bounded else UNBOUNDED,
        "remarks": tuple(_remarks(test, counted, analytic["n_treated_clusters"])),
    }


def _remarks(test: WildTest, counted: bool, n_treated_clusters: int) -> list[Reason]:
    said = [Reason("wild_bootstrap", {"weights": test.weights, "draws": test.n_draws})]
    if not counted:
        said.append(Reason("only_larger_count"))
    elif test.n_ties:
        said.append(Reason("p_of_larger", {"p": test.larger_share}))
    if n_treated_clusters < UNINFORMATIVE_BELOW:
        count = {"n_treated_clusters": n_treated_clusters}
        said.append(Reason("wild_bootstrap_uninformative", count))
    return said


def _sums(inferred: Inferred) -> ClusterSums:
    """Return the cluster sums of the result's average effect."""
    estimated, regression = inferred.estimated, inferred.estimated.regression
    assert regression is not None, "of least squares only"
    shares = estimated.loadings[:, estimated.terms.index(ATT)]
    behind = regression.least_squares
    absorbed = behind.absorbed
    clusters = dense_codes(inferred.clusters[0][estimated.seen.firm_by_row])
    columns = combination_first(absorbed.columns, shares)
    return sums_for_draws(behind.y[absorbed.kept], columns, absorbed.effects, clusters)


def combination_first(columns: Floats, shares: Floats) -> Floats:
    """Return regressors with the same span, the first having the coefficient shares'b.

    With b_j solved from the combination, X b = (x_j / a_j) a'b + sum_i (x_i - x_j a_i / a_j) b_i.
    """
    pivot = int(np.argmax(np.abs(shares)))
    first = columns[:, pivot] / shares[pivot]
    others = np.delete(columns - np.outer(first, shares), pivot, axis=1)
    return np.column_stack([first, others])


def sums_for_draws(
    y: Floats, regressors: Floats, effects: TwoEffects, clusters: Codes
) -> ClusterSums:
    """Return the cluster sums behind draws for the first of the regressors (n, k).

    What is left of each cluster's restricted residuals after effects and other regressors is found
    cluster by cluster: G demeanings in all.
    """
    weight = effects.weight
    columns = demean(effects, np.column_stack([y, regressors]))
    others = columns[:, 2:]
    left = _residuals(columns[:, :2], others, weight)
    outcome, regressor = left.T
    n_clusters = int(clusters.max()) + 1
    parts = []
    for values in (outcome, regressor):
        total = np.empty((n_clusters, n_clusters))
        for cluster in range(n_clusters):
            alone = np.where(clusters == cluster, values, 0.0)[:, None]
            spread = _residuals(demean(effects, alone), others, weight)[:, 0]
            total[:, cluster] = np.bincount(clusters, weight * regressor * spread, n_clusters)
        parts.append(total)
    square = np.bincount(clusters, weight * regressor**2, n_clusters).astype(np.float64)
    return ClusterSums(parts[0], parts[1], square)


def _residuals(columns: Floats, others: Floats, weight: Floats) -> Floats:
    """Return the residuals of columns (n, m) on demeaned others (n, k), weighted."""
    if not others.shape[1]:
        return columns
    gram = others.T @ (weight[:, None] * others)
    return np.asarray(
        columns - others @ np.linalg.solve(gram, others.T @ (weight[:, None] * columns))
    )
