"""The stacked event study in closed form, from arrays of firms by event time.

With firm x stack effects and year x stack effects, and treated firms a dummy of their own at every
event time, treated and comparison firms of an entry year share no parameter: each of the two has
firm effects and year effects only. Firm means are taken out, the year effects a solve

    (diag(sum_i w_i) - sum_i w_i w_i' / w_i+) a = sum_i w_i (y_i - mean_i)

with w_i firm i's weights by event time, w_i+ their sum, and the reference year's effect zero. An
effect is the treated firms' a less the comparison firms'. This is the regression of
`effects.least_squares` without its rows and columns, equal to it to rounding; a firm's influence
is the inverse times its weighted residuals, which sum to zero within each firm. Where everyone is
observed in every year an effect is a weighted mean of differences.

Every firm of a sample is observed in the reference year, which therefore links all others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.estimated import Estimated, Seen
from pipeline.effects.regression import CONSTANT_SHARE, LeastSquares, Regression
from pipeline.effects.sample import StackedSample
from pipeline.effects.terms import Term
from pipeline.errors import IdentificationError, Reason
from pipeline.panel.panel_index import is_nested


@dataclass(frozen=True)
class _YearEffects:
    """Hold what one entry year's treated, or comparison, units (u,) say of its event times (T,).

    `effects` (T,) are relative to the reference, `mass` (T,) the weight observed, `residuals`
    (u, T), `inverse` (T, T) that of the equations, zero where nobody is seen and at the reference.
    """

    units: Codes
    effects: Floats
    mass: Floats
    inverse: Floats
    residuals: Floats
    weight: Floats

    @property
    def influence(self) -> Floats:
        """Return each unit's influence on the effects, (u, T)."""
        return np.asarray((self.weight * self.residuals) @ self.inverse)


@dataclass(frozen=True)
class EventCell:
    """Say where an effect stands: entry year, event time, its column among the event times."""

    stack: int
    event_time: int
    column: int

    @property
    def term(self) -> Term:
        """Return the effect's name."""
        return Term("cell", cohort=self.stack, event_time=self.event_time)


@dataclass(frozen=True)
class EventCells:
    """Hold the year effects of treated and comparison units by entry year, and the k cells."""

    sample: StackedSample
    sides: dict[int, dict[bool, _YearEffects]]
    cells: tuple[EventCell, ...]

    @property
    def terms(self) -> tuple[Term, ...]:
        """Return the names of the cells."""
        return tuple(cell.term for cell in self.cells)

    @property
    def effects(self) -> Floats:
        """Return the effects (k,): treated firms' change less that of comparison firms."""
        sides = [(self.sides[c.stack], c.column) for c in self.cells]
        return np.array([s[True].effects[i] - s[False].effects[i] for s, i in sides])

    def places(self, stack: int) -> tuple[Codes, Codes]:
        """Return the positions of an entry year's cells, and their columns of event times."""
        own = [(i, c.column) for i, c in enumerate(self.cells) if c.stack == stack]
        found = np.array(own, dtype=np.intp).reshape(-1, 2)
        return found[:, 0], found[:, 1]


def event_cells(sample: StackedSample, values: Floats) -> EventCells:
    """Solve the stacked event study of outcomes (u, T) where a sample's units enter."""
    stacks, used = sample.stacks, sample.observed.any(axis=1)
    sides: dict[int, dict[bool, _YearEffects]] = {}
    for position, stack in enumerate(stacks.entry_years[0].tolist()):
        own = used & (stacks.entry_years[1] == position)
        if not own.any():
            continue
        sides[stack] = {}
        for treated in (True, False):
            units = np.flatnonzero(own & (stacks.treated == treated))
            outcome = np.where(sample.observed[units], values[units], 0.0)
            sides[stack][treated] = _solve(
                units, outcome, sample.weights[units], stacks.reference_column
            )
    return EventCells(sample, sides, _cells(sides, stacks.event_times, stacks.reference_column))


def fit_event_cells(solved: EventCells, again: Callable[[], LeastSquares]) -> Estimated:
    """Return the effects of a solved event study of the sample's outcome, with influences.

    `again` is what few methods of inference read: the regression with its columns.

    Raises IdentificationError where the outcome does not vary within firms and years.
    """
    sample, bread = solved.sample, _bread(solved)
    _require_variation(solved, bread)
    influence = _influence(solved)
    seen = sample.seen()
    return Estimated(
        terms=solved.terms,
        estimates=solved.effects,
        influence=np.zeros_like(influence) if _is_saturated(solved) else influence,
        seen=seen,
        largest=float(np.abs(np.where(sample.observed, sample.values, 0.0)).max()),
        loadings=np.eye(len(solved.cells)),
        source=Regression(
            bread=bread,
            n_obs=sample.n_rows,
            n_singletons=0,
            n_effects=(len(seen.firm), int(np.count_nonzero(sample.observed_years))),
            nested=partial(cells_nested, seen),
            again=again,
        ),
    )


