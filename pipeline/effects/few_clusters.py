"""Inference on the stacked average effect where few clusters are treated."""

import numpy as np

from pipeline.effects.absorb import TwoEffects, demean, two_effects
from pipeline.effects.least_squares import Fit
from pipeline.effects.rows import Counts, Label, Row, effect_row
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacked import stacked_design
from pipeline.effects.stacks import Codes, Floats, dense_codes
from pipeline.params.estimate import WildBootstrap
from pipeline.wild_bootstrap import ClusterSums, wild_test

# MacKinnon & Webb (2018), doi:10.1111/ectj.12107: with fewer treated clusters the restricted
# bootstrap rejects next to never, the unrestricted far too often.
UNINFORMATIVE_BELOW = 6


def wild_bootstrap_row(
    label: Label,
    counts: Counts,
    fit: Fit,
    sample: StackedSample,
    *,
    cells: Codes,
    clusters: Codes,
    settings: WildBootstrap,
) -> Row:
    """Return the row `att` with a restricted wild cluster bootstrap in place of the t test.

    `cells` and `clusters` have one code per row of the sample.
    """
    error = float(np.sqrt(fit.covariance[0, 0]))
    if not error > 0:
        note = "no bootstrap: without a standard error there is no t statistic"
        return effect_row(label, "att", inference="wild_bootstrap", note=note, **vars(counts))
    sums = _fitted_sums(fit, sample, cells, clusters)
    rng = np.random.default_rng(settings.seed)
    test = wild_test(sums, label.conf_level, settings.draws, rng)
    note = f"restricted wild cluster bootstrap, {test.weights}, {test.n_draws} draws"
    if counts.n_treated_clusters < UNINFORMATIVE_BELOW:
        note += f"; uninformative with {counts.n_treated_clusters} treated clusters"
    return effect_row(
        label,
        "att",
        inference="wild_bootstrap",
        estimate=float(fit.estimates[0]),
        std_error=error,
        statistic=float(fit.estimates[0]) / error,
        p_value=test.p_value,
        conf_low=test.low,
        conf_high=test.high,
        note=note,
        **vars(counts),
    )


def _fitted_sums(fit: Fit, sample: StackedSample, cells: Codes, clusters: Codes) -> ClusterSums:
    kept = fit.kept
    regressors = stacked_design(sample, "att").columns[kept]
    unit, cell = dense_codes(sample.unit[kept]), dense_codes(cells[kept])
    effects = two_effects(unit, cell, sample.weight[kept])
    group = dense_codes(clusters[kept])
    return cluster_sums(sample.y[kept], regressors[:, fit.estimable], effects, group)


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
