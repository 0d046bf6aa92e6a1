"""Inference on the stacked average effect where few clusters are treated."""

from typing import Any

import numpy as np

from pipeline.effects.absorb import TwoEffects, demean, dense_codes
from pipeline.effects.cluster_cautions import UNINFORMATIVE_BELOW
from pipeline.effects.least_squares import absorb
from pipeline.effects.rows import Row
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacks import Floats
from pipeline.estimators.stacked import Term, average_shares, stacked_regressors
from pipeline.inference.wild_bootstrap import ClusterSums, wild_test
from pipeline.panel.panel_index import Codes
from pipeline.params.inference import WildBootstrap

UNBOUNDED = "no interval: no effect is too large for the draws to reject"


def wild_bootstrap_row(
    analytic: Row,
    sample: StackedSample,
    term: Term,
    *,
    cells: Codes,
    clusters: Codes,
    settings: WildBootstrap,
) -> Row:
    """Return the row of the average effect with a restricted wild cluster bootstrap of its t test.

    `analytic` is the same effect's row with the t test; the average is that of the regression of
    `term`. `cells` and `clusters` have one code per row of the sample.
    """
    row = analytic | {"inference": "wild_bootstrap", "df": np.nan}
    if not np.isfinite(analytic.get("statistic", np.nan)):
        return row | {"note": "no bootstrap: without a standard error there is no t statistic"}
    sums = _average_sums(sample, term, cells, clusters)
    rng = np.random.default_rng(settings.seed)
    counted = settings.ties == "counted"
    test = wild_test(sums, analytic["conf_level"], settings.draws, rng, count_ties=counted)
    note = f"restricted wild cluster bootstrap, {test.weights}, {test.n_draws} draws"
    if not counted:
        note += "; only larger statistics count (boottest)"
    elif test.n_ties:
        note += f"; p = {test.larger_share:.4g} where only larger statistics count (boottest)"
    if analytic["n_treated_clusters"] < UNINFORMATIVE_BELOW:
        note += f"; uninformative with {analytic['n_treated_clusters']} treated clusters"
    bounded = np.isfinite([test.low, test.high]).all()
    found: dict[str, Any] = {
        "p_value": test.p_value,
        "conf_low": test.low if bounded else np.nan,
        "conf_high": test.high if bounded else np.nan,
    }
    return row | found | {"note": note if bounded else f"{note}; {UNBOUNDED}"}


def _average_sums(sample: StackedSample, term: Term, cells: Codes, clusters: Codes) -> ClusterSums:
    regressors = stacked_regressors(sample, term)
    absorbed = absorb(regressors.columns, sample.unit, cells, sample.weight)
    kept, used = absorbed.kept, absorbed.estimable
    columns = combination_first(
        regressors.columns[kept][:, used], average_shares(regressors, used)[used]
    )
    return cluster_sums(sample.y[kept], columns, absorbed.effects, dense_codes(clusters[kept]))


def combination_first(columns: Floats, shares: Floats) -> Floats:
    """Return regressors with the same span, the first having the coefficient shares'b.

    With b_j solved from the combination, X b = (x_j / a_j) a'b + sum_i (x_i - x_j a_i / a_j) b_i.
    """
    pivot = int(np.argmax(np.abs(shares)))
    first = columns[:, pivot] / shares[pivot]
    others = np.delete(columns - np.outer(first, shares), pivot, axis=1)
    return np.column_stack([first, others])


def cluster_sums(
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
