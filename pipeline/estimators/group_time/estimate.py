"""What a spec of group-time effects asks for: cells, averages, and leads."""

from dataclasses import replace

import numpy as np

from pipeline.effects.answers import Answer, Leads
from pipeline.effects.estimated import Estimated, joined
from pipeline.effects.event_averages import mean_from_entry, mean_or_why
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT, Term
from pipeline.errors import Reason
from pipeline.estimators.group_time.group_time import REFERENCE, GroupTime
from pipeline.estimators.group_time.group_time_averages import (
    balanced_cells,
    cohort_averages,
    event_averages,
    mean_over_cohorts,
    simple_average,
    year_averages,
)
from pipeline.estimators.group_time.group_time_study import spec_effects
from pipeline.panel.scale import on_scale
from pipeline.params.group_time_spec import GroupTimeSpec


def estimate_group_time(
    study: Study, spec: GroupTimeSpec, sample: StackedSample, outcome: str
) -> Answer:
    """Return every term that a spec asks for, and how many firms it does not use."""
    described = study.outcomes[outcome]
    values = on_scale(study.panel[described.column], described)
    found, unused = spec_effects(study, spec, sample.stacks, values)
    leads = cell_leads(found, study.treatment.anticipation_years)
    return Answer([joined(_parts(found, spec))], leads=leads, unused=unused)


def overall_average(found: GroupTime, average: str, term: Term = ATT) -> Estimated:
    """Return the declared aggregation of all cells from entry on, or why there is none."""
    if average == "simple":
        return simple_average(found, term)
    if average == "event":
        return mean_from_entry(event_averages(found), term)
    if average == "cohort":
        return mean_over_cohorts(found, cohort_averages(found), term)
    years = year_averages(found)
    return mean_or_why(years, years.terms, term)


def cell_leads(found: GroupTime, anticipation_years: int) -> Leads:
    """Return the cells before entry and anticipation, and the event times that they are of.

    A slope adds to a cell the years between it and its base year: all of them up to entry under the
    universal base, one under the varying base, whose power is hence that against a constant yearly
    change.
    """
    spans = {cell.term: cell.year - (cell.base_year or cell.year) for cell in found.estimated}
    before = [t for t in found.effects.terms if (t.event_time or 0) < -anticipation_years]
    years = np.array([float(spans[term]) for term in found.effects.terms])
    by_year = event_averages(replace(found, effects=replace(found.effects, estimates=years)))
    times = {term.event_time for term in before}
    events = event_averages(found)
    single = [term for term in events.terms if term.event_time in times]
    return Leads(
        effects=found.effects.where(before),
        years=np.array([float(spans[term]) for term in before]),
        single=events.where(single),
        single_years=np.array([by_year.estimate(term) for term in single]),
    )


def _parts(found: GroupTime, spec: GroupTimeSpec) -> list[Estimated]:
    """Return the terms asked for, each family with its average."""
    parts: list[Estimated] = []
    for asked in spec.terms:
        if asked == "att":
            parts.append(_said(overall_average(found, spec.average), found, spec, spec.average))
        elif asked == "simple":
            parts.append(_said(simple_average(found), found, spec, "simple"))
        elif asked == "att_gt":
            parts.append(_cells(found))
        elif asked in ("event", "event_balanced"):
            last = spec.balanced_last_event_time or 0
            among = None if asked == "event" else balanced_cells(found, last)
            events = event_averages(found, asked, among)
            parts += [events, mean_from_entry(events, Term(f"{asked}_average"))]
        elif asked == "cohort":
            by_cohort = cohort_averages(found)
            parts += [by_cohort, mean_over_cohorts(found, by_cohort)]
        else:
            years = year_averages(found)
            parts += [years, mean_or_why(years, years.terms, Term("year_average"))]
    return parts


def _cells(found: GroupTime) -> Estimated:
    """Return the cells: estimated, zero in the base year, or missing and why."""
    without = {cell.term: cell.reason for cell in found.cells if cell.reason is not None}
    zeros = {cell.term: REFERENCE for cell in found.cells if cell.is_reference}
    reasons = {term: why for term, why in without.items() if term not in zeros}
    return replace(found.effects, zeros=zeros, reasons=reasons)


def _said(average: Estimated, found: GroupTime, spec: GroupTimeSpec, kind: str) -> Estimated:
    """Say of an average over cells what it averages, and what it goes without."""
    said = [Reason(f"group_time_average_{kind}")]
    if spec.weight_by:
        said.append(Reason("weighted_by", {"column": spec.weight_by}))
    if spec.firms == "panel":
        said.append(Reason("every_firm_compared"))
    after = [cell for cell in found.cells if cell.event_time >= 0]
    if lost := sum(not cell.estimated for cell in after):
        said.append(Reason("pairs_left_out", {"n": lost, "n_pairs": len(after)}))
    return replace(average, remarks={term: tuple(said) for term in average.terms})
