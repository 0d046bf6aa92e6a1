"""The critical value of simultaneous bands: fixed directions, the radius in closed form."""

from functools import lru_cache

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.effects.rows import Row, term_of
from pipeline.errors import Reason
from pipeline.inference.analytic import Inferred

# A Sobol sequence scrambled from this seed gives the directions: part of what a band means.
SCRAMBLE = 20261128

# Directions, a power of two, up to and beyond a number of estimates: two scrambles then differ by
# less than 0.003 for up to 40 estimates.
FEW_ESTIMATES, DIRECTIONS_FOR_FEW, DIRECTIONS_FOR_MANY = 16, 2**17, 2**18

# The critical value is rounded before it is used, so that its last digits are no machine's own.
DECIMALS = 3

# Directions multiplied at once, and those that one mean stands for in the search: bound time and
# memory. The means move the value by 1e-5.
_AT_ONCE, _TOGETHER = 2**14, 2**6

# Eigenvalues of correlations below this share of the largest are zero but for rounding.
_ZERO = 1e-12


def simultaneous_critical_value(
    covariance: Floats, df: float, conf_level: float, scramble: int = SCRAMBLE
) -> float:
    """Return the critical value c for which estimate +- c x SE covers all k estimates at once.

    c is the quantile of the largest absolute value of a k-variate t with the correlations of
    `covariance` (k, k) and `df` degrees of freedom (infinite: normal), as in Montiel Olea &
    Plagborg-Moller (2019), doi:10.1002/jae.2656. With R the correlations, u uniform on the sphere
    and F the distribution of the radius (chi; root of k times F(k, df) for t),
    P(max |x| <= c) = E F(c / max |R^(1/2) u|), the mean being taken over fixed quasi-random u.
    Never below the pointwise value, which one estimate has. Every variance must be positive.
    """
    from scipy import optimize, stats

    k = len(covariance)
    pointwise = float(stats.t.ppf(0.5 + conf_level / 2, df))
    if k == 1:
        return pointwise
    largest = _largest_by_direction(covariance, scramble)

    def missed(critical: float) -> float:
        return float(_beyond(critical / largest, k, df).mean()) - (1 - conf_level)

    if missed(pointwise) <= 0:
        return pointwise
    bonferroni = float(stats.t.ppf(1 - (1 - conf_level) / 2 / k, df))
    critical = float(optimize.brentq(missed, pointwise, 1.1 * bonferroni, xtol=1e-9))
    return max(pointwise, round(critical, DECIMALS))


def _largest_by_direction(covariance: Floats, scramble: int) -> Floats:
    """Return max_i |R^(1/2) u|_i in ascending order, a mean for every few directions u."""
    root = symmetric_root(covariance)
    points = directions(len(root), scramble)
    parts = np.split(points, len(points) // _AT_ONCE)
    largest = np.concatenate([np.abs(part @ root).max(axis=1) for part in parts])
    return np.asarray(np.sort(largest).reshape(-1, _TOGETHER).mean(axis=1))


def symmetric_root(covariance: Floats) -> Floats:
    """Return V sqrt(L) V' of the correlations, the one root that no sign of V changes.

    With fewer clusters than estimates correlations are singular: rounding there is zero.
    """
    scale = 1 / np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance * scale[:, None] * scale)
    size = np.sqrt(np.where(values > _ZERO * values[-1], values, 0.0))
    return np.asarray((vectors * size) @ vectors.T)


@lru_cache(maxsize=2)
def directions(k: int, scramble: int) -> Floats:
    """Return quasi-random points on the sphere in k dimensions, shape (n, k)."""
    from scipy import special
    from scipy.stats import qmc

    n = DIRECTIONS_FOR_FEW if k <= FEW_ESTIMATES else DIRECTIONS_FOR_MANY
    points = qmc.Sobol(k, rng=np.random.default_rng(scramble)).random(n)
    # Points are the lower ends of cells of width 2^-30; their centres are never zero.
    normal = special.ndtri(points + 2.0**-31)
    return np.asarray(normal / np.sqrt(np.square(normal).sum(axis=1, keepdims=True)))


def _beyond(radius: Floats, k: int, df: float) -> Floats:
    """Return the probability that a k-variate normal or t vector is longer than `radius`."""
    from scipy import special

    square = np.square(radius)
    if np.isinf(df):
        return np.asarray(special.gammaincc(k / 2, square / 2))
    return np.asarray(special.fdtrc(k, df, square / k))


def band_rows(rows: list[Row], inferred: Inferred, family: str) -> list[Row]:
    """Return a row with band `simultaneous` for each term of a family with a standard error.

    One critical value holds for all of them, before and after entry alike, under a multivariate t
    with the degrees of freedom of the pointwise intervals, or a normal distribution.
    """
    place = {term: i for i, term in enumerate(inferred.estimated.terms)}
    known = [
        (row, place[term])
        for row in rows
        if row["term"] == family and (term := term_of(row)) in place and row["std_error"] > 0
    ]
    if not known:
        return []
    used = [position for _, position in known]
    covariance = inferred.covariance[np.ix_(used, used)]
    critical = simultaneous_critical_value(covariance, inferred.df, known[0][0]["conf_level"])
    said = Reason("simultaneous_band", {"critical_value": critical, "n": len(known)})
    return [_row(row, critical, said) for row, _ in known]


def _row(row: Row, critical: float, said: Reason) -> Row:
    return row | {
        "band": "simultaneous",
        "p_value": np.nan,
        "conf_low": row["estimate"] - critical * row["std_error"],
        "conf_high": row["estimate"] + critical * row["std_error"],
        "remarks": (*row["remarks"], said),
    }
