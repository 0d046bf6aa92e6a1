"""Weighted least squares after two sets of effects are absorbed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.estimated import Estimated, Seen
from pipeline.effects.regression import LeastSquares, Regression, absorb
from pipeline.effects.terms import Term
from pipeline.errors import IdentificationError, Reason

COLLINEAR = Reason("collinear")


@dataclass(frozen=True)
class Solved:
    """Hold a solved regression: estimates (k used,), scores (rows kept, k used), outcome (n,).

    `estimable` (k,) marks the regressors that are not collinear, `kept` (n,) the rows used.
    """

    estimates: Floats
    scores: Floats
    estimable: Flags
    y: Floats
    kept: Flags
    regression: Regression


def fit_absorbed(
    y: Floats,
    regressors: Floats,
    terms: Sequence[Term | None],
    *,
    first: Codes,
    second: Codes,
    weight: Floats,
    seen: Seen,
) -> Estimated:
    """Regress y (n,) on regressors (n, k) with two sets of absorbed effects, weighted.

    b = (X'WX)^-1 X'Wy on demeaned columns; a firm's influence is (X'WX)^-1 times the sum of x w u
    over its rows. `terms` (k,) names the coefficients, None for those that only adjust; collinear
    ones have a reason. Raises IdentificationError where no row or no regressor is left beside the
    effects, or where the outcome does not vary within them.
    """
    return as_estimated(solve_absorbed(y, regressors, first, second, weight), terms, seen)


def solve_absorbed(
    y: Floats, regressors: Floats, first: Codes, second: Codes, weight: Floats
) -> Solved:
    """Solve the regression of `fit_absorbed`; raises as it does."""
    absorbed = absorb(regressors, first, second, weight)
    response = absorbed.response(y)
    if not response.any():
        raise IdentificationError(Reason("no_outcome_variation"))
    estimates = absorbed.estimates(response)
    residuals = absorbed.residuals(response, estimates)
    scores = absorbed.columns * (absorbed.effects.weight * residuals)[:, None]
    effects = absorbed.effects
    found = LeastSquares(absorbed, residuals, y)
    codes = effects.first, effects.second
    regression = Regression.of_rows(codes, absorbed.kept, absorbed.bread, again=lambda: found)
    return Solved(estimates, scores, absorbed.estimable, y, absorbed.kept, regression)


def as_estimated(solved: Solved, terms: Sequence[Term | None], seen: Seen) -> Estimated:
    """Return the named coefficients of a solved regression, with firms' influences on them."""
    regression, estimable = solved.regression, solved.estimable
    firm = seen.firm[solved.kept]
    influence = firm_sums(solved.scores, firm, seen.n_firms) @ regression.bread
    place = np.cumsum(estimable) - 1
    named = [(i, term) for i, term in enumerate(terms) if term is not None]
    columns = [int(place[i]) for i, _ in named if estimable[i]]
    y = solved.y
    return Estimated(
        terms=tuple(term for i, term in named if estimable[i]),
        estimates=solved.estimates[columns],
        influence=influence[:, columns],
        seen=seen.where(solved.kept),
        largest=float(max(y.max(), -y.min())),
        loadings=np.eye(len(solved.estimates))[:, columns],
        source=regression,
        reasons={term: COLLINEAR for i, term in named if not estimable[i]},
    )


def firm_sums(scores: Floats, firm: Codes, n_firms: int) -> Floats:
    """Return the sums of rows (n, k) by firm code, (F, k)."""
    sums = np.zeros((n_firms, scores.shape[1]))
    for position, column in enumerate(scores.T):
        sums[:, position] = np.bincount(firm, column, n_firms)
    return sums


def coefficients(
    y: Floats, regressors: Floats, first: Codes, second: Codes, weight: Floats
) -> Floats:
    """Return the coefficients (k,) of `fit_absorbed` alone; linear in y, missing if collinear."""
    absorbed = absorb(regressors, first, second, weight)
    return widen(absorbed.estimates(absorbed.response(y)), absorbed.estimable)


def widen(values: NDArray[np.floating], estimable: Flags) -> Floats:
    """Return shape (k,), missing where not estimable."""
    wide = np.full(len(estimable), np.nan)
    wide[estimable] = values
    return wide
