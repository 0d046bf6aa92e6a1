"""Rows of ESTIMATES and TESTS from group-time effects, with normal inference."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from pipeline.effects.ledger import Ledger
from pipeline.effects.normal_rows import normal_rows, rows_with_band
from pipeline.effects.rows import (
    Label,
    Row,
    effect_row,
    missing_row,
)
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study
from pipeline.effects.summaries import add_summary
from pipeline.estimators.group_time.group_time import REFERENCE, Cell, GroupTime
from pipeline.estimators.group_time.group_time_averages import (
    Average,
    balanced_cells,
    cell_effects,
    cohort_averages,
    equal_average,
    event_averages,
    mean_over_cohorts,
    simple_average,
    year_averages,
)
from pipeline.estimators.group_time.group_time_leads import (
    behind,
    group_time_pre_test,
    group_time_slopes,
)
from pipeline.estimators.group_time.group_time_study import spec_effects
from pipeline.panel.scale import on_scale
from pipeline.params.estimate import GroupTimeSpec

NOTHING_AFTER_ENTRY = "no year from entry on has an estimate"

_AVERAGES = {
    "event": "equal-weight mean over event times from entry on, cohorts weighted by treated",
    "simple": "mean over all cohorts and years from entry on, weighted by treated",
    "cohort": "mean over years within cohorts, cohorts weighted by treated",
    "year": "equal-weight mean over calendar years, cohorts weighted by treated",
}


def add_group_time(
    ledger: Ledger, study: Study, spec: GroupTimeSpec, label: Label, sample: StackedSample
) -> None:
    """Add every row, test and fact of a spec of group-time effects on one design and outcome."""
    outcome = study.outcomes[label.outcome]
    values = on_scale(study.panel[outcome.column], outcome)
    effects, n_without_covariates = spec_effects(study, spec, sample.stacks, values)
    rows = group_time_rows(label, spec, effects)
    ledger.estimates += rows
    before = study.treatment.anticipation_years, study.matched_on(label.design, label.outcome)
    ledger.tests.append(group_time_pre_test(label, effects, *before))
    average = overall_average(effects, spec.average)
    add_summary(
        ledger,
        study,
        label,
        rows,
        influence=None if average is None else average.influence,
        treated_clusters=np.flatnonzero(effects.mass.sum(axis=0) > 0),
        joint=False,
    )
    lost = (f"n_without_covariates[{spec.name}]", n_without_covariates, "firms")
    slopes = group_time_slopes(label, effects, *before)
    ledger.add_facts(label.design, label.outcome, [lost, *slopes])


def group_time_rows(label: Label, spec: GroupTimeSpec, effects: GroupTime) -> list[Row]:
    """Return the rows of every term that the spec asks for, the first being its average."""
    rows: list[Row] = []
    for term in spec.terms:
        if term == "att":
            rows += _average_rows(
                label, effects, "att", overall_average(effects, spec.average), spec
            )
        else:
            rows += _term_rows(label, effects, spec)[term]()
    return rows


def _term_rows(
    label: Label, effects: GroupTime, spec: GroupTimeSpec
) -> dict[str, Callable[[], list[Row]]]:
    """Return, by term, what makes its rows; only those asked for are computed."""
    return {
        "att_gt": lambda: _cell_rows(label, effects, spec),
        "event": lambda: _event_rows(label, effects, spec, "event", effects.cells),
        "event_balanced": lambda: _event_rows(
            label,
            effects,
            spec,
            "event_balanced",
            balanced_cells(effects, spec.balanced_last_event_time or 0),
        ),
        "simple": lambda: _average_rows(label, effects, "simple", simple_average(effects), spec),
        "cohort": lambda: _family_rows(label, effects, spec, "cohort", cohort_averages(effects)),
        "year": lambda: _family_rows(label, effects, spec, "year", year_averages(effects)),
    }


def overall_average(effects: GroupTime, average: str) -> Average | None:
    """Return the declared aggregation of all cells from entry on, None where there is none."""
    if average == "simple":
        return simple_average(effects)
    if average == "event":
        parts = [part for part in event_averages(effects) if (part.event_time or 0) >= 0]
    else:
        parts = cohort_averages(effects) if average == "cohort" else year_averages(effects)
    if not parts:
        return None
    if average == "cohort":
        return mean_over_cohorts(effects, parts)
    return equal_average(parts, f"{average}_average")


def _average_rows(
    label: Label, effects: GroupTime, term: str, found: Average | None, spec: GroupTimeSpec
) -> list[Row]:
    if found is None:
        return [missing_row(label, term, NOTHING_AFTER_ENTRY)]
    note = _AVERAGES[spec.average] if term == "att" else _AVERAGES["simple"]
    note += f"; firms weighted by {spec.weight_by}" if spec.weight_by else ""
    note += "; every firm of the panel compared" if spec.firms == "panel" else ""
    note += _left_out(effects)
    named = replace(found, term=term, note=note)
    return normal_rows(label, behind(effects), [named])


def _left_out(effects: GroupTime) -> str:
    """Say how many cells from entry on an average goes without."""
    after = [cell for cell in effects.cells if cell.event_time >= 0]
    lost = sum(not cell.estimated for cell in after)
    if not lost:
        return ""
    return f"; without {lost} of {len(after)} pairs of entry year and year, which have no estimate"


def _event_rows(
    label: Label, effects: GroupTime, spec: GroupTimeSpec, name: str, cells: Sequence[Cell]
) -> list[Row]:
    """Return a row per event time of the cells, and their average from entry on."""
    events = event_averages(effects, name, cells)
    after = [event for event in events if (event.event_time or 0) >= 0]
    rows = rows_with_band(label, behind(effects), events, spec.bands)
    estimated = {event.event_time for event in events}
    for cell in cells:
        if cell.event_time not in estimated:
            estimated.add(cell.event_time)
            rows.append(_unestimated(label, effects, f"{name}[{cell.event_time}]", cell))
    if not after:
        return [*rows, missing_row(label, f"{name}_average", NOTHING_AFTER_ENTRY)]
    average = equal_average(after, f"{name}_average")
    return rows + normal_rows(label, behind(effects), [average])


def _family_rows(
    label: Label, effects: GroupTime, spec: GroupTimeSpec, name: str, parts: list[Average]
) -> list[Row]:
    """Return a row per cohort or year, and their average; those without an estimate say why."""
    rows = rows_with_band(label, behind(effects), parts, spec.bands)
    known = {getattr(part, name) for part in parts}
    for cell in effects.cells:
        place = {name: getattr(cell, name)}
        if cell.event_time >= 0 and place[name] not in known:
            known.add(place[name])
            rows.append(effect_row(label, f"{name}[{place[name]}]", note=cell.note, **place))
    if not parts:
        return [*rows, missing_row(label, f"{name}_average", NOTHING_AFTER_ENTRY)]
    overall = (
        mean_over_cohorts(effects, parts)
        if name == "cohort"
        else equal_average(parts, f"{name}_average")
    )
    return rows + normal_rows(label, behind(effects), [overall])


def _cell_rows(label: Label, effects: GroupTime, spec: GroupTimeSpec) -> list[Row]:
    """Return a row per cohort and year; those without an estimate say why."""
    rows = rows_with_band(label, behind(effects), cell_effects(effects), spec.bands)
    counts = {
        f"att_gt[{cell.cohort},{cell.year}]": {
            "n_treated": cell.n_treated,
            "n_control": cell.n_control,
            "n_obs": 2 * (cell.n_treated + cell.n_control),
        }
        for cell in effects.cells
    }
    rows = [row | counts[row["term"]] for row in rows]
    return rows + [
        _unestimated(label, effects, f"att_gt[{cell.cohort},{cell.year}]", cell, in_cell=True)
        for cell in effects.cells
        if not cell.estimated
    ]


def _unestimated(
    label: Label, effects: GroupTime, term: str, cell: Cell, in_cell: bool = False
) -> Row:
    """Return the row of the reference, which is zero, or of a cell without an estimate."""
    place = {"cohort": cell.cohort, "year": cell.year} if in_cell else {}
    zero = {"estimate": 0.0, **effects.counts.columns} if cell.note == REFERENCE else {}
    return effect_row(label, term, event_time=cell.event_time, note=cell.note, **place, **zero)
