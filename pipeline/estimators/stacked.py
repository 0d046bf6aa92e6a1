"""Stacked matched difference-in-differences: the main estimator.

For each entry year the weighted comparison over a common event window, with firm x stack and
year x stack effects, pooled over stacks. Treated firms are compared only with the comparison
firms of their own stack, never with firms treated earlier. Cengiz, Dube, Lindner & Zipperer
(2019), doi:10.1093/qje/qjz014; stack weights as in Wing, Freedman & Hollingsworth (2024),
doi:10.3386/w32054.

Each entry year has its own effect at each event time, a 2x2 of that year against the reference
year where its firms are observed throughout; an event time's effect is their mean over entry
years. Where firms lack some event times, least squares also uses their other years to place
their level, within the entry year only.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.answers import Answer, Leads
from pipeline.effects.estimated import Estimated, joined
from pipeline.effects.event_averages import (
    mean_from_entry,
    mean_over_event_times,
    means_by_event_time,
)
from pipeline.effects.least_squares import coefficients, fit_absorbed
from pipeline.effects.regression import LeastSquares, absorbed_again
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT, EVENT_AVERAGE, Term, event
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.event_cells import event_cells, fit_event_cells
from pipeline.estimators.stacked_moments import coefficients_by_moments, fit_by_moments
from pipeline.estimators.stacked_regressors import (
    Regressors,
    event_regressors,
    pooled_regressors,
)
from pipeline.estimators.year_cells import YearCells, year_cells
from pipeline.panel.panel_index import n_groups
from pipeline.params.estimate import StackedSpec


def estimate_stacked(study: Study, spec: StackedSpec, sample: StackedSample) -> Answer:
    """Return every term that a spec asks for, on the sample with its covariates.

    `att` is the declared average: the mean over event times from entry on (`event`), or treated x
    post (`pooled`), which is a regression of its own.
    """
    rows = year_cells(sample, study.panel, spec.year_effects_by)
    answers: list[Answer] = []
    if "event" in spec.terms or spec.average == "event":
        answers.append(_event_answer(spec, sample, rows))
    if "att" in spec.terms and spec.average == "pooled":
        answers.append(_pooled_answer(sample, rows))
    return Answer.of(answers)


def _event_answer(spec: StackedSpec, sample: StackedSample, rows: YearCells) -> Answer:
    by_average = spec.average == "event" and "att" in spec.terms
    asked = [ATT] * by_average + [EVENT_AVERAGE] * ("event" in spec.terms)
    try:
        regressors = event_regressors(sample)
        events = stacked_event_study(sample, fit_cells(sample, regressors, rows), regressors)
    except IdentificationError as error:
        return Answer(reasons=dict.fromkeys(asked, error.reason))
    parts = [mean_from_entry(events, term) for term in asked]
    if "event" in spec.terms:
        bins = [(part.first_event_time, part.last_event_time) for part in spec.event_bins]
        parts += [events, *(event_bin(events, *ends) for ends in bins)]
    found = joined(parts)
    if "event" not in spec.terms:
        return Answer([found])
    return Answer([found], leads=Leads.before(events, sample.stacks.reference, slopes=True))


def _pooled_answer(sample: StackedSample, rows: YearCells) -> Answer:
    try:
        fit = fit_cells(sample, pooled_regressors(sample), rows, by_entry=False)
    except IdentificationError as error:
        return Answer(reasons={ATT: error.reason})
    found = fit.where([ATT])
    return Answer([replace(found, reasons={t: r for t, r in fit.reasons.items() if t == ATT})])


def fit_cells(
    sample: StackedSample, regressors: Regressors, cells: YearCells, *, by_entry: bool = True
) -> Estimated:
    """Fit y with firm x stack and year-cell effects, weighted; return the coefficients.

    `by_entry`: each entry year has effects of its own. From arrays where that is the same.
    """

    def again() -> LeastSquares:
        given = (sample.unit, cells.codes, sample.weight)
        return absorbed_again(sample.y, regressors.columns, *given)

    if _by_arrays(sample, cells):
        if regressors.saturated:
            return fit_event_cells(event_cells(sample, sample.values), again)
        return fit_by_moments(regressors, again, by_entry)
    return fit_absorbed(
        sample.y,
        regressors.columns,
        regressors.terms,
        first=sample.unit,
        second=cells.codes,
        weight=sample.weight,
        seen=sample.seen_by_row(by_entry),
    )


def _by_arrays(sample: StackedSample, cells: YearCells) -> bool:
    """Say whether equations of units by event time are those of rows.

    Year effects are then by stack, and every firm of the sample has its reference year, as the
    rules for missing values see to.
    """
    at_reference = sample.observed[:, sample.stacks.reference_column]
    return cells.by_stack and bool((at_reference == sample.observed.any(axis=1)).all())


def event_effects(cells: Estimated, regressors: Regressors) -> Estimated:
    """Return the effect at each event time: entry years' own, weighted by the treated observed."""
    return means_by_event_time(cells, regressors.mass_of(cells.terms))


