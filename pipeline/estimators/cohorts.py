"""Estimators on the flat panel that let effects differ by cohort: regressions and imputation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.effects.adjusted_sample import refuse_large
from pipeline.effects.answers import Answer, Leads, Task
from pipeline.effects.estimated import Estimated, joined
from pipeline.effects.event_averages import NOTHING_AFTER_ENTRY, mean_from_entry
from pipeline.effects.resolved import Asked, Resolved, on_flat_panel
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacks import firm_covariates
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT, EVENT_AVERAGE, Term, event
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.cohort_regression import (
    CohortFit,
    average_by_mass,
    event_time_averages,
    fit_extended_twoway,
    fit_sun_abraham,
    interaction_sample,
)
from pipeline.estimators.end_bins import EndBins
from pipeline.estimators.flat_panel import flat_of
from pipeline.estimators.imputation import impute, imputed_averages
from pipeline.estimators.stacked import entry_years_only
from pipeline.estimators.twoway import FlatSample, true_event_mean, true_twoway
from pipeline.panel.panel_index import n_groups
from pipeline.params.cohort_specs import CohortSpec

NOT_PREDICTED = Reason("nothing_to_predict_from")
NO_NEVER_TREATED = Reason("no_never_treated")


@dataclass(frozen=True)
class _Flat:
    """Hold a spec and the flat panel that it is asked on, its covariates (n, k), None for none."""

    spec: CohortSpec
    flat: FlatSample
    reference: int
    covariates: Floats | None


def estimate_sun_abraham(task: Task) -> Answer:
    """Return every term of a spec by interaction weights (Sun & Abraham)."""
    return _on_flat_panel(task, _sun_abraham)


def estimate_extended_twoway(task: Task) -> Answer:
    """Return every term of a spec by extended two-way regression (Wooldridge)."""
    return _on_flat_panel(task, _extended_twoway)


def estimate_imputation(task: Task) -> Answer:
    """Return every term of a spec by imputation (Borusyak, Jaravel & Spiess)."""
    return _on_flat_panel(task, _imputation)


def sun_abraham_rules(asked: Asked) -> Resolved:
    """Return the rules of the flat panel, but that cells are against the reference year."""
    flat = replace(extended_twoway_rules(asked), base="reference_year")
    return replace(flat, event_base="universal") if "event" in asked.spec.terms else flat


def extended_twoway_rules(asked: Asked) -> Resolved:
    """Return the rules of the flat panel."""
    return on_flat_panel(asked, "least_squares", asked.spec.average, asked.spec.effects)


def imputation_rules(asked: Asked) -> Resolved:
    """Return the rules of the flat panel, by another method."""
    return replace(extended_twoway_rules(asked), method=("imputation",))


def true_cohorts(task: Task, effect: Floats) -> Mapping[Term, float]:
    """Average the true effects over treated firm-years, or over event times."""
    flat, _ = flat_of(task)
    average = true_twoway if task.spec.average == "simple" else true_event_mean
    return {ATT: average(flat, effect[flat.panel_row])}


def _on_flat_panel(task: Task, estimate: Callable[[_Flat], Answer]) -> Answer:
    """Answer on the flat panel of firms with the spec's covariates, and count those left out."""
    spec: CohortSpec = task.spec
    flat, unused = flat_of(task)
    flat, covariates, lost = _with_covariates(task.study, spec, task.sample, flat)
    answer = estimate(_Flat(spec, flat, task.sample.stacks.reference, covariates))
    without = {"n_without_covariates": lost} if spec.covariates else {}
    return replace(answer, unused={**unused, **without})


def _with_covariates(
    study: Study, spec: CohortSpec, sample: StackedSample, flat: FlatSample
) -> tuple[FlatSample, Floats | None, int]:
    """Return the flat panel of firms with the spec's covariates, these (n, k), and firms without.

    Raises IdentificationError where all firms lack one.
    """
    if study.covariates is None or not spec.covariates:
        return flat, None, 0
    by_firm = firm_covariates(sample.stacks, study.panel, study.covariates, spec.covariates)
    for name, values in zip(spec.covariates, by_firm.T, strict=True):
        refuse_large(values, name)
    known = np.asarray(np.isfinite(by_firm[flat.firm]).all(axis=1))
    if not known.any():
        names = {"covariates": list(spec.covariates)}
        raise IdentificationError(Reason("nobody_with_covariates", names))
    lost = n_groups(flat.firm[~known])
    flat = flat.where(known)
    return flat, by_firm[flat.firm], lost


def _sun_abraham(asked: _Flat) -> Answer:
    flat, reference = asked.flat, asked.reference
    if flat.ends is None:
        flat = interaction_sample(flat)
    if not np.isinf(flat.cohort).any():
        return Answer(reasons=_missing(asked.spec, NO_NEVER_TREATED))
    found = fit_sun_abraham(flat, reference)
    return Answer([_terms(asked.spec, found, reference)], leads=_leads(found, reference))


