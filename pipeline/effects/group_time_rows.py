"""Rows of ESTIMATES and TESTS from group-time effects, with normal inference."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pipeline.effects.description import Fact
from pipeline.effects.detectable import Leads, slope_facts
from pipeline.effects.group_time import REFERENCE, Cell, GroupTime
from pipeline.effects.group_time_averages import (
    Average,
    balanced_event_averages,
    cell_effects,
    cohort_averages,
    equal_average,
    event_averages,
    mean_over_cohorts,
    simple_average,
    year_averages,
)
from pipeline.effects.group_time_study import spec_effects
from pipeline.effects.ledger import Ledger
from pipeline.effects.normal_rows import Behind, normal_rows, rows_with_band
from pipeline.effects.rows import (
    NO_PRE_YEAR,
    Label,
    Row,
    effect_row,
    missing_row,
    test_row,
)
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study
from pipeline.effects.summaries import add_summary
from pipeline.inference import chi_squared_test
from pipeline.params.estimate import GroupTimeSpec
from pipeline.scale import on_scale

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
    ledger.tests.append(group_time_pre_test(label, effects, study.treatment.anticipation_years))
    add_summary(ledger, study, label, rows)
    lost = (f"n_without_covariates[{spec.name}]", n_without_covariates, "firms")
    slopes = group_time_slopes(label, effects, study.treatment.anticipation_years)
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


def group_time_pre_test(label: Label, effects: GroupTime, anticipation_years: int) -> Row:
    """Return the joint test that all cells before entry and anticipation are zero.

    Cells without a standard error are left out, and counted.
    """
    before = _cells_before(effects, anticipation_years)
    if not before:
        return test_row(label, "pre_trends", note=NO_PRE_YEAR)
    rows = normal_rows(label, _behind(effects), [part for _, part in before])
    known = _with_errors(before, rows)
    tested = f"{len(known) or len(before)} effects of cohorts and years before entry"
    if not known:
        return test_row(label, "pre_trends", note=f"{tested}: {rows[0]['note']}")
    influence = effects.influence[known]
    estimates = np.array([effects.cells[position].estimate for position in known])
    test = chi_squared_test(estimates, influence @ influence.T)
    if len(known) < len(before):
        tested += f", {len(before) - len(known)} without a standard error left out"
    if np.isnan(test.statistic):
        tested += f": no joint test with {effects.counts.n_clusters} clusters"
    return test_row(label, "pre_trends", note=tested, **vars(test))


def group_time_slopes(label: Label, effects: GroupTime, anticipation_years: int) -> list[Fact]:
    """Return the slopes of a linear pre-trend that the joint test, or one year, would have found.

    The joint test is of cells; a single year is an event time, as readers see it. A slope adds to
    a cell the years between it and its base year: all of them up to entry under the universal base,
    one under the varying base, whose power is hence that against a constant yearly change.
    """
    before = _cells_before(effects, anticipation_years)
    rows = normal_rows(label, _behind(effects), [part for _, part in before])
    known = _with_errors(before, rows)
    if not known:
        return []
    years = replace(effects, cells=tuple(_span(cell) for cell in effects.cells))
    spans = np.array([years.cells[position].estimate for position in known])
    influence = effects.influence[known]
    tested = Leads(spans, influence @ influence.T)
    times = [
        (by_year.estimate, event.influence)
        for by_year, event in zip(event_averages(years), event_averages(effects), strict=True)
        if (event.event_time or 0) < -anticipation_years
    ]
    averaged = np.array([part for _, part in times])
    single = Leads(np.array([span for span, _ in times]), averaged @ averaged.T)
    return slope_facts(label, tested, single, np.inf)


def _cells_before(effects: GroupTime, anticipation_years: int) -> list[tuple[int, Average]]:
    """Return the cells before entry and anticipation, by position among all cells."""
    estimated = [position for position, cell in enumerate(effects.cells) if cell.estimated]
    return [
        (position, part)
        for position, part in zip(estimated, cell_effects(effects), strict=True)
        if effects.cells[position].event_time < -anticipation_years
    ]


def _with_errors(cells: list[tuple[int, Average]], rows: list[Row]) -> list[int]:
    """Return the positions of cells whose rows have a standard error."""
    return [at for (at, _), row in zip(cells, rows, strict=True) if row["std_error"] > 0]


def _span(cell: Cell) -> Cell:
    """Return the cell with the years from its base year in the place of its estimate."""
    return cell if cell.base_year is None else replace(cell, estimate=cell.year - cell.base_year)


def _term_rows(
    label: Label, effects: GroupTime, spec: GroupTimeSpec
) -> dict[str, Callable[[], list[Row]]]:
    """Return, by term, what makes its rows; only those asked for are computed."""
    return {
        "att_gt": lambda: _cell_rows(label, effects, spec),
        "event": lambda: _event_rows(label, effects, spec, "event", event_averages(effects)),
        "event_balanced": lambda: _event_rows(
            label,
            effects,
            spec,
            "event_balanced",
            balanced_event_averages(effects, spec.balanced_last_event_time or 0),
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
    named = Average(term, found.estimate, found.influence, note=note)
    return normal_rows(label, _behind(effects), [named])


def _left_out(effects: GroupTime) -> str:
    """Say how many cells from entry on an average goes without."""
    after = [cell for cell in effects.cells if cell.event_time >= 0]
    lost = sum(not cell.estimated for cell in after)
    if not lost:
        return ""
    return f"; without {lost} of {len(after)} pairs of entry year and year, which have no estimate"


def _event_rows(
    label: Label, effects: GroupTime, spec: GroupTimeSpec, name: str, events: list[Average]
) -> list[Row]:
    """Return a row per event time, and their average from entry on."""
    after = [event for event in events if (event.event_time or 0) >= 0]
    average = equal_average(after, f"{name}_average") if after else None
    rows = rows_with_band(label, _behind(effects), events, spec.bands)
    estimated = {event.event_time for event in events}
    for cell in effects.cells:
        if name == "event" and cell.event_time not in estimated:
            estimated.add(cell.event_time)
            rows.append(_unestimated(label, effects, f"event[{cell.event_time}]", cell))
    rows += [] if average is None else normal_rows(label, _behind(effects), [average])
    return rows or [missing_row(label, f"{name}_average", NOTHING_AFTER_ENTRY)]


def _family_rows(
    label: Label, effects: GroupTime, spec: GroupTimeSpec, name: str, parts: list[Average]
) -> list[Row]:
    """Return a row per cohort or year, and their average."""
    if not parts:
        return [missing_row(label, f"{name}_average", NOTHING_AFTER_ENTRY)]
    overall = (
        mean_over_cohorts(effects, parts)
        if name == "cohort"
        else equal_average(parts, f"{name}_average")
    )
    return rows_with_band(label, _behind(effects), parts, spec.bands) + normal_rows(
        label, _behind(effects), [overall]
    )


def _cell_rows(label: Label, effects: GroupTime, spec: GroupTimeSpec) -> list[Row]:
    """Return a row per cohort and year; those without an estimate say why."""
    rows = rows_with_band(label, _behind(effects), cell_effects(effects), spec.bands)
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


def _behind(effects: GroupTime) -> Behind:
    return Behind(effects.counts, effects.largest, effects.lone_cohorts)
