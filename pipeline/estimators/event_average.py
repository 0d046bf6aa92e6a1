"""The average of the stacked event study, for units that are weighed again and again.

As `event_cells`, where a unit's weight in a year is its own times a scale of its entry year and
group, as it is where weights are renormalised. Units of an entry year that are observed in the same
years then differ by their changes since the reference year only: with w the scales in these years,
b a unit's weight, d its changes, a the year effects and q the inverse times what the average takes
of each year, the unit's influence is

    b (d - a)'g,  g = w q - w (w'q / w'1),

and the equations for a need the sums of b and b d over units that are observed alike. Changes stand
from draw to draw; sums and influences are two products with them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.estimated import Estimated, Seen
from pipeline.effects.regression import Regression
from pipeline.effects.stacks import Stacks
from pipeline.effects.terms import ATT
from pipeline.errors import IdentificationError, Reason

# Changes below this share of the largest outcome may be rounding.
LEAST_CHANGE = 1e-4


@dataclass(frozen=True)
class ChangesByUnit:
    """Hold an outcome's changes since the reference year (n, T), zero where missing.

    Of the n units that have it and another year, by entry year and years observed: `unit` (n,) says
    which of all they are, `base` (n,) has their outcomes in the reference year, `largest` (n,) the
    largest absolute ones, `block` (n,) numbers
    those alike, which begin at `starts` (B + 1,). A block's entry year is the `stack`-th (B,) of
    `years`, and `seen` (B, T) its years.
    """

    unit: Codes
    change: Floats
    base: Floats
    largest: Floats
    block: Codes
    starts: Codes
    stack: Codes
    years: NDArray[np.int64]
    seen: Flags
    event_times: NDArray[np.int64]
    reference: int

    @cached_property
    def vary(self) -> bool:
        """Say whether changes are clearly more than rounding."""
        largest = float(self.largest.max(initial=0.0))
        return float(np.abs(self.change).max(initial=0.0)) > LEAST_CHANGE * largest

    def blocks_of(self, stack: int) -> slice:
        """Return the blocks of an entry year."""
        first, last = np.searchsorted(self.stack, [stack, stack + 1])
        return slice(int(first), int(last))

    def sums(self, weight: Floats) -> tuple[Floats, Floats]:
        """Return the sums of weights (n,), and of weighted changes, by block, (B,) and (B, T)."""
        mass, sums = np.zeros(len(self.stack)), np.zeros(self.seen.shape)
        for block, first, last in self._with_weight(weight):
            own = weight[first:last]
            mass[block] = own.sum()  # by halves: adding equal weights one by one drifts
            sums[block] = own @ self.change[first:last]
        return mass, sums

    def times(self, factor: Floats, weight: Floats) -> Floats:
        """Return the products of changes with the factors (B, T) of their blocks, by unit (n,).

        Of blocks with a weight; zero for others.
        """
        found = np.zeros(len(self.unit))
        for block, first, last in self._with_weight(weight):
            np.matmul(self.change[first:last], factor[block], out=found[first:last])
        return found

    def totals(self, mass: Floats, kept: Flags) -> Floats:
        """Return the mass (B,) in the years kept (B, T) by entry year, (S, T)."""
        found = np.zeros((len(self.years), kept.shape[1]))
        np.add.at(found, self.stack, mass[:, None] * kept)
        return found

    def _with_weight(self, weight: Floats) -> Iterator[tuple[int, int, int]]:
        """Yield the blocks in which some unit has a weight: number, first and last unit."""
        some = np.zeros(len(self.stack), dtype=np.bool_)
        some[self.block[np.flatnonzero(weight)]] = True
        for block in np.flatnonzero(some).tolist():
            yield block, int(self.starts[block]), int(self.starts[block + 1])


@dataclass(frozen=True)
class Weighed:
    """Hold the weights (u,) of all units in one draw, zero where not used, and who is treated.

    `firm` (u,) and the assignment clusters by firm code (F,) are as in `Seen`; there are no sets.
    """

    weight: Floats
    treated: Flags
    firm: Codes
    assignment: Codes


def changes_of(stacks: Stacks, values: Floats) -> ChangesByUnit:
    """Return the changes of outcomes by unit (u, T), which are not finite where missing."""
    reference = stacks.reference_column
    observed = np.isfinite(values)
    usable = np.flatnonzero(observed[:, reference] & (observed.sum(axis=1) > 1))
    years, code = stacks.entry_years
    alike = np.packbits(observed[usable], axis=1)
    order = np.lexsort((*alike.T, code[usable]))
    unit = usable[order]
    own, stack = observed[unit], code[unit]
    filled = np.where(own, values[unit], 0.0)
    new = np.ones(len(unit), dtype=np.bool_)
    new[1:] = (own[1:] != own[:-1]).any(axis=1) | (stack[1:] != stack[:-1])
    first = np.flatnonzero(new)
    return ChangesByUnit(
        unit=unit,
        change=np.where(own, filled - filled[:, [reference]], 0.0),
        base=filled[:, reference],
        largest=np.abs(filled).max(axis=1, initial=0.0),
        block=np.cumsum(new) - 1,
        starts=np.append(first, len(unit)),
        stack=stack[first],
        years=years,
        seen=own[first],
        event_times=stacks.event_times,
        reference=reference,
    )


@dataclass(frozen=True)
class _Side:
    """Hold the weights (n,) of treated, or of comparison, units, and by block their mass (B,).

    `sums` (B, T) are of weighted changes.
    """

    weight: Floats
    mass: Floats
    sums: Floats


@dataclass(frozen=True)
class _YearEffects:
    """Hold one side's year effects (T,) of one entry year, and their inverse equations (T, T).

    `scale` (blocks, T) is what a unit's weight is times in each year, `total` (blocks,) its sum.
    """

    effects: Floats
    inverse: Floats
    scale: Floats
    total: Floats

    def factor(self, taken: Floats) -> tuple[Floats, Floats]:
        """Return g (blocks, T) and a'g (blocks,) of an average that takes `taken` (T,)."""
        q = self.inverse @ taken
        share = (self.scale @ q) / np.where(self.total > 0, self.total, 1.0)
        factor = self.scale * (q - share[:, None])
        return factor, factor @ self.effects


