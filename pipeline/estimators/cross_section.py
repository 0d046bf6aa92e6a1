"""Differences in outcomes after entry, entry year by entry year and event time by event time.

Each cell, an entry year at an event time, is one weighted least squares regression over firms:
outcome on a constant and treatment. A cell's firms are a cross-section, so that what differed
between the groups before entry stays in the difference. Where support was assigned at random the
outcome in the reference year may be a third regressor (ANCOVA), which takes the part of the noise
that lasts: McKenzie (2012), doi:10.1016/j.jdeveco.2012.01.002. It may also be subtracted: one
difference a firm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.after_entry import POST_ONLY
from pipeline.effects.answers import Answer, Task
from pipeline.effects.estimated import ROUNDING, Estimated, joined
from pipeline.effects.event_averages import mean_from_entry, means_by_event_time
from pipeline.effects.regression import Regression
from pipeline.effects.resolved import Asked, Resolved, on_changes
from pipeline.effects.sample import StackedSample
from pipeline.effects.terms import ATT, EVENT_AVERAGE, Term, event
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.stacked import entry_years_only, firms_at, why_missing
from pipeline.panel.panel_index import is_nested
from pipeline.params.cross_section_spec import CrossSectionSpec

# One less a leverage below this is zero but for rounding.
FITTED = 1e-10

_Base = Literal["none", "covariate", "reference_year"]
_BASES: dict[str, _Base] = {
    "unused": "none",
    "covariate": "covariate",
    "subtracted": "reference_year",
}


@dataclass(frozen=True)
class _Cell:
    """Hold the regression of one cell: its units (n,), and what they are to treatment's slope.

    `influence` (n,) sums to zero; `left_out` (n,) is as of residuals over one less their leverage.
    """

    term: Term
    unit: Codes
    estimate: float
    influence: Floats
    left_out: Floats
    mass: float
    n_coefficients: int


def estimate_cross_section(task: Task) -> Answer:
    """Return every term that a spec asks for, from the rows of the sample from entry on."""
    spec: CrossSectionSpec = task.spec
    if spec.base_value != "unused" and task.study.outcomes[task.outcome].post_only:
        raise IdentificationError(POST_ONLY)
    cells = _cells(task.sample, spec)
    found = _estimated(task.sample, cells)
    events = means_by_event_time(found, np.array([cell.mass for cell in cells]))
    entered = np.unique(task.sample.stack[task.sample.treated])
    said = {term: _entry_years(cells, term, len(entered)) for term in events.terms}
    unused = _without_base_value(task)
    averages = [ATT] * ("att" in spec.terms) + [EVENT_AVERAGE] * ("event" in spec.terms)
    parts = [_average(events, term, unused) for term in averages]
    if "event" in spec.terms:
        seen = {term: firms_at(found, term) for term in events.terms}
        missing = _unseen(task.sample, events)
        parts.append(replace(events, remarks=said, reasons=missing, counts=seen))
    return Answer([joined(parts)], unused=unused)


def _without_base_value(task: Task) -> dict[str, float]:
    """Count the firms, once per entry year, that a comparison of levels leaves out.

    The sample is of firms observed in the reference year, as for changes since then.
    """
    post_only = task.study.outcomes[task.outcome].post_only
    if task.spec.base_value != "unused" or post_only:
        return {}
    stacks, known = task.sample.stacks, np.isfinite(task.sample.values)
    later = known[:, stacks.event_times >= 0].any(axis=1) & (stacks.weight > 0)
    return {"n_without_base_value": int((later & ~known[:, stacks.reference_column]).sum())}


def _average(events: Estimated, term: Term, unused: Mapping[str, float]) -> Estimated:
    """Return an average over event times, which says whether firms lack the base value."""
    found = mean_from_entry(events, term)
    if not unused.get("n_without_base_value"):
        return found
    said = (*found.remarks.get(term, ()), Reason("without_base_value_left_out"))
    return replace(found, remarks={**found.remarks, term: said})


def cross_section_rules(asked: Asked) -> Resolved:
    """Return how outcomes are compared after entry."""
    return replace(
        on_changes(asked, "least_squares"),
        base=_BASES[asked.spec.base_value],
        event_base="none",
        gaps=(asked.gaps,),
        firm_effects="none",
        year_effects="year_by_entry_year",
    )


def true_cross_section(task: Task, effect: Floats) -> Mapping[Term, float]:
    """Return what the comparison finds of the true effects, which comparison firms have none of."""
    sample = task.sample
    own = np.where(sample.treated, effect[sample.panel_row], 0.0)
    cells = _cells(replace(sample, values=sample.by_unit(own)), task.spec)
    mass = np.array([cell.mass for cell in cells])
    events = means_by_event_time(_estimated(sample, cells), mass)
    return {ATT: mean_from_entry(events, ATT).estimate(ATT)}


def _cells(sample: StackedSample, spec: CrossSectionSpec) -> list[_Cell]:
    """Return the regressions of all cells; raise IdentificationError where there is none."""
    years, year = sample.stacks.entry_years
    found = []
    for code, entry in enumerate(years.tolist()):
        for column, time in enumerate(sample.stacks.event_times.tolist()):
            used = np.flatnonzero(sample.observed[:, column] & (year == code))
            if time >= 0 and len(used):
                term = Term("cell", cohort=entry, event_time=time)
                found.append(_fit(sample, spec, term, used))
    if not found:
        raise IdentificationError(Reason("nobody_observed_after_entry"))
    return found


def _fit(sample: StackedSample, spec: CrossSectionSpec, term: Term, unit: Codes) -> _Cell:
    """Regress a cell's outcome on a constant, treatment and, if asked, its value at base."""
    assert term.event_time is not None, "cells have one"
    column = term.event_time - int(sample.stacks.event_times[0])
    treated, weight = sample.stacks.treated[unit], sample.weights[unit, column]
    columns = [np.ones(len(unit)), treated.astype(np.float64)]
    if spec.base_value == "covariate":
        columns += _base_value(sample, unit, treated, weight)
    regressors = np.column_stack(columns)
    bread = np.linalg.inv(regressors.T @ (weight[:, None] * regressors))
    y = _outcome(sample, spec, unit, column)
    coefficients = bread @ (regressors.T @ (weight * y))
    residuals = _residuals(y, regressors, coefficients)
    influence = (regressors @ bread[1]) * weight * residuals
    rest = 1 - weight * np.einsum("ij,jk,ik->i", regressors, bread, regressors)
    # of a firm that its own coefficient fits nothing is known once it is left out
    left_out = np.divide(influence, rest, out=np.full(len(unit), np.nan), where=rest > FITTED)
    return _Cell(
        term=term,
        unit=unit,
        estimate=float(coefficients[1]),
        influence=influence,
        left_out=left_out,
        mass=float(weight[treated].sum()),
        n_coefficients=len(bread),
    )