def _leads(found: CohortFit, reference: int) -> Leads:
    """Return the cells before the reference year, but those of the earliest end."""
    effects, ends = found.effects, found.ends
    if ends is None:
        return Leads.before(effects, reference, slopes=False)
    single = effects.where([cell for cell in effects.terms if ends.is_lead(cell, reference)])
    binned = any(cell.event_time == ends.first for cell in effects.terms)
    return replace(Leads.before(single, reference, slopes=False), binned=binned)


def _extended_twoway(asked: _Flat) -> Answer:
    spec, reference = asked.spec, asked.reference
    found = fit_extended_twoway(asked.flat, reference, asked.covariates, spec.effects)
    return Answer([_terms(spec, found, reference)])


def _missing(spec: CohortSpec, reason: Reason) -> dict[Term, Reason]:
    terms = {"att": ATT, "event": EVENT_AVERAGE}
    return {terms[term]: reason for term in spec.terms}


def _terms(spec: CohortSpec, found: CohortFit, reference: int) -> Estimated:
    """Return the terms asked for: averages, and the event study."""
    events, ends = event_time_averages(found), found.ends
    averaged = events if ends is None else ends.averaged_part(events)
    parts: list[Estimated] = []
    if "att" in spec.terms:
        average = (
            mean_from_entry(averaged, ATT, averaged.reasons)
            if spec.average == "event"
            else average_by_mass(found, ATT)
        )
        parts.append(_said(average, ATT, spec.average, ends))
    if "event" in spec.terms:
        zero = {event(reference): Reason("reference_period")}
        remarks = {term: _entry_years(found.effects, term) for term in events.terms}
        parts.append(_shown(replace(events, zeros=zero, remarks=remarks), ends))
        average = mean_from_entry(averaged, EVENT_AVERAGE, averaged.reasons)
        parts.append(_said(average, EVENT_AVERAGE, "event", ends))
    return joined(parts)


def _said(average: Estimated, term: Term, kind: str, ends: EndBins | None) -> Estimated:
    """Say of an average what it averages, and what becomes of the end bin where there is one."""
    said = replace(average, remarks={term: (Reason(f"cohort_average_{kind}"),)})
    return said if ends is None else ends.told(said)


def _shown(events: Estimated, ends: EndBins | None) -> Estimated:
    """Return effects by event time as readers see them: those at the ends are open-ended."""
    return events if ends is None else ends.named(events)


def _entry_years(effects: Estimated, term: Term) -> tuple[Reason, ...]:
    """Name the entry years of treated firms seen at an event time where not all are."""
    seen = effects.seen
    assert seen.entry is not None and term.event_time is not None, "cohorts have their own effects"
    at = np.unique(seen.entry[seen.treated & seen.at(term.event_time)])
    return entry_years_only(at.tolist(), len(np.unique(seen.entry[seen.treated])))


def _imputation(asked: _Flat) -> Answer:
    spec, flat = asked.spec, asked.flat
    imputed = impute(flat)
    usable = imputed.imputable
    if not usable.any():
        return Answer(reasons=_missing(spec, NOT_PREDICTED))
    event_time = np.where(usable, flat.event_time, -1)
    times = np.unique(event_time[usable]).tolist()
    if not (usable & flat.averaged).any():
        return Answer(reasons=_missing(asked.spec, NOTHING_AFTER_ENTRY))
    masses = [np.where(usable & flat.averaged, flat.weight, 0.0)]
    masses += [np.where(event_time == e, flat.weight, 0.0) for e in times]
    weights = np.column_stack([mass / mass.sum() for mass in masses])
    found = imputed_averages(imputed, flat, weights, [ATT, *map(event, times)])
    events = found.where([event(e) for e in times])
    events = replace(events, remarks={t: _entry_years(found, t) for t in events.terms})
    ends = flat.ends
    averaged = events if ends is None else ends.averaged_part(events)
    lost = int((flat.averaged & ~usable).sum())
    parts: list[Estimated] = []
    if "att" in spec.terms:
        simple = found.where([ATT])
        average = simple if spec.average == "simple" else mean_from_entry(averaged, ATT)
        said = _said(average, ATT, spec.average, ends)
        counted = (Reason("not_predicted", {"n": lost}),) * bool(lost)
        parts.append(replace(said, remarks={ATT: (*said.remarks[ATT], *counted)}))
    if "event" in spec.terms:
        average = mean_from_entry(averaged, EVENT_AVERAGE)
        parts += [_shown(events, ends), average if ends is None else ends.told(average)]
    return Answer([joined(parts)])