@dataclass(frozen=True)
class _Comparison:
    """Hold both sides, by whether treated, and the years kept of each block (B, T).

    `mass` (S, T) is that of treated units by entry year, `ratio` (S, T) theirs to the others'.
    """

    changes: ChangesByUnit
    sides: dict[bool, _Side]
    kept: Flags
    mass: Floats
    ratio: Floats

    @property
    def taken(self) -> Floats:
        """Return what the average takes of each entry year and event time, (S, T).

        Event times from entry on count alike, at each the entry years by their treated mass.
        """
        at_time = self.mass.sum(axis=0)
        after = (self.changes.event_times >= 0) & (at_time > 0)
        if not after.any():
            raise IdentificationError(Reason("nobody_observed_after_entry"))
        shares = self.mass / np.where(after, at_time, 1.0) / after.sum()
        return np.where(after, shares, 0.0)

    def solve(self, stack: int, treated: bool) -> _YearEffects:
        """Solve for one side's year effects of an entry year."""
        side, blocks = self.sides[treated], self.changes.blocks_of(stack)
        mass, sums, kept = side.mass[blocks], side.sums[blocks], self.kept[blocks]
        scale = kept * (1.0 if treated else self.ratio[stack])
        total = scale.sum(axis=1)
        per_unit = 1 / np.where(total > 0, total, 1.0)
        seen = mass @ scale
        equations = np.diag(seen) - scale.T @ (scale * (mass * per_unit)[:, None])
        means = (scale * sums).sum(axis=1) * per_unit
        right = (scale * (sums - means[:, None])).sum(axis=0)
        free = np.flatnonzero((seen > 0) & (np.arange(len(seen)) != self.changes.reference))
        inverse = np.zeros(equations.shape)
        inverse[np.ix_(free, free)] = np.linalg.inv(equations[np.ix_(free, free)])
        return _YearEffects(inverse @ right, inverse, scale, total)

    def average(self) -> tuple[float, Floats]:
        """Return the average effect and each unit's influence on it, (n,)."""
        changes, taken = self.changes, self.taken
        estimate, influence = 0.0, np.zeros(len(changes.unit))
        for treated, sign in ((True, 1.0), (False, -1.0)):
            factor, at_effects = np.zeros(self.kept.shape), np.zeros(len(self.kept))
            for stack in range(len(changes.years)):
                blocks, found = changes.blocks_of(stack), self.solve(stack, treated)
                factor[blocks], at_effects[blocks] = found.factor(taken[stack])
                estimate += sign * float(taken[stack] @ found.effects)
            own = changes.times(factor, self.sides[treated].weight) - at_effects[changes.block]
            influence += sign * self.sides[treated].weight * own
        return estimate, influence


