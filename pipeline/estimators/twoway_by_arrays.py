"""The flat two-way regression on arrays of years by firms: our own absorption, without its rows.

A firm has at most one row a year, so that sums over a firm's years and over a year's firms are
sums along the axes of an array. With weights w_it, zero where a firm is not seen, firm means are
taken out and year effects are a solve

    (diag(sum_i w_i) - sum_i w_i w_i' / w_i+) a = sum_i w_i (y_i - mean_i)

as in `estimators.event_cells`, one year a component being zero. It is the projection of
`effects.absorb`, equal to it to rounding, without sparse products and sums by code.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.absorb import dense_codes, not_collinear, singletons_dropped
from pipeline.effects.least_squares import Solved
from pipeline.effects.regression import CONSTANT_SHARE, Regression, absorbed_again
from pipeline.errors import IdentificationError, Reason


@dataclass(frozen=True)
class _FirmYears:
    """Hold the weights (T, F) of firms by year, and the solved equations of the year effects.

    `place` (n,) is each row's position in the flattened arrays, `total` (F,) a firm's weight over
    years. `inverse` (T, T) is that of the equations, zero at the `n_fixed` years whose effect is.
    """

    place: Codes
    weight: Floats
    total: Floats
    inverse: Floats
    n_fixed: int

    @property
    def n_effects(self) -> int:
        """Return the number of firm and year effects that are estimated."""
        return len(self.total) + len(self.weight) - self.n_fixed

    def without_effects(self, values: Floats) -> Floats:
        """Return values (n,) without firm and year effects, (T, F); those not seen mean nothing."""
        within = np.zeros(self.weight.shape)
        within.ravel()[self.place] = values
        within -= np.einsum("tf,tf->f", self.weight, within) / self.total
        effects = self.inverse @ np.einsum("tf,tf->t", self.weight, within)
        within -= effects[:, None]
        within += np.einsum("t,tf->f", effects, self.weight) / self.total
        return within


@dataclass(frozen=True)
class _Left:
    """Hold what effects leave of the regressors used, (T, F) each, plain and times the weights.

    `estimable` (k,) marks those used, `bread` is (X'WX)^-1.
    """

    columns: list[Floats]
    weighted: list[Floats]
    estimable: Flags
    bread: Floats


def solve_by_arrays(
    y: Floats, regressors: Floats, firm: Codes, year: Codes, weight: Floats
) -> Solved:
    """Regress y (n,) on regressors (n, k) with firm and year effects, weights positive.

    No firm has two rows in a year. Raises IdentificationError as `solve_absorbed` does.
    """
    kept = singletons_dropped(firm, year)
    if not kept.any():
        raise IdentificationError(Reason("every_row_alone"))
    rows = slice(None) if kept.all() else kept  # no copy is made where all are
    codes, mass = (dense_codes(firm[rows]), dense_codes(year[rows])), weight[rows]
    firms = _firm_years(*codes, mass)
    left = _regressors(firms, regressors[rows], mass)
    residuals = _response(firms, y[rows], mass)
    estimates = left.bread @ np.array([_product(column, residuals) for column in left.weighted])
    for column, estimate in zip(left.columns, estimates, strict=True):
        residuals -= estimate * column
    if len(mass) <= firms.n_effects + len(estimates):  # which then fit anything
        residuals[:] = 0
    scores = [(column * residuals).ravel()[firms.place] for column in left.weighted]
    given = (y, regressors, firm, year, weight)
    again = partial(absorbed_again, *given)
    regression = Regression.of_rows(codes, kept, left.bread, again=again)
    return Solved(estimates, np.column_stack(scores), left.estimable, y, kept, regression)


def _firm_years(firm: Codes, year: Codes, weight: Floats) -> _FirmYears:
    """Lay weights out by year and firm, and invert the equations of the year effects."""
    from scipy.sparse.csgraph import connected_components

    shape = int(year.max()) + 1, int(firm.max()) + 1
    place = year * shape[1] + firm
    by_year = np.zeros(shape)
    by_year.ravel()[place] = weight
    assert np.count_nonzero(by_year) == len(weight), "one row per firm and year"
    total = by_year.sum(axis=0)
    equations = np.diag(by_year.sum(axis=1)) - by_year @ (by_year / total).T
    component = connected_components(equations, directed=False)[1]
    fixed = np.unique(component, return_index=True)[1]
    free = np.setdiff1d(np.arange(shape[0]), fixed)
    inverse = np.zeros(equations.shape)
    inverse[np.ix_(free, free)] = np.linalg.inv(equations[np.ix_(free, free)])
    return _FirmYears(place, by_year, total, inverse, len(fixed))


def _regressors(firms: _FirmYears, regressors: Floats, weight: Floats) -> _Left:
    """Take firm and year effects out of regressors (n, k), and leave out collinear ones."""
    columns = [firms.without_effects(column) for column in regressors.T]
    weighted = [firms.weight * column for column in columns]
    gram = np.array([[_product(one, other) for other in columns] for one in weighted])
    estimable = not_collinear(gram, weight @ regressors**2)
    if not estimable.any():
        raise IdentificationError(Reason("collinear"))
    used = np.flatnonzero(estimable)
    bread = np.asarray(np.linalg.inv(gram[np.ix_(used, used)]), dtype=np.float64)
    return _Left([columns[i] for i in used], [weighted[i] for i in used], estimable, bread)


def _response(firms: _FirmYears, y: Floats, weight: Floats) -> Floats:
    """Return the outcome without effects; raise IdentificationError where that is nothing."""
    response = firms.without_effects(y)
    if _product(firms.weight * response, response) <= CONSTANT_SHARE * (weight @ y**2):
        raise IdentificationError(Reason("no_outcome_variation"))
    return response


def _product(one: Floats, other: Floats) -> float:
    """Return the sum of products of two arrays; threads of BLAS cost more than they save here."""
    return float(np.einsum("tf,tf->", one, other))