def cells_nested(seen: Seen, clusters: Codes) -> tuple[bool, bool]:
    """Say whether units, which have one cluster each, and year cells lie within clusters (u,)."""
    assert seen.entry is not None and seen.event_times is not None, "the closed form's"
    for time in seen.event_times.tolist():
        here = seen.at(time)
        if not is_nested(seen.entry[here] - seen.entry.min(), clusters[here]):
            return True, False
    return True, True


def _cells(
    sides: dict[int, dict[bool, _YearEffects]], event_times: NDArray[np.int64], reference: int
) -> tuple[EventCell, ...]:
    return tuple(
        EventCell(stack, int(time), column)
        for stack, found in sides.items()
        for column, time in enumerate(event_times)
        if column != reference and found[True].mass[column] > 0
    )


def _solve(units: Codes, y: Floats, weight: Floats, reference: int) -> _YearEffects:
    """Solve for the year effects of units' outcomes (u, T)."""
    total = weight.sum(axis=1, keepdims=True)
    within = y - (weight * y).sum(axis=1, keepdims=True) / total
    mass = _sums_by_time(weight)
    equations = np.diag(mass) - weight.T @ (weight / total)
    free = np.flatnonzero((mass > 0) & (np.arange(len(mass)) != reference))
    inverse = np.zeros(equations.shape)
    inverse[np.ix_(free, free)] = np.linalg.inv(equations[np.ix_(free, free)])
    effects = inverse @ _sums_by_time(weight * within)
    residuals = within - effects + (weight @ effects)[:, None] / total
    if np.count_nonzero(weight) <= len(units) + np.count_nonzero(mass) - 1:  # which fit anything
        residuals = np.zeros_like(residuals)
    return _YearEffects(units, effects, mass, inverse, residuals, weight)


def _sums_by_time(by_unit: Floats) -> Floats:
    """Return the sums of an array (u, T) by event time, (T,).

    By halves, as numpy adds a column that is in one piece: adding many equal weights one after
    another drifts.
    """
    return np.asarray(np.ascontiguousarray(by_unit.T).sum(axis=1))


def _influence(solved: EventCells) -> Floats:
    """Return each firm's influence on the effects, (F, k)."""
    stacks = solved.sample.stacks
    influence = np.zeros((stacks.n_firms, len(solved.cells)))
    for stack, sides in solved.sides.items():
        places, columns = solved.places(stack)
        for treated, sign in ((True, 1.0), (False, -1.0)):
            side = sides[treated]
            firms = stacks.firm[side.units]  # a firm is once in a stack
            influence[np.ix_(firms, places)] += sign * side.influence[:, columns]
    return influence


def _bread(solved: EventCells) -> Floats:
    """Return (X'WX)^-1 of the effects (k, k): entry years share nothing."""
    bread = np.zeros((len(solved.cells),) * 2)
    for stack, sides in solved.sides.items():
        places, columns = solved.places(stack)
        both = sides[True].inverse + sides[False].inverse
        bread[np.ix_(places, places)] = both[np.ix_(columns, columns)]
    return bread


def _require_variation(solved: EventCells, bread: Floats) -> None:
    """Raise IdentificationError where firm and year effects leave nothing of the outcome.

    What they leave is what is left of each side, and what treated firms' effects explain of both.
    """
    sides = [side for both in solved.sides.values() for side in both.values()]
    left = sum(float((side.weight * side.residuals**2).sum()) for side in sides)
    explained = float(solved.effects @ np.linalg.solve(bread, solved.effects))
    sample = solved.sample
    whole = float((sample.weights * np.where(sample.observed, sample.values, 0.0) ** 2).sum())
    if left + explained <= CONSTANT_SHARE * whole:
        raise IdentificationError(Reason("no_outcome_variation"))


def _is_saturated(solved: EventCells) -> bool:
    """Say whether rows are no more than effects and regressors, which then fit anything."""
    sides = [side for both in solved.sides.values() for side in both.values()]
    parameters = sum(len(side.units) + int((side.mass > 0).sum()) - 1 for side in sides)
    return solved.sample.n_rows <= parameters
