"""Simultaneous bands by the multiplier bootstrap of influence functions; pure numpy."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Clusters whose signs are drawn at once: bounds memory, and is part of what a seed means.
CLUSTERS_AT_ONCE = 4096


def simultaneous_critical_value(
    influence: Floats, conf_level: float, draws: int, rng: np.random.Generator
) -> float:
    """Return the critical value c for which estimate +- c x SE covers all k estimates at once.

    c is the quantile, over draws of a random sign for each cluster, of the largest absolute
    t statistic max_k |sum_g v_g psi_kg| / SE_k; `influence` (k, G) holds psi, SE_k^2 = sum psi^2.
    Callaway & Sant'Anna (2021), doi:10.1016/j.jeconom.2020.12.001, algorithm 1. Signs of few
    clusters take few values, so that c may fall short: it is never below the pointwise value.
    """
    standardised = influence / np.sqrt((influence**2).sum(axis=1, keepdims=True))
    n_clusters = influence.shape[1]
    statistics = np.zeros((draws, len(influence)))
    for start in range(0, n_clusters, CLUSTERS_AT_ONCE):
        part = standardised[:, start : start + CLUSTERS_AT_ONCE]
        statistics += random_signs(draws, part.shape[1], rng) @ part.T
    return _joint_quantile(statistics, np.inf, conf_level)


def random_signs(draws: int, n_clusters: int, rng: np.random.Generator) -> Floats:
    """Return draws of -1 and +1 with equal chance, shape (draws, n_clusters)."""
    packed = rng.integers(0, 256, size=(draws, -(-n_clusters // 8)), dtype=np.uint8)
    bits = np.unpackbits(packed, axis=1, count=n_clusters)
    return bits.astype(np.float64) * 2 - 1


def sup_t_critical_value(
    covariance: Floats, df: float, conf_level: float, draws: int, rng: np.random.Generator
) -> float:
    """Return the critical value c for which estimate +- c x SE covers all k estimates at once.

    c is the quantile, over draws of a k-variate t with the correlations of `covariance` (k, k) and
    `df` degrees of freedom (infinite: normal), of the largest absolute value. Montiel Olea &
    Plagborg-Moller (2019), doi:10.1002/jae.2656, algorithm 1; never below the pointwise value.
    Every variance must be positive.
    """
    scale = 1 / np.sqrt(np.diag(covariance))
    correlation = covariance * scale[:, None] * scale
    # Symmetric root: with fewer clusters than estimates the correlations are singular.
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    normal = rng.standard_normal((draws, len(correlation))) @ root.T
    spread = 1.0 if np.isinf(df) else np.sqrt(rng.chisquare(df, size=(draws, 1)) / df)
    return _joint_quantile(normal / spread, df, conf_level)


def _joint_quantile(statistics: Floats, df: float, conf_level: float) -> float:
    """Return the quantile of the largest of k absolute statistics (draws, k)."""
    from scipy import stats

    drawn = np.quantile(np.abs(statistics).max(axis=1), conf_level)
    return float(max(drawn, stats.t.ppf(0.5 + conf_level / 2, df)))
