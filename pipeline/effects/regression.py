"""A regression after two sets of effects are absorbed, as inference reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.absorb import (
    TwoEffects,
    demean,
    dense_codes,
    not_collinear,
    singletons_dropped,
    two_effects,
)
from pipeline.errors import IdentificationError, Reason
from pipeline.panel.panel_index import is_nested, n_groups

# An outcome of which less than this share of its weighted squares is left, given the effects,
# does not vary within them: its coefficients would be rounding divided by rounding.
CONSTANT_SHARE = 1e-20

# Who solves a regression: our own absorption, or linearmodels.
Solver = Literal["own", "linearmodels"]


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
class LeastSquares:
    """Hold a regression's regressors without effects, residuals (rows kept,), outcome (n,)."""

    absorbed: Absorbed
    residuals: Floats
    y: Floats


@dataclass(frozen=True)
class Regression:
    """Hold what stands behind coefficients: how many rows and effects, and the rows left out.

    `bread` (k used, k used) is the inverse information of the coefficients, `n_effects` counts both
    sets of absorbed effects, and `nested` says of each, given clusters by entry of `Seen`, whether
    it lies within them. `kept` (n,) marks the rows used, None where no row was made. Of least
    squares `again` absorbs the effects and returns what few methods of inference read, the
    regressors without them and residuals; `solved_by` says who found its coefficients.
    `left_out` (F, k used) holds firms' influences with each residual over one less its leverage, as
    it is where the firm is left out, of regressions with one row a firm.
    """

    bread: Floats
    n_obs: int
    n_singletons: int
    n_effects: tuple[int, int]
    nested: Callable[[Codes], tuple[bool, bool]]
    kept: Flags | None = None
    again: Callable[[], LeastSquares] | None = None
    solved_by: Solver = "own"
    left_out: Floats | None = None

    @classmethod
    def of_rows(
        cls,
        codes: tuple[Codes, Codes],
        kept: Flags,
        bread: Floats,
        again: Callable[[], LeastSquares] | None = None,
        solved_by: Solver = "own",
    ) -> "Regression":
        """Return that of rows, given the codes of both sets of effects on the rows kept."""
        first, second = codes
        return cls(
            bread=bread,
            n_obs=len(first),
            n_singletons=int((~kept).sum()),
            n_effects=(n_groups(first), n_groups(second)),
            nested=lambda clusters: (is_nested(first, clusters), is_nested(second, clusters)),
            kept=kept,
            again=again,
            solved_by=solved_by,
        )

    @property
    def is_linear(self) -> bool:
        """Say whether it is least squares."""
        return self.again is not None

    @cached_property
    def least_squares(self) -> LeastSquares:
        """Return the regressors without the effects, and residuals; made when first asked for."""
        assert self.again is not None, "of least squares only"
        return self.again()

    @property
    def n_regressors(self) -> int:
        """Return the number of coefficients estimated."""
        return len(self.bread)


def absorbed_again(
    y: Floats, regressors: Floats, first: Codes, second: Codes, weight: Floats
) -> LeastSquares:
    """Return what stands behind the least squares of y (n,) on regressors (n, k)."""
    absorbed = absorb(regressors, first, second, weight)
    response = absorbed.response(y)
    return LeastSquares(absorbed, absorbed.residuals(response, absorbed.estimates(response)), y)


def absorb(regressors: Floats, first: Codes, second: Codes, weight: Floats) -> Absorbed:
    """Drop singletons, take both sets of effects out of the regressors, leave collinear ones.

    Raises IdentificationError where no row or no regressor is left.
    """
    kept = singletons_dropped(first, second)
    if not kept.any():
        raise IdentificationError(Reason("every_row_alone"))
    effects = two_effects(dense_codes(first[kept]), dense_codes(second[kept]), weight[kept])
    columns = demean(effects, regressors[kept])
    gram = columns.T @ (effects.weight[:, None] * columns)
    raw = np.einsum("ij,i,ij->j", regressors[kept], effects.weight, regressors[kept])
    estimable = not_collinear(gram, raw)
    if not estimable.any():
        raise IdentificationError(Reason("collinear"))
    used = np.flatnonzero(estimable)
    bread = np.asarray(np.linalg.inv(gram[np.ix_(used, used)]), dtype=np.float64)
    return Absorbed(effects, columns[:, used], bread, estimable, kept)
