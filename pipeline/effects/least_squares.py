"""Weighted least squares after two sets of effects are absorbed, with clustered errors."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.effects.absorb import (
    TwoEffects,
    demean,
    dense_codes,
    singletons_dropped,
    two_effects,
)
from pipeline.effects.stacks import Flags, Floats
from pipeline.errors import IdentificationError
from pipeline.inference.covariance import (
    cluster_influence,
    is_nested,
    is_rounding,
    n_groups,
    n_parameters,
    std_errors_of,
    two_way_covariance,
    without_negative_eigenvalues,
)
from pipeline.panel.panel_index import Codes

# An outcome of which less than this share of its weighted squares is left, given the effects,
# does not vary within them: its coefficients would be rounding divided by rounding.
CONSTANT_SHARE = 1e-20

# A regressor of which less than this share of its weighted variation is left, given the effects
# and the regressors before it, is collinear: what is left is rounding.
COLLINEAR_SHARE = 1e-9


@dataclass(frozen=True)
class Fit:
    """Hold k coefficients, shape (k,), their covariance (k, k), and the counts behind them.

    `estimable` (k,) marks the regressors that are not collinear; elsewhere estimates and
    covariances are missing. `kept` (n,) marks the rows left once singletons are dropped.
    `influence` (G, k) holds each cluster's influence, by cluster code, whose cross-products sum to
    the covariance; None where errors are clustered in two directions. `adjusted` says that this
    covariance had negative eigenvalues, which are set to zero.
    """

    names: tuple[str, ...]
    estimates: Floats
    covariance: Floats
    estimable: Flags
    kept: Flags
    n_obs: int
    n_clusters: int
    influence: Floats | None = None
    adjusted: bool = False

    @property
    def n_singletons(self) -> int:
        """Return the number of rows dropped because they were alone in an effect."""
        return int((~self.kept).sum())

    @property
    def df(self) -> int:
        """Return the degrees of freedom of t and F statistics, G - 1."""
        return self.n_clusters - 1


@dataclass(frozen=True)
class Absorbed:
    """Hold regressors without the effects: `columns` (rows kept, k used) and (X'WX)^-1."""

    effects: TwoEffects
    columns: Floats
    bread: Floats
    estimable: Flags
    kept: Flags

    def response(self, y: Floats) -> Floats:
        """Return y (n,) without the effects, on the rows kept; exact zeros where that is all."""
        within = demean(self.effects, y[self.kept, None])[:, 0]
        left = self.effects.weight @ within**2
        whole = self.effects.weight @ y[self.kept] ** 2
        return within if left > CONSTANT_SHARE * whole else np.zeros_like(within)

    def residuals(self, response: Floats, estimates: Floats) -> Floats:
        """Return what regressors leave of the response, shape (rows kept,).

        Exact zeros where rows are no more than effects and regressors, which then fit anything.
        """
        effects = self.effects
        rank = len(effects.first_total) + len(effects.free) + self.columns.shape[1]
        if len(response) <= rank:
            return np.zeros_like(response)
        return np.asarray(response - self.columns @ estimates)

    def estimates(self, response: Floats) -> Floats:
        """Return b = (X'WX)^-1 X'Wy, shape (k used,)."""
        return self.bread @ (self.columns.T @ (self.effects.weight * response))


def fit_absorbed(
    y: Floats,
    regressors: Floats,
    names: tuple[str, ...],
    *,
    first: Codes,
    second: Codes,
    weight: Floats,
    clusters: Codes,
    second_clusters: Codes | None = None,
) -> Fit:
    """Regress y (n,) on regressors (n, k) with two sets of absorbed effects, weighted.

    b = (X'WX)^-1 X'Wy on demeaned columns; covariance clustered, see `clustered_covariance`, or
    in two directions where there are `second_clusters`, see `two_way_covariance`. Raises
    IdentificationError where no row or no regressor is left beside the effects, or where the
    outcome does not vary within them. Variances that are rounding are exact zeros.
    """
    absorbed = absorb(regressors, first, second, weight)
    response = absorbed.response(y)
    if not response.any():
        raise IdentificationError("the outcome does not vary within the absorbed effects")
    estimates = absorbed.estimates(response)
    residuals = absorbed.residuals(response, estimates)
    scores = absorbed.columns * (absorbed.effects.weight * residuals)[:, None]
    groups = [codes[absorbed.kept] for codes in (clusters, second_clusters) if codes is not None]
    raw, influence = _covariance(absorbed, scores, groups)
    covariance = raw if influence is not None else without_negative_eigenvalues(raw)
    _clear_rounding(covariance, influence, len(scores), float(max(y.max(), -y.min())))
    return Fit(
        names=names,
        estimates=widen(estimates, absorbed.estimable),
        covariance=widen_square(covariance, absorbed.estimable),
        estimable=absorbed.estimable,
        kept=absorbed.kept,
        n_obs=len(scores),
        n_clusters=min(n_groups(group) for group in groups),
        influence=None if influence is None else widen_columns(influence, absorbed.estimable),
        adjusted=covariance is not raw,
    )


def _covariance(
    absorbed: Absorbed, scores: Floats, groups: list[Codes]
) -> tuple[Floats, Floats | None]:
    """Cluster in one direction, which gives influences too, or in two."""
    effects, bread, n_obs = absorbed.effects, absorbed.bread, len(scores)
    k_parameters = paid_parameters(scores.shape[1], effects.first, effects.second, *groups)
    if len(groups) == 1:
        influence = cluster_influence(scores, bread, groups[0], n_obs, k_parameters)
        return influence.T @ influence, influence
    both = (groups[0], groups[1])
    return two_way_covariance(scores, bread, both, n_obs, k_parameters), None


def _clear_rounding(
    covariance: Floats, influence: Floats | None, n_obs: int, largest: float
) -> None:
    """Set to zero, in place, what is rounding in the variances of k coefficients."""
    exact = is_rounding(std_errors_of(covariance), n_obs, largest)
    covariance[exact] = covariance[:, exact] = 0.0
    if influence is not None:
        influence[:, exact] = 0.0


def combined(fit: Fit, names: tuple[str, ...], shares: Floats) -> Fit:
    """Return the fit of m weighted sums of k coefficients: A'b with covariance A'VA.

    `shares` A (k, m) is missing in the columns of sums that cannot be estimated.
    """
    estimable = np.asarray(np.isfinite(shares).all(axis=0), dtype=np.bool_)
    used = np.flatnonzero(fit.estimable)
    taken = shares[np.ix_(used, np.flatnonzero(estimable))]
    covariance = taken.T @ fit.covariance[np.ix_(used, used)] @ taken
    return replace(
        fit,
        names=names,
        estimates=widen(fit.estimates[used] @ taken, estimable),
        covariance=widen_square(covariance, estimable),
        estimable=estimable,
        influence=widen_columns(fit.influence[:, used] @ taken, estimable)
        if fit.influence is not None
        else None,
    )


def coefficients(
    y: Floats, regressors: Floats, first: Codes, second: Codes, weight: Floats
) -> Floats:
    """Return the coefficients (k,) of `fit_absorbed` alone; linear in y, missing if collinear."""
    absorbed = absorb(regressors, first, second, weight)
    return widen(absorbed.estimates(absorbed.response(y)), absorbed.estimable)


def absorb(regressors: Floats, first: Codes, second: Codes, weight: Floats) -> Absorbed:
    """Drop singletons, take both sets of effects out of the regressors, leave collinear ones.

    Raises IdentificationError where no row or no regressor is left.
    """
    kept = singletons_dropped(first, second)
    if not kept.any():
        raise IdentificationError("every firm-year is alone in one of its effects")
    effects = two_effects(dense_codes(first[kept]), dense_codes(second[kept]), weight[kept])
    columns = demean(effects, regressors[kept])
    gram = columns.T @ (effects.weight[:, None] * columns)
    raw = np.einsum("ij,i,ij->j", regressors[kept], effects.weight, regressors[kept])
    estimable = not_collinear(gram, raw)
    if not estimable.any():
        raise IdentificationError("collinear with the absorbed effects")
    used = np.flatnonzero(estimable)
    bread = np.asarray(np.linalg.inv(gram[np.ix_(used, used)]), dtype=np.float64)
    return Absorbed(effects, columns[:, used], bread, estimable, kept)


def paid_parameters(n_regressors: int, first: Codes, second: Codes, *clusters: Codes) -> int:
    """Count K of the small-sample factor: regressors and effects not nested in any clusters."""
    sizes = [n_groups(first), n_groups(second)]
    nested = [any(is_nested(effects, group) for group in clusters) for effects in (first, second)]
    return n_parameters(n_regressors, sizes, nested)


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


def widen_columns(values: Floats, estimable: Flags) -> Floats:
    """Return shape (G, k), missing in the columns that are not estimable."""
    wide = np.full((len(values), len(estimable)), np.nan)
    wide[:, estimable] = values
    return wide
