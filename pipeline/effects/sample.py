"""The estimation sample of one design and outcome, after the declared rule for missing values."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.estimated import Seen
from pipeline.effects.stacks import SetMembers, Stacks
from pipeline.errors import IdentificationError, Reason
from pipeline.panel.panel_index import NO_ROW


@dataclass(frozen=True)
class Losses:
    """Count what missing outcomes cost; firm-years are counted once per stack.

    `firm_years_missing`: in the window and PANEL's years, without the outcome.
    `firm_years_dropped`: observed, but left out by the rule. `stack_years_dropped`: stacks x
    years of PANEL in which no comparison is left. `treated_missing`: treated firms left out.
    `treated_years`: of matched treated firms that are observed in the reference year too.
    `treated_years_dropped`: of these, left out because nobody, or not everyone of their set, is
    there to compare with.
    """

    firm_years_missing: int
    firm_years_dropped: int
    stack_years_dropped: int
    treated_missing: int
    treated_years: int
    treated_years_dropped: int


@dataclass(frozen=True)
class StackedSample:
    """Hold what enters the estimator, units by event time (u, T), and as rows (n,).

    `values` are outcomes, `weights` zero where a unit is left out. Rows, one per firm x stack x
    year that enters, unit by unit, are made where they are asked for: `unit` points into the arrays
    of `stacks`; `panel_row` is the row's position in PANEL, so that any other column (true effects,
    say) can be aligned: `column[sample.panel_row]`. `covariates` (units, k), where an estimator
    adjusts for some, have no missing value in use.
    """

    stacks: Stacks
    values: Floats
    weights: Floats
    covariates: Floats | None = None

    @cached_property
    def losses(self) -> Losses:
        """Return what missing outcomes and covariates cost."""
        return _losses(self.stacks, _known(self.values, self.covariates), self.observed)

    @cached_property
    def observed(self) -> Flags:
        """Mark the event times at which units enter, (u, T)."""
        return np.asarray(self.weights > 0)

    @cached_property
    def observed_years(self) -> Flags:
        """Mark the event times at which some unit of each entry year enters, (entry years, T)."""
        years, code = self.stacks.entry_years
        return np.array([self.observed[code == i].any(axis=0) for i in range(len(years))])

    @cached_property
    def _rows(self) -> tuple[Codes, Codes]:
        unit, column = np.nonzero(self.observed)
        return unit, column

    @property
    def n_rows(self) -> int:
        """Return the number of rows, n."""
        return int(np.count_nonzero(self.observed))

    @property
    def unit(self) -> Codes:
        """Return the row's unit."""
        return self._rows[0]

    @cached_property
    def event_time(self) -> NDArray[np.int64]:
        """Return the row's years since entry."""
        return np.asarray(self.stacks.event_times[self._rows[1]])

    @property
    def panel_row(self) -> Codes:
        """Return the row's position in PANEL."""
        return self.stacks.panel_row[self._rows]

    @cached_property
    def y(self) -> Floats:
        """Return the row's outcome."""
        return self.values[self._rows]

    @cached_property
    def weight(self) -> Floats:
        """Return the row's weight."""
        return self.weights[self._rows]

    def by_unit(self, rows: Floats) -> Floats:
        """Return values by row (n,) as units by event time, zero where a unit does not enter."""
        values = np.zeros(self.weights.shape)
        values[self._rows] = rows
        return values

    @property
    def treated(self) -> Flags:
        """Return whether the row's firm enters in the row's stack."""
        return self.stacks.treated[self.unit]

    @property
    def stack(self) -> NDArray[np.int64]:
        """Return the entry year of the row's stack."""
        return self.stacks.stack[self.unit]

    @property
    def year(self) -> NDArray[np.int64]:
        """Return the calendar year."""
        return self.stack + self.event_time

    @property
    def firm(self) -> Codes:
        """Return the row's firm, by PANEL's code."""
        return self.stacks.firm[self.unit]

    def seen(self, by_entry: bool = True) -> Seen:
        """Return units as results hold them; `by_entry` where entry years have own effects."""
        used = np.flatnonzero(self.observed.any(axis=1))
        return Seen(
            firm=self.stacks.firm[used],
            treated=self.stacks.treated[used],
            entry=self.stacks.stack[used] if by_entry else None,
            observed=self.observed[used],
            event_times=self.stacks.event_times,
            **self._levels,
        )

    def seen_by_row(self, by_entry: bool = True) -> Seen:
        """Return rows as results hold them, of estimators that may drop some."""
        return Seen(
            firm=self.firm,
            treated=self.treated,
            entry=self.stack if by_entry else None,
            event_time=self.event_time,
            **self._levels,
        )

    @property
    def _levels(self) -> dict[str, Any]:
        """Return the firms' clusters."""
        stacks = self.stacks
        return {
            "assignment": stacks.assignment,
            "matched_set": stacks.matched_set,
            "levels": stacks.levels,
            "names": stacks.names,
        }


def stacked_sample(
    stacks: Stacks,
    outcome: NDArray[np.float64],
    missing: Literal["drop_set", "renormalise"],
    covariates: Floats | None = None,
) -> StackedSample:
    """Return the rows that enter the estimator, given the transformed outcome by PANEL row.

    Rules, the same for the average and the event-study estimates:

    1. The reference year must be observed: each effect is a change since that year, and a firm
       (set) without it would enter only through differences between other years. A log outcome
       is hence about firms with a positive value in the base year.
    2. `drop_set`: a matched set counts in a year only if all its firms are observed then and in
       the reference year; a comparison firm's weight is the sum of its surviving sets' weights.
       Composition then changes by whole sets, so that every year compares the firms that were
       matched. `renormalise`: whoever is observed stays, and comparison weights of a stack and
       year are scaled to the treated observed. Designs without sets renormalise.
    3. A firm (set) observed in the reference year only has no change to show and is left out; so
       is a stack-year without treated or without comparison firms.

    A unit without all of the `covariates` (units, k) counts as not observed. In every stack and
    year the comparison weights then sum to the treated weights.
    """
    return sample_of_values(stacks, values_by_unit(stacks, outcome), missing, covariates)


