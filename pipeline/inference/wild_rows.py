"""The wild cluster bootstrap of an average effect, for few treated clusters."""

import numpy as np

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.absorb import TwoEffects, demean, dense_codes
from pipeline.effects.rows import Row, without_figures
from pipeline.effects.terms import ATT
from pipeline.errors import Reason
from pipeline.inference.analytic import Inferred
from pipeline.inference.cautions import UNINFORMATIVE_BELOW
from pipeline.inference.wild_bootstrap import ClusterSums, WildTest, wild_test
from pipeline.params.inference import WildBootstrap

INFERENCE = "wild_bootstrap"
UNBOUNDED = Reason("unbounded_interval")


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
    absorbed = regression.least_squares.absorbed
    clusters = dense_codes(inferred.clusters[0][estimated.seen.firm])
    columns = combination_first(absorbed.columns, shares)
    return sums_for_draws(regression.y[regression.kept], columns, absorbed.effects, clusters)


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
