"""Covariance matrices, degrees of freedom, tests and intervals.

Small-sample convention of Stata reghdfe and R fixest: G/(G-1) x (N-1)/(N-K), where K counts
the regressors and the absorbed effects that are not nested in the cluster, and t with G-1
degrees of freedom. Cameron & Miller (2015), doi:10.3368/jhr.50.2.317, section II.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.estimated import ROUNDING

# A joint test divides by the covariance: beyond this condition number (of the correlation
# matrix) the statistic is rounding noise.
SINGULAR = 1e12


@dataclass(frozen=True)
class Intervals:
    """Hold t statistics, two-sided p-values and interval ends; arrays of shape (k,)."""

    statistic: Floats
    p_value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class WaldTest:
    """Hold an F or chi-squared statistic, its degrees of freedom, and the p-value.

    The denominator's degrees of freedom are infinite where the statistic is chi-squared.
    """

    statistic: float
    df: int
    df_denominator: float
    p_value: float


def n_parameters(n_regressors: int, sizes: Sequence[int], nested: Sequence[bool]) -> int:
    """Count K, the parameters that the small-sample factor pays for.

    `sizes` are the numbers of effects in each absorbed set, one normalisation short of their
    sum; a set nested in the clusters costs nothing but the constant. With x1, treat x post, 108
    firms nested in the cluster and ten periods, K = 12. Rule of R fixest, `K.fixef = "nested"`.
    """
    absorbed = sum(sizes) - max(len(sizes) - 1, 0)
    free = sum(size - 1 for size, is_nested in zip(sizes, nested, strict=True) if is_nested)
    return n_regressors + absorbed - free


def cluster_sums(influence: Floats, clusters: Codes) -> Floats:
    """Return the sums of influences (F, k) by cluster code, shape (G, k)."""
    sums = np.zeros((int(clusters.max(initial=-1)) + 1, influence.shape[1]), order="F")
    for position, column in enumerate(influence.T):
        sums[:, position] = np.bincount(clusters, column, len(sums))
    return sums


def clustered_covariance(influence: Floats, clusters: Codes, factor: float) -> Floats:
    """Return the cluster-robust covariance of k estimates, shape (k, k).

    V = factor x sum_g psi_g psi_g', psi_g the sum of `influence` (F, k) over cluster g: of a
    regression B s_i, with B = (X'WX)^-1 and s_i the sum of x w u over firm i's rows, and the factor
    G/(G-1) x (N-1)/(N-K). Liang & Zeger (1986), doi:10.1093/biomet/73.1.13.
    """
    sums = cluster_sums(influence, clusters)
    return np.asarray(factor * (sums.T @ sums))


def two_way_covariance(influence: Floats, clusters: tuple[Codes, Codes], factor: float) -> Floats:
    """Return the covariance clustered in two directions, shape (k, k).

    V = V_first + V_second - V_both, all with the factor of the smaller number of clusters.
    Cameron, Gelbach & Miller (2011), doi:10.1198/jbes.2010.07136.
    """
    first, second = clusters
    both = np.unique(first * (int(second.max()) + 1) + second, return_inverse=True)[1]
    return (
        clustered_covariance(influence, first, factor)
        + clustered_covariance(influence, second, factor)
        - clustered_covariance(influence, both, factor)
    )


def without_negative_eigenvalues(covariance: Floats) -> Floats:
    """Return a covariance (k, k) with its negative eigenvalues set to zero.

    Clustered in two directions it may have some: Cameron, Gelbach & Miller (2011), section 2.3, as
    in Stata's reghdfe. Nothing changes where none is negative beyond rounding, or none positive.
    """
    if not covariance.size or not np.isfinite(covariance).all():
        return covariance
    values, vectors = np.linalg.eigh(covariance)
    if values[-1] <= 0 or values[0] >= -ROUNDING * values[-1]:
        return covariance
    return np.asarray(vectors @ (np.maximum(values, 0)[:, None] * vectors.T))


def small_sample_factor(n_clusters: int, n_obs: int, k_parameters: int) -> float:
    """Return G/(G-1) x (N-1)/(N-K); missing where G < 2 or N <= K."""
    if n_clusters < 2 or n_obs <= k_parameters:
        return float("nan")
    return n_clusters / (n_clusters - 1) * (n_obs - 1) / (n_obs - k_parameters)


def is_rounding(
    std_errors: Floats | float, n_obs: int, largest: float, share: float = ROUNDING
) -> NDArray[np.bool_]:
    """Say which standard errors (k,) are rounding, of outcomes that are fitted exactly.

    A standard error is at least the spread of what is left of the outcomes over the root of their
    number: that spread is compared with a share of `largest`, the largest absolute outcome.
    """
    return np.asarray(std_errors * np.sqrt(n_obs) <= share * largest, dtype=np.bool_)


def without_rounding(estimates: Floats, largest: float) -> Floats:
    """Return estimates (k,), zero where they are rounding beside `largest`, as in `is_rounding`."""
    return np.where(np.abs(estimates) <= ROUNDING * largest, 0.0, estimates)


def std_errors_of(covariance: Floats) -> Floats:
    """Return the root of the diagonal (k,); missing where a two-way variance is negative."""
    variance = np.diag(covariance)
    return np.sqrt(np.where(variance >= 0, variance, np.nan))


def t_intervals(estimate: Floats, std_error: Floats, df: float, conf_level: float) -> Intervals:
    """Return t tests of zero and intervals with `df` degrees of freedom, all of shape (k,).

    Infinite `df` gives the normal distribution. Missing where the standard error is missing or
    zero.
    """
    from scipy import stats

    error = np.where(std_error > 0, std_error, np.nan)
    statistic = estimate / error
    margin = stats.t.ppf(0.5 + conf_level / 2, max(df, 1)) * error
    p_value = 2 * stats.t.sf(np.abs(statistic), max(df, 1))
    return Intervals(statistic, p_value, estimate - margin, estimate + margin)


def minimum_detectable_effect(
    std_error: float, df: float, conf_level: float, power: float
) -> float:
    """Return the effect that a two-sided test finds with probability `power`.

    (t_{1-alpha/2, G-1} + t_{power, G-1}) x SE, alpha = 1 - conf_level.
    Bloom (1995), doi:10.1177/0193841X9501900504.
    """
    from scipy import stats

    if df < 1:
        return float("nan")
    critical = stats.t.ppf(0.5 + conf_level / 2, df) + stats.t.ppf(power, df)
    return float(critical * std_error)


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Return q-values (k,): the false discovery rate at which each hypothesis is rejected.

    q_(i) = min_{j >= i} k p_(j) / j, by statsmodels. Benjamini & Hochberg (1995),
    doi:10.1111/j.2517-6161.1995.tb02031.x.
    """
    from statsmodels.stats.multitest import multipletests

    return np.asarray(multipletests(p_values, method="fdr_bh")[1], np.float64)


def wald_test(estimates: Floats, covariance: Floats, df_denominator: int) -> WaldTest:
    """Test that k coefficients are all zero: F = b' V^-1 b / k with k and G-1 df.

    The statistic is missing where V has no inverse, as with fewer clusters than coefficients.
    """
    from scipy import stats

    k = len(estimates)
    if df_denominator < k or not is_invertible(covariance):
        return WaldTest(float("nan"), k, df_denominator, float("nan"))
    statistic = float(estimates @ np.linalg.solve(covariance, estimates)) / k
    return WaldTest(statistic, k, df_denominator, float(stats.f.sf(statistic, k, df_denominator)))


def chi_squared_test(estimates: Floats, covariance: Floats) -> WaldTest:
    """Test that k coefficients are all zero: b' V^-1 b, chi-squared with k degrees of freedom.

    For estimators whose inference is normal. The statistic is missing where V has no inverse; the
    denominator's degrees of freedom are infinite.
    """
    from scipy import stats

    k = len(estimates)
    if not is_invertible(covariance):
        return WaldTest(float("nan"), k, float("inf"), float("nan"))
    statistic = float(estimates @ np.linalg.solve(covariance, estimates))
    return WaldTest(statistic, k, float("inf"), float(stats.chi2.sf(statistic, k)))


def is_invertible(covariance: Floats) -> bool:
    """Say whether a joint test can divide by the covariance, which has to be positive definite.

    Clustered in two directions it may not be.
    """
    roots = _correlation_roots(covariance)
    return roots is not None and bool(roots[0] * SINGULAR > roots[-1])


def is_semidefinite(covariance: Floats) -> bool:
    """Say whether a normal distribution can have the covariance, which may be singular."""
    roots = _correlation_roots(covariance)
    return roots is not None and bool(roots[0] > -ROUNDING * len(roots) * roots[-1])


def _correlation_roots(covariance: Floats) -> Floats | None:
    """Return the eigenvalues of the correlations, ascending; None where a variance is not positive.

    Rounding of eigenvalues is relative to the largest.
    """
    variance = np.diag(covariance)
    if not (np.isfinite(covariance).all() and (variance > 0).all()):
        return None
    scale = np.sqrt(variance)
    return np.asarray(np.linalg.eigvalsh(covariance / np.outer(scale, scale)))
