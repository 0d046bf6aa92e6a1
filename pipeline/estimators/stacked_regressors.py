"""The columns of the stacked regressions: who is treated when, and covariates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.absorb import dense_codes
from pipeline.effects.sample import StackedSample
from pipeline.effects.terms import ATT, Term


@dataclass(frozen=True)
class Regressors:
    """Hold the columns (n, k) of a stacked regression, their terms, and their treated weight (k,).

    Columns that only adjust for covariates come first; they have no term and no weight. `make`
    makes the columns when they are asked for: the closed form needs none. `saturated` says that
    they are a dummy for every entry year and event time of treated firms, and no others.
    """

    terms: tuple[Term | None, ...]
    mass: Floats
    make: Callable[[], Floats]
    saturated: bool = False

    @cached_property
    def columns(self) -> Floats:
        """Return the columns, (n, k)."""
        return self.make()

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
    observed = np.array([(weights > 0).any(axis=0) for weights in own])
    observed[:, stacks.reference_column] = False
    mass = np.array([weights.sum(axis=0) for weights in own])[observed]
    cells = [(int(years[i]), int(stacks.event_times[c])) for i, c in np.argwhere(observed)]
    terms = tuple(Term("cell", cohort=g, event_time=e) for g, e in cells)

    def dummies() -> Floats:
        stack, event_time, treated = sample.stack, sample.event_time, sample.treated
        columns = [treated & (stack == g) & (event_time == e) for g, e in cells]
        return _matrix(columns, len(treated))

    return _with_covariates(Regressors(terms, mass, dummies, saturated=True), sample)


def pooled_regressors(sample: StackedSample) -> Regressors:
    """Return treated x (event time >= 0), against all years up to the reference year pooled.

    Years between the reference year and entry, which exist under anticipation, get a term of their
    own: they are neither before nor after.
    """
    event_time, treated = sample.event_time, sample.treated
    anticipated = treated & (event_time > sample.stacks.reference) & (event_time < 0)
    columns = [treated & (event_time >= 0)] + [anticipated] * bool(anticipated.any())
    terms = (ATT, Term("anticipation"))[: len(columns)]
    ones = np.ones(len(columns))
    effects = Regressors(terms, ones, lambda: _matrix(columns, len(treated)))
    return _with_covariates(effects, sample)


def _with_covariates(effects: Regressors, sample: StackedSample) -> Regressors:
    """Put covariate x stack x event time columns before the effects, less the reference ones."""
    if sample.covariates is None:
        return effects
    event_time, stack = sample.event_time, sample.stack
    values = sample.covariates[sample.unit]
    columns = [
        value * ((stack == g) & (event_time == e))
        for g, e in stack_times(sample, event_time != sample.stacks.reference)
        for value in values.T
    ]
    return Regressors(
        (*[None] * len(columns), *effects.terms),
        np.concatenate([np.zeros(len(columns)), effects.mass]),
        lambda: np.hstack([_matrix(columns, len(values)), effects.columns]),
    )


def stack_times(sample: StackedSample, rows: Flags) -> list[tuple[int, int]]:
    """Return the entry years and event times that some of the rows are of, in order."""
    first, times = int(sample.stack.min()), sample.stacks.event_times
    column = np.searchsorted(times, sample.event_time[rows])
    code = (sample.stack[rows] - first) * len(times) + column
    found = np.flatnonzero(np.bincount(code))
    return [(first + int(c) // len(times), int(times[int(c) % len(times)])) for c in found]


def pair_codes(first: np.ndarray, second: np.ndarray) -> Codes:
    """Return codes, without gaps, of the pairs that occur."""
    low = int(second.min())
    key = (first - first.min()) * (int(second.max()) - low + 1) + (second - low)
    return dense_codes(key)


def _matrix(columns: list[np.ndarray], n_rows: int) -> Floats:
    """Stack flags as float columns, one after the other in memory."""
    matrix = np.empty((n_rows, len(columns)), order="F")
    for position, column in enumerate(columns):
        matrix[:, position] = column
    return matrix
