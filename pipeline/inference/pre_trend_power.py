"""The trend that a pre-trend test would have found; pure numpy and scipy.

A test that finds nothing says little where it could have found nothing: Roth (2022),
doi:10.1257/aeri.20210236. The violation is linear, effects before entry being slope x years from
the reference year.
"""

from collections.abc import Callable

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.inference.covariance import is_invertible, is_semidefinite

# The probabilities with which a slope is found: Roth (2022), doi:10.1257/aeri.20210236.
FOUND_WITH = (0.5, 0.8)

# Slopes beyond this many times the one that the best single lead would show are not looked for.
WIDEST = 2.0**20

# The box probability is integrated by quasi-random points, to this error or with as many points,
# which leaves an error of 0.0001 with two dozen leads.
BOX_ERROR, BOX_POINTS = 1e-5, 20_000


def slope_found_jointly(
    years: Floats, covariance: Floats, df_denominator: float, level: float, power: float
) -> float:
    """Return the slope that the joint test of k leads finds with probability `power`.

    `years` (k,) from the reference year, `level` of the test. With b ~ N(slope x years, V) the F
    statistic has noncentrality slope^2 years' V^-1 years; chi-squared with infinite
    `df_denominator`. Missing where V has no inverse.
    """
    from scipy import stats

    k = len(years)
    if df_denominator < k or not is_invertible(covariance):
        return float("nan")
    unit = float(years @ np.linalg.solve(covariance, years))
    if np.isinf(df_denominator):
        critical = stats.chi2.isf(level, k)
        return _solve(lambda slope: stats.ncx2.sf(critical, k, slope**2 * unit), power, unit**-0.5)
    critical = stats.f.isf(level, k, df_denominator)
    return _solve(
        lambda slope: stats.ncf.sf(critical, k, df_denominator, slope**2 * unit), power, unit**-0.5
    )


def slope_found_by_any(years: Floats, covariance: Floats, level: float, power: float) -> float:
    """Return the slope at which some single lead is significant with probability `power`.

    That is the pre-test of Roth (2022): 1 - P(|b_j| <= z se_j for all j), normal. Missing where a
    variance is not positive, or the covariance is none.
    """
    if not is_semidefinite(covariance):
        return float("nan")
    errors = np.sqrt(np.diag(covariance))
    start = float((errors / np.abs(years)).min())
    return _solve(lambda slope: any_significant(slope * years, covariance, level), power, start)


def any_significant(mean: Floats, covariance: Floats, level: float) -> float:
    """Return the probability that some of k estimates, N(mean, V), is significant by itself."""
    from scipy import stats

    bound = stats.norm.isf(level / 2) * np.sqrt(np.diag(covariance))
    distribution = stats.multivariate_normal(mean, covariance, allow_singular=True, seed=0)
    distribution.abseps, distribution.maxpts = BOX_ERROR, BOX_POINTS
    inside = distribution.cdf(bound, lower_limit=-bound, rng=np.random.default_rng(0))
    return float(1 - inside)


def _solve(power_at: Callable[[float], float], power: float, start: float) -> float:
    """Return where a power curve that rises from the test's level reaches `power`."""
    from scipy.optimize import brentq

    if power_at(0.0) >= power:
        return 0.0
    high = start
    while power_at(high) < power:
        high *= 2
        if high > WIDEST * start:
            return float("nan")
    return float(brentq(lambda slope: power_at(slope) - power, 0.0, high, xtol=1e-6 * high))
