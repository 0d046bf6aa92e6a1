"""Weighted least squares after two sets of effects are absorbed, with clustered errors."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.effects.absorb import (
    TwoEffects,
    demean,
    dense_codes,
    not_collinear,
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
    without_rounding,
)
from pipeline.panel.panel_index import Codes

# An outcome of which less than this share of its weighted squares is left, given the effects,
# does not vary within them: its coefficients would be rounding divided by rounding.
CONSTANT_SHARE = 1e-20

CONSTANT_OUTCOME = "the outcome does not vary within the absorbed effects"


# Who solves a regression: our own absorption, or linearmodels.
Solver = Literal["own", "linearmodels"]


@dataclass(frozen=True)
class Fit:
    """Hold k coefficients, shape (k,), their covariance (k, k), and the counts behind them.

    `estimable` (k,) marks the regressors that are not collinear; elsewhere estimates and
    covariances are missing. `kept` (n,) marks the rows left once singletons are dropped.
    `influence` (G, k) holds each cluster's influence, by cluster code, whose cross-products sum to
    the covariance; None where errors are clustered in two directions. `adjusted` says that this
    covariance had negative eigenvalues, which are set to zero. `solved_by` says who found the
    coefficients.
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
    solved_by: Solver = "own"

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


@dataclass(frozen=True)
class Solved:
    """Hold a solved regression: estimates (k used,), scores (rows kept, k used) and (X'WX)^-1.

    `first` and `second` are the codes of the effects on the rows kept.
    """

    estimates: Floats
    scores: Floats
    bread: Floats
    first: Codes
    second: Codes
    estimable: Flags
    kept: Flags
    by: Solver = "own"


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
    solved = solve_absorbed(y, regressors, first, second, weight)
    return clustered_fit(solved, names, clusters, second_clusters, largest=np.abs(y).max())


def solve_absorbed(
    y: Floats, regressors: Floats, first: Codes, second: Codes, weight: Floats
) -> Solved:
    """Solve the regression of `fit_absorbed`; raises as it does."""
    absorbed = absorb(regressors, first, second, weight)
    response = absorbed.response(y)
    if not response.any():
        raise IdentificationError(CONSTANT_OUTCOME)
    estimates = absorbed.estimates(response)
    effects = absorbed.effects
    weighted = effects.weight * absorbed.residuals(response, estimates)
    return Solved(
        estimates=estimates,
        scores=absorbed.columns * weighted[:, None],
        bread=absorbed.bread,
        first=effects.first,
        second=effects.second,
        estimable=absorbed.estimable,
        kept=absorbed.kept,
    )


def clustered_fit(
    solved: Solved,
    names: tuple[str, ...],
    clusters: Codes,
    second_clusters: Codes | None = None,
    *,
    largest: float,
) -> Fit:
    """Return a solved regression with its clustered covariance, as `fit_absorbed` does.

    `clusters` are of all rows, `largest` is the largest absolute outcome.
    """
    groups = [codes[solved.kept] for codes in (clusters, second_clusters) if codes is not None]
    raw, influence = _covariance(solved, groups)
    covariance = raw if influence is not None else without_negative_eigenvalues(raw)
    _clear_rounding(covariance, influence, len(solved.scores), largest)
    return Fit(
        names=names,
        estimates=widen(without_rounding(solved.estimates, largest), solved.estimable),
        covariance=widen_square(covariance, solved.estimable),
        estimable=solved.estimable,
        kept=solved.kept,
        n_obs=len(solved.scores),
        n_clusters=min(n_groups(group) for group in groups),
        influence=None if influence is None else widen_columns(influence, solved.estimable),
        adjusted=covariance is not raw,
        solved_by=solved.by,
    )


def _covariance(solved: Solved, groups: list[Codes]) -> tuple[Floats, Floats | None]:
    """Cluster in one direction, which gives influences too, or in two."""
    scores, bread, n_obs = solved.scores, solved.bread, len(solved.scores)
    k_parameters = paid_parameters(scores.shape[1], solved.first, solved.second, *groups)
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