def _outcome(sample: StackedSample, spec: CrossSectionSpec, unit: Codes, column: int) -> Floats:
    """Return the outcome of a cell's units, less its value in the reference year if so asked."""
    before = sample.values[unit, sample.stacks.reference_column]
    subtracted = before if spec.base_value == "subtracted" else 0.0
    return np.asarray(sample.values[unit, column] - subtracted)


def _base_value(sample: StackedSample, unit: Codes, treated: Flags, weight: Floats) -> list[Floats]:
    """Return the outcome in the reference year, standardised; nothing where all groups are alike.

    It then says no more than treatment does.
    """
    values = sample.values[unit, sample.stacks.reference_column]
    centred = values - np.average(values, weights=weight)
    scale = float(np.abs(centred).max())
    means = [np.average(centred[own], weights=weight[own]) for own in (treated, ~treated)]
    within = centred - np.where(treated, *means)
    if np.abs(within).max() <= ROUNDING * max(scale, float(np.abs(values).max())):
        return []
    return [centred / scale]


def _residuals(y: Floats, regressors: Floats, coefficients: Floats) -> Floats:
    """Return what a fit leaves; exact zeros where it has as many coefficients as firms."""
    if len(y) <= len(coefficients):
        return np.zeros(len(y))
    return np.asarray(y - regressors @ coefficients)


def _estimated(sample: StackedSample, cells: Sequence[_Cell]) -> Estimated:
    """Return the cells' effects as one result, with firms' influences on them."""
    firm, n_firms = sample.stacks.firm, sample.stacks.n_firms
    influence = [np.bincount(firm[c.unit], c.influence, n_firms) for c in cells]
    left_out = [np.bincount(firm[c.unit], c.left_out, n_firms) for c in cells]
    after = replace(sample, weights=_from_entry(sample))
    values = np.where(after.observed, sample.values, 0.0)
    return Estimated(
        terms=tuple(cell.term for cell in cells),
        estimates=np.array([cell.estimate for cell in cells]),
        influence=np.column_stack(influence),
        seen=after.seen_by_row(),
        largest=float(np.abs(values).max()),
        loadings=np.eye(len(cells)),
        source=replace(
            _regression(after, sum(cell.n_coefficients for cell in cells)),
            left_out=np.column_stack(left_out),
        ),
    )


def _from_entry(sample: StackedSample) -> Floats:
    """Return the weights of a sample from entry on, zero before."""
    return np.where(sample.stacks.event_times >= 0, sample.weights, 0.0)


def _regression(after: StackedSample, n_coefficients: int) -> Regression:
    """Return what all cells' regressions come to together: a constant of each is an effect."""
    years = after.stacks.entry_years[1][after.unit] * len(after.stacks.event_times)
    cell = np.unique(years + after.event_time, return_inverse=True)[1]
    n_cells = int(cell.max()) + 1
    n_slopes = n_coefficients - n_cells
    return Regression(
        bread=np.zeros((n_slopes, n_slopes)),
        n_obs=after.n_rows,
        n_singletons=0,
        n_effects=(n_cells, 1),
        nested=lambda clusters: (is_nested(cell, clusters), False),
    )


def _unseen(sample: StackedSample, events: Estimated) -> dict[Term, Reason]:
    """Return the event times of the window from entry on that have no effect, and why."""
    times = [time for time in sample.stacks.event_times.tolist() if time >= 0]
    lost = [time for time in times if event(time) not in events.terms]
    return {event(time): why_missing(sample, time, observed=False) for time in lost}


def _entry_years(cells: Sequence[_Cell], term: Term, n_entered: int) -> tuple[Reason, ...]:
    """Name the entry years seen at an event time where not all are."""
    seen = [c.term.cohort for c in cells if c.term.event_time == term.event_time]
    return entry_years_only([year for year in seen if year is not None], n_entered)
