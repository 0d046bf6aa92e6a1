"""Weighted least squares after two sets of effects are absorbed, with clustered errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.effects.absorb import TwoEffects, demean, singletons_dropped, two_effects
from pipeline.effects.stacks import Codes, Flags, Floats, dense_codes
from pipeline.inference import clustered_covariance, is_nested, n_groups, n_parameters

# A regressor of which less than this share of its weighted variation is left, given the effects
# and the regressors before it, is collinear: what is left is rounding.
COLLINEAR_SHARE = 1e-9


@dataclass(frozen=True)
class Fit:
    """Hold k coefficients, shape (k,), their covariance (k, k), and the counts behind them.

    `estimable` (k,) marks the regressors that are not collinear; elsewhere estimates and
    covariances are missing. `kept` (n,) marks the rows left once singletons are dropped.
    """

    names: tuple[str, ...]
    estimates: Floats
    covariance: Floats
    estimable: Flags
    kept: Flags
    n_obs: int
    n_clusters: int

    @property
    def n_singletons(self) -> int:
        """Return the number of rows dropped because they were alone in an effect."""
        return int((~self.kept).sum())

    @property
    def df(self) -> int:
        """Return the degrees of freedom of t and F statistics, G - 1."""
        return self.n_clusters - 1


def fit_absorbed(
    y: Floats,
    regressors: Floats,
    names: tuple[str, ...],
    *,
    first: Codes,
    second: Codes,
    weight: Floats,
    clusters: Codes,
) -> Fit:
    """Regress y (n,) on regressors (n, k) with two sets of absorbed effects, weighted.

    b = (X'WX)^-1 X'Wy on demeaned columns; covariance clustered, see `clustered_covariance`.
    """
    kept = singletons_dropped(first, second)
    effects = _effects(first[kept], second[kept], weight[kept])
    columns = demean(effects, regressors[kept])
    gram = columns.T @ (effects.weight[:, None] * columns)
    raw = np.einsum("ij,i,ij->j", regressors[kept], effects.weight, regressors[kept])
    estimable = not_collinear(gram, raw)
    used = np.flatnonzero(estimable)
    bread = np.asarray(np.linalg.inv(gram[np.ix_(used, used)]), dtype=np.float64)
    response = demean(effects, y[kept, None])[:, 0]
    scores = columns[:, used]
    estimates = bread @ (scores.T @ (effects.weight * response))
    residuals = response - scores @ estimates
    scores *= (effects.weight * residuals)[:, None]
    group = clusters[kept]
    k_parameters = n_parameters(
        len(used),
        [n_groups(effects.first), n_groups(effects.second)],
        [is_nested(effects.first, group), is_nested(effects.second, group)],
    )
    covariance = clustered_covariance(scores, bread, group, len(group), k_parameters)
    return Fit(
        names=names,
        estimates=widen(estimates, estimable),
        covariance=widen_square(covariance, estimable),
        estimable=estimable,
        kept=kept,
        n_obs=len(group),
        n_clusters=n_groups(group),
    )


def coefficients(
    y: Floats, regressors: Floats, first: Codes, second: Codes, weight: Floats
) -> Floats:
    """Return the coefficients (k,) of `fit_absorbed` alone; linear in y, missing if collinear."""
    kept = singletons_dropped(first, second)
    effects = _effects(first[kept], second[kept], weight[kept])
    columns = demean(effects, regressors[kept])
    gram = columns.T @ (effects.weight[:, None] * columns)
    raw = np.einsum("ij,i,ij->j", regressors[kept], effects.weight, regressors[kept])
    estimable = not_collinear(gram, raw)
    used = np.flatnonzero(estimable)
    moments = columns[:, used].T @ (effects.weight * y[kept])
    return widen(np.linalg.solve(gram[np.ix_(used, used)], moments), estimable)


def not_collinear(gram: Floats, raw: Floats) -> Flags:
    """Mark regressors with variation left, given the effects and the regressors before them.

    `gram` (k, k) is X'WX of the demeaned regressors, `raw` (k,) the weighted sum of squares
    before demeaning.
    """
    estimable = np.zeros(len(gram), dtype=np.bool_)
    for position in range(len(gram)):
        before = np.flatnonzero(estimable)
        cross = gram[before, position]
        explained = cross @ np.linalg.solve(gram[np.ix_(before, before)], cross)
        left = gram[position, position] - explained
        estimable[position] = left > COLLINEAR_SHARE * raw[position]
    return estimable


def _effects(first: Codes, second: Codes, weight: Floats) -> TwoEffects:
    return two_effects(dense_codes(first), dense_codes(second), weight)


def widen(values: NDArray[np.floating], estimable: Flags) -> Floats:
    """Return shape (k,), missing where not estimable."""
    wide = np.full(len(estimable), np.nan)
    wide[estimable] = values
    return wide


def widen_square(values: Floats, estimable: Flags) -> Floats:
    """Return shape (k, k), missing where not estimable."""
    wide = np.full((len(estimable), len(estimable)), np.nan)
    wide[np.ix_(estimable, estimable)] = values
    return wide
