"""Two sets of absorbed effects: exact weighted demeaning, without iterations.

The first set is large (firms), the second small (years by stack). Firm means are taken out
directly and the second set by its normal equations, which are small and sparse, so the residual
is exact to rounding; no convergence tolerance enters. Gaure (2013),
doi:10.1016/j.csda.2013.03.024, section 2, gives the projection.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats

# A regressor of which less than this share of its weighted variation is left, given the effects
# and the regressors before it, is collinear: what is left is rounding.
COLLINEAR_SHARE = 1e-9


@dataclass(frozen=True)
class TwoEffects:
    """Hold what demeaning needs: codes and weights by row (n,), and the factored equations.

    `shares` (first, second) is each first-set effect's weight by second-set effect, rows summing
    to 1; `solve` inverts the normal equations of the effects in `free`, one per connected
    component being fixed at zero. `component` numbers the components of second-set effects.
    """

    first: Codes
    second: Codes
    weight: Floats
    first_total: Floats
    shares: Any
    free: Codes
    solve: Any
    component: Codes

    def linked(self, first: Codes, second: Codes) -> Flags:
        """Say whether the sum of two effects is known: both lie in one component."""
        of_first = np.zeros(len(self.first_total), dtype=np.intp)
        of_first[self.first] = self.component[self.second]
        return np.asarray(of_first[first] == self.component[second])


def dense_codes(codes: Codes) -> Codes:
    """Renumber codes to 0, 1, ... without gaps."""
    occurs = np.bincount(codes) > 0
    return np.asarray((np.cumsum(occurs) - 1)[codes], dtype=np.intp)


def singletons_dropped(first: Codes, second: Codes) -> Flags:
    """Say which rows stay once effects with a single row are dropped, again and again.

    A row alone in its effect is fitted perfectly and only distorts the degrees of freedom.
    Correia (2015), "Singletons, cluster-robust standard errors and fixed effects".
    """
    kept = np.ones(len(first), dtype=np.bool_)
    while True:
        alone = (np.bincount(first, kept)[first] == 1) | (np.bincount(second, kept)[second] == 1)
        if not (alone & kept).any():
            return kept
        kept = kept & ~alone


def two_effects(first: Codes, second: Codes, weight: Floats) -> TwoEffects:
    """Prepare weighted demeaning by two sets of effects; codes from 0, weights positive."""
    from scipy import sparse
    from scipy.sparse.linalg import splu

    shape = (int(first.max()) + 1, int(second.max()) + 1)
    cross = sparse.coo_matrix((weight, (first, second)), shape=shape).tocsr()
    first_total: Floats = np.bincount(first, weight).astype(np.float64)
    shares = sparse.diags_array(1 / first_total) @ cross
    second_total = np.bincount(second, weight)
    equations = sparse.diags_array(second_total) - cross.T @ shares
    component = sparse.csgraph.connected_components(equations, directed=False)[1]
    free = np.setdiff1d(
        np.arange(shape[1]), np.unique(component, return_index=True)[1], assume_unique=True
    )
    reduced = sparse.csc_matrix(equations)[free][:, free]
    solve = splu(reduced.tocsc()).solve if len(free) else None
    return TwoEffects(first, second, weight, first_total, shares, free, solve, component)


def solve_effects(
    effects: TwoEffects, by_first: Floats, by_second: Floats
) -> tuple[Floats, Floats]:
    """Solve the normal equations of both sets: Z'WZ (a, b) = (by_first, by_second).

    With sums of w y by effect these are the fitted effects. One effect per component is zero.
    """
    means = by_first / effects.first_total
    second = np.zeros(effects.shares.shape[1])
    if effects.solve is not None:
        moments = by_second - effects.shares.T @ by_first
        second[effects.free] = effects.solve(moments[effects.free])
    return means - effects.shares @ second, second


def demean(effects: TwoEffects, columns: NDArray[np.float64]) -> Floats:
    """Return the residuals of columns (n, k) on both sets of effects; linear in the columns."""
    residuals = np.empty(columns.shape, order="F")
    for position, column in enumerate(columns.T):
        residuals[:, position] = _demean_one(effects, column)
    return residuals


def _demean_one(effects: TwoEffects, column: Floats) -> Floats:
    first, second, weight = effects.first, effects.second, effects.weight
    within = column - (np.bincount(first, weight * column) / effects.first_total)[first]
    by_second = np.zeros(effects.shares.shape[1])
    if effects.solve is not None:
        moments = np.bincount(second, weight * within)
        by_second[effects.free] = effects.solve(moments[effects.free])
    within -= by_second[second]
    within += (effects.shares @ by_second)[first]
    return within


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