def values_by_unit(stacks: Stacks, column: Floats) -> Floats:
    """Return a column by PANEL row as units x event times, missing where a firm has no row."""
    return np.where(stacks.panel_row == NO_ROW, np.nan, column[stacks.panel_row])


def sample_of_values(
    stacks: Stacks,
    values: Floats,
    missing: Literal["drop_set", "renormalise"],
    covariates: Floats | None = None,
) -> StackedSample:
    """Return the rows that enter the estimator, as `stacked_sample`, given values by unit.

    `values` (u, event times) may hold what PANEL has no row for, as after exit.
    """
    observed = _known(values, covariates)
    if missing == "drop_set" and stacks.sets is not None:
        weight = _whole_set_weights(stacks.sets, observed, stacks.reference_column)
    else:
        weight = renormalised_weights(stacks, observed)
    return StackedSample(stacks=stacks, values=values, weights=weight, covariates=covariates)


def _known(values: Floats, covariates: Floats | None) -> Flags:
    """Say where units have the outcome (u, T), and all covariates (u, k)."""
    known = np.isfinite(values)
    if covariates is not None:
        known &= np.isfinite(covariates).all(axis=1, keepdims=True)
    return known


def check_comparable(sample: StackedSample) -> None:
    """Raise IdentificationError unless treated and comparison firms meet before and after entry."""
    if not sample.observed.any():
        raise IdentificationError(
            Reason("nobody_observed_at_reference", {"time": sample.stacks.reference})
        )
    if not sample.observed[:, sample.stacks.event_times >= 0].any():
        raise IdentificationError(Reason("nobody_observed_after_entry"))


def _whole_set_weights(sets: SetMembers, observed: Flags, reference: int) -> Floats:
    """Sum set weights over sets complete then and in the reference year, (units, event times)."""
    complete = _complete_sets(sets, observed)
    complete &= complete[:, [reference]]
    complete &= complete.sum(axis=1, keepdims=True) > 1
    return _sum_over_sets(sets, complete, len(observed))


def complete_set_weights(sets: SetMembers, observed: Flags) -> Floats:
    """Sum set weights, shape (units,), over sets complete in every column of `observed`."""
    every = np.logical_and.reduce(_complete_sets(sets, observed), axis=1, keepdims=True)
    return _sum_over_sets(sets, np.asarray(every), len(observed))[:, 0]


def _complete_sets(sets: SetMembers, observed: Flags) -> Flags:
    """Say which sets have all members observed, shape (sets, columns of `observed`)."""
    n_sets = int(sets.set_code.max(initial=-1)) + 1
    complete = np.ones((n_sets, observed.shape[1]), dtype=np.bool_)
    for column in range(observed.shape[1]):
        complete[sets.set_code[~observed[sets.unit, column]], column] = False
    return complete


def _sum_over_sets(sets: SetMembers, complete: Flags, n_units: int) -> Floats:
    weight = np.empty((n_units, complete.shape[1]))
    for column in range(complete.shape[1]):
        kept = sets.weight * complete[sets.set_code, column]
        weight[:, column] = np.bincount(sets.unit, kept, minlength=n_units)
    return weight


def renormalised_weights(stacks: Stacks, observed: Flags) -> Floats:
    """Scale comparison weights to the treated observed, shape (units, event times)."""
    stack = stacks.entry_years[1]
    kept = observed & (stacks.weight > 0)[:, None]
    while True:
        treated = _sum_by(stack, kept * (stacks.weight * stacks.treated)[:, None])
        control = _sum_by(stack, kept * (stacks.weight * ~stacks.treated)[:, None])
        narrower = kept & ((treated > 0) & (control > 0))[stack]
        narrower &= narrower[:, [stacks.reference_column]]
        narrower &= narrower.sum(axis=1, keepdims=True) > 1
        if (narrower == kept).all():
            break
        kept = narrower
    ratio = np.divide(treated, control, out=np.zeros_like(treated), where=control > 0)
    scale = np.where(stacks.treated[:, None], 1.0, ratio[stack])
    return kept * stacks.weight[:, None] * scale


def _sum_by(group: Codes, values: Floats) -> Floats:
    n = int(group.max(initial=-1)) + 1
    return np.column_stack([np.bincount(group, column, minlength=n) for column in values.T])


def _losses(stacks: Stacks, observed: Flags, used: Flags) -> Losses:
    stack = stacks.entry_years[1]
    covered = _sum_by(stack, stacks.covered.astype(np.float64)) > 0
    left = _sum_by(stack, used.astype(np.float64)) > 0
    treated = observed & observed[:, [stacks.reference_column]]
    treated &= (stacks.treated & (stacks.weight > 0))[:, None]
    treated &= treated.sum(axis=1, keepdims=True) > 1
    return Losses(
        firm_years_missing=int((stacks.covered & ~observed).sum()),
        firm_years_dropped=int((observed & ~used).sum()),
        stack_years_dropped=int((covered & ~left).sum()),
        treated_missing=int((stacks.treated & ~used.any(axis=1)).sum()),
        treated_years=int(treated.sum()),
        treated_years_dropped=int((treated & ~used).sum()),
    )
