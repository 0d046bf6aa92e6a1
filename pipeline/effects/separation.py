"""Rows that a Poisson regression with absorbed effects cannot use.

Where some combination of regressors and effects is zero wherever the outcome is positive, and has
one sign elsewhere, maximum likelihood sends the fitted values of those rows to zero: they carry no
information on the finite coefficients. Correia, Guimaraes & Zylkin (2019), arXiv:1903.01633.
All such rows are found at once by linear programming (their section 3.1).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.absorb import dense_codes, singletons_dropped
from pipeline.errors import Reason, SupportError

# At the optimum a separated row has 1 and another 0, up to the solver's feasibility tolerance.
SEPARATED_ABOVE = 0.5


@dataclass(frozen=True)
class Usable:
    """Mark rows kept and separated (n,); count rows in effects of all zeros and singletons."""

    kept: Flags
    separated: Flags
    n_all_zero: int
    n_singletons: int

    @property
    def n_separated(self) -> int:
        """Return the number of separated rows."""
        return int(self.separated.sum())


def usable_rows(y: Floats, regressors: Floats, first: Codes, second: Codes) -> Usable:
    """Return the rows left once all-zero effects, separated rows and singletons are dropped."""
    kept = _without_zero_effects(y, first, second, np.ones(len(y), dtype=np.bool_))
    n_all_zero = int((~kept).sum())
    separated = np.zeros(len(y), dtype=np.bool_)
    rows = np.flatnonzero(kept)
    if len(rows):
        separated[rows] = _separated(y[rows], regressors[rows], first[rows], second[rows])
    kept &= ~separated
    rows = np.flatnonzero(kept)
    if len(rows):
        kept[rows] = singletons_dropped(first[rows], second[rows])
    return Usable(kept, separated, n_all_zero, len(rows) - int(kept.sum()))


def _without_zero_effects(y: Floats, first: Codes, second: Codes, kept: Flags) -> Flags:
    """Drop effects of either set whose outcomes are all zero, again and again."""
    while True:
        positive = kept * y
        zero = (np.bincount(first, positive)[first] == 0) | (
            np.bincount(second, positive)[second] == 0
        )
        if not (zero & kept).any():
            return kept
        kept = kept & ~zero


def _separated(y: Floats, regressors: Floats, first: Codes, second: Codes) -> Flags:
    """Mark the rows in which some certificate of separation is positive.

    Maximise sum s over rows with y = 0, subject to s <= z, 0 <= s <= 1 and z = 0 where y > 0, z
    being a combination of regressors and effects: then s = 1 exactly in the separated rows.
    """
    from scipy import sparse
    from scipy.optimize import linprog

    at_zero = y == 0
    separated = np.zeros(len(y), dtype=np.bool_)
    n_zero = int(at_zero.sum())
    if not n_zero:
        return separated
    spread = np.abs(regressors).max(axis=0)
    scaled = sparse.csr_array(regressors / np.where(spread > 0, spread, 1.0))
    design = sparse.hstack([scaled, _dummies(first), _dummies(second)]).tocsr()
    k = design.shape[1]
    positive = sparse.hstack([design[~at_zero], sparse.csr_array((len(y) - n_zero, n_zero))])
    found = linprog(
        np.concatenate([np.zeros(k), -np.ones(n_zero)]),
        A_ub=sparse.hstack([-design[at_zero], sparse.eye_array(n_zero)]).tocsr(),
        b_ub=np.zeros(n_zero),
        A_eq=positive.tocsr(),
        b_eq=np.zeros(len(y) - n_zero),
        bounds=[(None, None)] * k + [(0, 1)] * n_zero,
        method="highs",
    )
    if found.status != 0:
        raise SupportError(Reason("separation_search_failed", {"status": int(found.status)}))
    separated[at_zero] = found.x[k:] > SEPARATED_ABOVE
    return separated


def _dummies(codes: Codes) -> Any:
    from scipy import sparse

    dense = dense_codes(codes)
    return sparse.csr_array((np.ones(len(dense)), (np.arange(len(dense)), dense)))