def stacked_event_study(
    sample: StackedSample, cells: Estimated, regressors: Regressors
) -> Estimated:
    """Return the effects at all event times of the window: estimated, zero, or missing and why.

    An event time's firms are those observed at it.
    """
    events = event_effects(cells, regressors)
    known = {term.event_time for term in events.terms}
    reference = sample.stacks.reference
    observed = {term.event_time for term in regressors.terms if term is not None}
    absent = [int(e) for e in sample.stacks.event_times if e not in known and e != reference]
    return replace(
        events,
        zeros={event(reference): Reason("reference_period")},
        reasons={event(e): why_missing(sample, e, e in observed) for e in absent},
        remarks={term: _entry_years(sample, term) for term in events.terms},
        counts={term: firms_at(cells, term) for term in events.terms},
    )


def event_bin(events: Estimated, first: int, last: int) -> Estimated:
    """Return the equal-weight mean of the effects from event time `first` to `last`."""
    inside = [e for e in events.terms if e.event_time is not None and first <= e.event_time <= last]
    why = Reason("no_event_time_in_bin", {"first": first, "last": last})
    return mean_over_event_times(events, inside, Term("event_bin", None, None, first, last), why)


def stacked_terms(
    sample: StackedSample, y: Floats, spec: StackedSpec, cells: YearCells
) -> dict[Term, float]:
    """Apply the spec's estimator to another column y (n,) on the same rows and weights.

    The estimator is linear in y: given true effects (zero for comparison firms and before entry)
    it returns the average true effect under the estimator's own weights. `att` is the spec's
    average, missing where it cannot be estimated.
    """
    terms: dict[Term, float] = {}
    if "event" in spec.terms or spec.average == "event":
        events = event_values(sample, y, cells)
        parts = [mean_from_entry(events, term) for term in (EVENT_AVERAGE, ATT)]
        parts += [event_bin(events, b.first_event_time, b.last_event_time) for b in spec.event_bins]
        found = joined([events, *parts])
        terms = dict.fromkeys(found.reasons, np.nan)
        terms |= dict(zip(found.terms, found.estimates.tolist(), strict=True))
    if spec.average == "pooled":
        terms[ATT] = _values(sample, y, pooled_regressors(sample), cells).estimate(ATT)
    return terms


def event_values(sample: StackedSample, y: Floats, cells: YearCells) -> Estimated:
    """Return the effects at all event times on y (n,), without influences."""
    regressors = event_regressors(sample)
    return event_effects(_values(sample, y, regressors, cells), regressors)


def _values(
    sample: StackedSample, y: Floats, regressors: Regressors, cells: YearCells
) -> Estimated:
    if _by_arrays(sample, cells) and regressors.saturated:
        values = event_cells(sample, sample.by_unit(y)).effects
    elif _by_arrays(sample, cells):
        values = coefficients_by_moments(regressors, sample.by_unit(y))
    else:
        values = coefficients(y, regressors.columns, sample.unit, cells.codes, sample.weight)
    named = [
        (term, value)
        for term, value in zip(regressors.terms, values.tolist(), strict=True)
        if term is not None and np.isfinite(value)
    ]
    return Estimated(
        terms=tuple(term for term, _ in named),
        estimates=np.array([value for _, value in named]),
        influence=None,
        seen=sample.seen(),
        largest=0.0,
        loadings=np.eye(len(named)),
    )


def treated_without_comparison(sample: StackedSample, cells: Codes) -> int:
    """Count distinct treated firms that never share a year cell with a comparison firm.

    Year effects by a category fit such firms exactly: they count as treated, but do not move the
    effect.
    """
    n_compared = np.bincount(cells, ~sample.treated)[cells]
    everyone = np.unique(sample.firm[sample.treated])
    compared = np.unique(sample.firm[sample.treated & (n_compared > 0)])
    return len(everyone) - len(compared)


def firms_at(cells: Estimated, term: Term) -> dict[str, int]:
    """Return the columns of ESTIMATES that count the firms seen at an event time."""
    seen = cells.seen
    assert term.event_time is not None, "asked of an event time"
    here = seen.at(term.event_time)
    return {
        "n_treated": n_groups(seen.firm[here & seen.treated]),
        "n_control": n_groups(seen.firm[here & ~seen.treated]),
    }


def _entry_years(sample: StackedSample, term: Term) -> tuple[Reason, ...]:
    """Name the entry years behind an event time where not all are."""
    years, seen = sample.stacks.entry_years[0], sample.observed_years
    then = seen[:, sample.stacks.event_times == term.event_time].any(axis=1)
    return entry_years_only(years[then].tolist(), int(seen.any(axis=1).sum()))


def entry_years_only(years: Sequence[int], n_entry_years: int) -> tuple[Reason, ...]:
    """Name the entry years behind an effect; nothing where all of them, or none, are."""
    if len(years) in (0, n_entry_years):
        return ()
    return (Reason("entry_years_only", {"years": [int(year) for year in years]}),)


def why_missing(sample: StackedSample, event_time: int, observed: bool) -> Reason:
    """Say why an event time has no effect; `observed` says whether firms are seen at it."""
    if observed:
        return Reason("collinear")
    column = event_time - int(sample.stacks.event_times[0])
    if not sample.stacks.covered[:, column].any():
        return Reason("event_time_outside_panel")
    return Reason("event_time_without_group")