def average_from_entry(changes: ChangesByUnit, weighed: Weighed) -> Estimated | None:
    """Return the average effect of the event study, that of `event_cells` but for rounding.

    None where rows are no more than effects, or changes may be rounding: only the full estimate
    tells. Raises IdentificationError where nobody is compared from entry on.
    """
    found = _compared(changes, weighed)
    in_use = np.flatnonzero(weighed.weight[changes.unit])
    used = in_use[found.kept[changes.block[in_use], changes.reference]]
    n_rows = int(found.kept.sum(axis=1)[changes.block[used]].sum())
    n_years, n_cells = int((found.ratio > 0).sum()), int((found.mass > 0).sum())
    if not changes.vary or n_rows <= len(used) + 2 * n_cells:
        return None
    estimate, influence = found.average()
    firm, n_firms = weighed.firm[changes.unit], len(weighed.assignment)
    return Estimated(
        terms=(ATT,),
        estimates=np.array([estimate]),
        influence=np.bincount(firm, influence, n_firms).astype(np.float64)[:, None],
        seen=Seen(
            firm=firm[used],
            treated=weighed.treated[changes.unit[used]],
            entry=changes.years[changes.stack[changes.block[used]]],
            assignment=weighed.assignment,
            n_rows=n_rows,
        ),
        largest=_largest(changes, found.kept, used),
        loadings=np.ones((1, 1)),
        source=Regression(
            bread=np.zeros((n_cells, n_cells)),
            n_obs=n_rows,
            n_singletons=0,
            n_effects=(len(used), n_years),
            nested=lambda clusters: (True, False),
        ),
    )


def _largest(changes: ChangesByUnit, kept: Flags, used: Codes) -> float:
    """Return the largest absolute outcome of the units used in the years kept (B, T)."""
    block = changes.block[used]
    if (kept == changes.seen)[block].all():
        return float(changes.largest[used].max())
    values = changes.change[used] + changes.base[used][:, None]
    return float(np.abs(np.where(kept[block], values, 0.0)).max())


def _compared(changes: ChangesByUnit, weighed: Weighed) -> _Comparison:
    """Leave out, until nobody is, years that lack a side and units without two years."""
    weight, treated = weighed.weight[changes.unit], weighed.treated[changes.unit]
    sides = {side: _side(changes, np.where(treated == side, weight, 0.0)) for side in (True, False)}
    kept = changes.seen
    while True:
        one, other = (changes.totals(sides[side].mass, kept) for side in (True, False))
        narrower = kept & ((one > 0) & (other > 0))[changes.stack]
        narrower &= narrower[:, [changes.reference]]
        narrower &= narrower.sum(axis=1, keepdims=True) > 1
        if (narrower == kept).all():
            break
        kept = narrower
    ratio = np.divide(one, other, out=np.zeros_like(one), where=other > 0)
    one[:, changes.reference] = 0.0
    return _Comparison(changes, sides, kept, one, ratio)


def _side(changes: ChangesByUnit, weight: Floats) -> _Side:
    """Return what the units with a weight (n,) bring to the equations."""
    return _Side(weight, *changes.sums(weight))
