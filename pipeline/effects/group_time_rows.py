"""Rows of ESTIMATES and TESTS from group-time effects, with normal inference."""

from collections.abc import Callable

import numpy as np

from pipeline.bands import simultaneous_critical_value
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
from pipeline.effects.rows import (
    NO_PRE_YEAR,
    Counts,
    Label,
    Row,
    effect_row,
    joined_notes,
    missing_row,
    test_row,
)
from pipeline.effects.stacks import Floats
from pipeline.inference import chi_squared_test, t_intervals
from pipeline.params.estimate import Bands, GroupTimeSpec

NOTHING_AFTER_ENTRY = "no year from entry on has an estimate"

_AVERAGES = {
    "event": "equal-weight mean over event times from entry on, cohorts weighted by treated",
    "simple": "mean over all cohorts and years from entry on, weighted by treated",
    "cohort": "mean over years within cohorts, cohorts weighted by treated",
    "year": "equal-weight mean over calendar years, cohorts weighted by treated",
}


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
    """Return the joint test that all cells before entry and anticipation are zero."""
    before = [
        position
        for position, cell in enumerate(effects.cells)
        if cell.estimated and cell.event_time < -anticipation_years
    ]
    if not before:
        return test_row(label, "pre_trends", note=NO_PRE_YEAR)
    influence = effects.influence[before]
    estimates = np.array([effects.cells[position].estimate for position in before])
    test = chi_squared_test(estimates, influence @ influence.T)
    tested = f"{len(before)} effects of cohorts and years before entry"
    if np.isnan(test.statistic):
        tested += f": no joint test with {effects.n_clusters} clusters"
    return test_row(label, "pre_trends", note=tested, **vars(test))


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
    named = Average(term, found.estimate, found.influence, note=note)
    return _effect_rows(label, effects, [named])


def _event_rows(
    label: Label, effects: GroupTime, spec: GroupTimeSpec, name: str, events: list[Average]
) -> list[Row]:
    """Return a row per event time, and their average from entry on."""
    after = [event for event in events if (event.event_time or 0) >= 0]
    average = equal_average(after, f"{name}_average") if after else None
    rows = _with_band(label, effects, events, spec.bands)
    estimated = {event.event_time for event in events}
    for cell in effects.cells:
        if name == "event" and cell.event_time not in estimated:
            estimated.add(cell.event_time)
            rows.append(_unestimated(label, effects, f"event[{cell.event_time}]", cell))
    rows += [] if average is None else _effect_rows(label, effects, [average])
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
    return _with_band(label, effects, parts, spec.bands) + _effect_rows(label, effects, [overall])


def _cell_rows(label: Label, effects: GroupTime, spec: GroupTimeSpec) -> list[Row]:
    """Return a row per cohort and year; those without an estimate say why."""
    rows = _with_band(label, effects, cell_effects(effects), spec.bands)
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
    place = {"cohort": cell.cohort, "year": cell.year} if in_cell else {}
    estimate = {"estimate": 0.0} if cell.note == REFERENCE else {}
    return effect_row(label, term, event_time=cell.event_time, note=cell.note, **place, **estimate)


def _with_band(
    label: Label, effects: GroupTime, parts: list[Average], bands: Bands | None
) -> list[Row]:
    """Return pointwise rows and, where asked for, rows with a simultaneous band."""
    rows = _effect_rows(label, effects, parts)
    influence = np.array([part.influence for part in parts])
    known = [i for i, row in enumerate(rows) if row["std_error"] > 0]
    if bands is None or not known:
        return rows
    critical = simultaneous_critical_value(
        influence[known], label.conf_level, bands.draws, np.random.default_rng(bands.seed)
    )
    note = f"critical value {critical:.3f} over {len(known)} estimates, {bands.draws} draws"
    return rows + [_banded(rows[i], critical, note) for i in known]


def _banded(row: Row, critical: float, note: str) -> Row:
    margin = critical * row["std_error"]
    return row | {
        "band": "simultaneous",
        "p_value": np.nan,
        "conf_low": row["estimate"] - margin,
        "conf_high": row["estimate"] + margin,
        "note": joined_notes(row["note"], note),
    }


def _effect_rows(label: Label, effects: GroupTime, parts: list[Average]) -> list[Row]:
    estimates = np.array([part.estimate for part in parts])
    errors = _std_errors(effects, parts)
    shown = t_intervals(estimates, errors, np.inf, label.conf_level)
    counts = _counts(effects)
    return [
        effect_row(
            label,
            part.term,
            cohort=part.cohort,
            year=part.year,
            event_time=part.event_time,
            estimate=estimates[i],
            std_error=errors[i],
            statistic=shown.statistic[i],
            p_value=shown.p_value[i],
            conf_low=shown.low[i],
            conf_high=shown.high[i],
            note=joined_notes(part.note, _error_note(effects, errors[i])),
            **vars(counts),
        )
        for i, part in enumerate(parts)
    ]


def _std_errors(effects: GroupTime, parts: list[Average]) -> Floats:
    """Return sqrt(sum_g psi_g^2), shape (k,); missing with too few clusters.

    Treated firms of one cluster add up to zero influence: their share in the variance would be
    silently absent, so an estimate that rests on a single treated cluster has no standard error.
    """
    errors = np.array([np.sqrt(part.influence @ part.influence) for part in parts])
    alone = effects.n_treated_clusters < 2 or effects.n_clusters < 3
    lone = np.array([alone or part.cohort in effects.lone_cohorts for part in parts], dtype=bool)
    return np.where(lone, np.nan, errors)


def _error_note(effects: GroupTime, error: float) -> str | None:
    if np.isnan(error):
        return "no standard error: the treated firms lie in a single cluster"
    return None


def _counts(effects: GroupTime) -> Counts:
    return Counts(
        n_treated=effects.n_treated,
        n_control=effects.n_control,
        n_obs=effects.n_obs,
        n_clusters=effects.n_clusters,
        n_treated_clusters=effects.n_treated_clusters,
    )
