"""The regressors of the stacked regressions: who is treated when, and covariates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.absorb import dense_codes
from pipeline.effects.sample import StackedSample
from pipeline.effects.terms import ATT, Term


@dataclass(frozen=True)
class Regressor:
    """Say what one regressor is: a value of the unit at some entry years and event times, else 0.

    `value` is the position of the covariate, None for whether the unit is treated. `cells` (entry
    years, T) marks where it counts.
    """

    value: int | None
    cells: Flags


@dataclass(frozen=True)
class Regressors:
    """Hold the k regressors of a sample, their terms, and their treated weight (k,).

    Those that only adjust for covariates come first; they have no term and no weight. `saturated`
    says that they are a dummy for every entry year and event time of treated firms, and no others.
    """

    sample: StackedSample
    parts: tuple[Regressor, ...]
    terms: tuple[Term | None, ...]
    mass: Floats
    saturated: bool = False

    @cached_property
    def columns(self) -> Floats:
        """Return the regressors by row, (n, k), one after the other in memory."""
        sample, n_times = self.sample, len(self.sample.stacks.event_times)
        column = np.searchsorted(sample.stacks.event_times, sample.event_time)
        place = sample.stacks.entry_years[1][sample.unit] * n_times + column
        columns = np.empty((len(place), len(self.parts)), order="F")
        for position, part in enumerate(self.parts):
            columns[:, position] = self.value(part)[sample.unit] * part.cells.ravel()[place]
        return columns

    def value(self, part: Regressor) -> Floats:
        """Return a regressor's value of each unit, (u,)."""
        if part.value is None:
            return self.sample.stacks.treated.astype(np.float64)
        assert self.sample.covariates is not None, "a covariate of the sample"
        return np.asarray(self.sample.covariates[:, part.value])

    def mass_of(self, terms: Sequence[Term]) -> Floats:
        """Return the treated weight of some terms."""
        return np.array([self.mass[self.terms.index(term)] for term in terms])


def event_regressors(sample: StackedSample) -> Regressors:
    """Return treated x one dummy per stack and event time, the reference event time left out.

    Each coefficient is a stack's own change since its reference year; an event time's effect is
    their mean over the stacks that have it, weighted by the treated observed (Sun & Abraham 2021,
    doi:10.1016/j.jeconom.2020.09.006). One dummy for all stacks would, where stacks cover
    different event times, borrow the effects of other event times.

    Covariates of the sample enter times a dummy per stack and event time, so that their slopes, the
    same for treated and comparison firms, may differ by stack and year.
    """
    stacks = sample.stacks
    years, code = stacks.entry_years
    own = [sample.weights[stacks.treated & (code == i)] for i in range(len(years))]
    cells = np.array([(weights > 0).any(axis=0) for weights in own])
    cells[:, stacks.reference_column] = False
    mass = np.array([weights.sum(axis=0) for weights in own])[cells]
    parts = [Regressor(None, cell) for cell in _one_by_one(cells)]
    named = [(int(years[i]), int(stacks.event_times[c])) for i, c in np.argwhere(cells)]
    terms = tuple(Term("cell", cohort=g, event_time=e) for g, e in named)
    found = _with_covariates(sample, parts, terms, mass)
    return replace(found, saturated=sample.covariates is None)


def pooled_regressors(sample: StackedSample) -> Regressors:
    """Return treated x (event time >= 0), against all years up to the reference year pooled.

    Years between the reference year and entry, which exist under anticipation, get a term of their
    own: they are neither before nor after.
    """
    times = sample.stacks.event_times
    every = np.ones((len(sample.stacks.entry_years[0]), 1), dtype=np.bool_)
    anticipated = (times > sample.stacks.reference) & (times < 0)
    seen = sample.observed[np.ix_(sample.stacks.treated, anticipated)].any()
    parts = [Regressor(None, every & cells) for cells in (times >= 0, anticipated)][: 1 + seen]
    terms = (ATT, Term("anticipation"))[: len(parts)]
    return _with_covariates(sample, parts, terms, np.ones(len(parts)))


def _with_covariates(
    sample: StackedSample, parts: list[Regressor], terms: tuple[Term, ...], mass: Floats
) -> Regressors:
    """Put covariate x stack x event time before the effects, less those of the reference year."""
    if sample.covariates is None:
        return Regressors(sample, tuple(parts), terms, mass)
    seen = sample.observed_years.copy()
    seen[:, sample.stacks.reference_column] = False
    values = range(sample.covariates.shape[1])
    adjusting = [Regressor(value, cell) for cell in _one_by_one(seen) for value in values]
    return Regressors(
        sample,
        (*adjusting, *parts),
        (*[None] * len(adjusting), *terms),
        np.concatenate([np.zeros(len(adjusting)), mass]),
    )


def _one_by_one(cells: Flags) -> list[Flags]:
    """Return each marked entry year and event time as marks of its own."""
    found = []
    for place in np.argwhere(cells):
        alone = np.zeros_like(cells)
        alone[tuple(place)] = True
        found.append(alone)
    return found


def pair_codes(first: np.ndarray, second: np.ndarray) -> Codes:
    """Return codes, without gaps, of the pairs that occur."""
    low = int(second.min())
    key = (first - first.min()) * (int(second.max()) - low + 1) + (second - low)
    return dense_codes(key)
