"""Checks of the headline in one table: effects before entry, placebos, other inference."""

import math

from pipeline.datasets.fits import PRE_TREND_POWER
from pipeline.effects.rows import PLACEBO_ENTRY
from pipeline.exhibits.analysis_effects import reasons_in_words
from pipeline.exhibits.effect import Effect, as_effect
from pipeline.exhibits.inputs import StudyResults, find_effect, pre_trend_result
from pipeline.exhibits.ran import conf_level, ran_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.effect_cells import estimate_and_error, p_cell
from pipeline.exhibits.tables.inference import (
    average_rows,
    draws_told,
    family_rows,
    interval_by_method,
    p_value_by_method,
)
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.parts import observed_outcomes, side_by_side, unobserved_notes
from pipeline.exhibits.tables.placebos import placebo_averages, years_in_words
from pipeline.exhibits.tables.table import (
    DASH,
    HIDDEN,
    Cell,
    Magnitude,
    Panel,
    Row,
    Table,
)
from pipeline.exhibits.units import shown_value
from pipeline.exhibits.words.language import say
from pipeline.inference.pre_trend_power import FOUND_WITH
from pipeline.params.inference_methods import METHODS, primary_methods


def checks_tables(results: StudyResults) -> list[Table]:
    """Return one column an outcome, placebo outcomes last, and one row a check that was made."""
    controls = [n for n, o in results.settings.outcomes.negative_controls.items() if o.observed]
    names = [*observed_outcomes(results), *controls]
    return side_by_side(names, lambda part: _table(results, part))


def _table(results: StudyResults, numbered: dict[int, str]) -> Table:
    names = list(numbered.values())
    panels = (
        Panel(say("checks.before_entry"), _before_entry(results, names)),
        Panel(say("checks.placebos"), _placebos(results, names)),
        Panel(say("checks.inference"), _inference(results, names)),
        Panel(say("inference.over_family"), tuple(family_rows(results, names))),
    )
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(panel for panel in panels if panel.rows),
        notes=_notes(results, numbered),
        source=results.settings.exhibit.source,
    )


def _before_entry(results: StudyResults, names: list[str]) -> tuple[Row, ...]:
    power = f"{100 * max(FOUND_WITH):g}%"
    return (
        Row(say("checks.joint_p"), tuple(_joint_p(results, name) for name in names)),
        Row(say("checks.drift", power=power), tuple(_drift(results, name) for name in names)),
    )


def _joint_p(results: StudyResults, outcome: str) -> Cell:
    headline = results.settings.estimate.headline
    test = pre_trend_result(results, outcome, headline.design, headline.spec)
    return HIDDEN if test.hidden else p_cell(test.p_value)


def _drift(results: StudyResults, outcome: str) -> Cell:
    headline = results.settings.estimate.headline
    key = {"design": headline.design, "outcome": outcome, "estimator": headline.spec}
    found = results.details.figure(PRE_TREND_POWER, "slope_jointly", **key, power=max(FOUND_WITH))
    scale = results.settings.outcome(outcome).scale
    return Magnitude(shown_value(found.value, scale), 2) if found.known else DASH


def _placebos(results: StudyResults, names: list[str]) -> tuple[Row, ...]:
    declared, early = _declared(results, names), [_early(results, name) for name in names]
    label = say("checks.placebo_outcome")
    rows = _effect_rows(results, label, names, declared) if any(declared) else []
    years = {_years(results, n) for n, e in zip(names, early, strict=True) if e is not None}
    for n in sorted(years):
        label = say("checks.early_entry", years=years_in_words(n))
        rows += _effect_rows(results, label, names, early)
    return tuple(rows)


def _effect_rows(
    results: StudyResults, label: str, names: list[str], effects: list[Effect | None]
) -> list[Row]:
    places = [results.decimals[name] for name in names]
    p_values = tuple(p_cell(math.nan if e is None else e.p_value) for e in effects)
    return [
        *estimate_and_error(label, zip(effects, places, strict=True)),
        Row(say("row.p_value"), p_values, True),
    ]


def _declared(results: StudyResults, names: list[str]) -> list[Effect | None]:
    """Return the headline's effects on outcomes that the programme cannot move."""
    headline = results.settings.estimate.headline
    controls = results.settings.outcomes.negative_controls
    return [
        find_effect(results, name, headline.design, headline.spec) if name in controls else None
        for name in names
    ]


def _early(results: StudyResults, outcome: str) -> Effect | None:
    headline = results.settings.estimate.headline
    place = (headline.design, headline.spec)
    for row in placebo_averages(results, outcome, PLACEBO_ENTRY):
        if (row["design"], row["estimator"]) == place:
            return as_effect({str(name): value for name, value in row.items()})
    return None


def _years(results: StudyResults, outcome: str) -> int:
    headline = results.settings.estimate.headline
    row = ran_on(results, headline.spec, [headline.design], [outcome])[0]
    return row.number("placebo_entry_years")


def _inference(results: StudyResults, names: list[str]) -> tuple[Row, ...]:
    """Return interval and p-value of each further method; the main table has the first's."""
    found = average_rows(results)
    rows = []
    for method in METHODS:
        of = [found.get((name, method)) for name in names]
        if method in primary_methods() or not any(of):
            continue
        places = [results.decimals[name] for name in names]
        intervals = tuple(interval_by_method(r, d) for r, d in zip(of, places, strict=True))
        label = say(f"inference_method.{method}")
        rows += [
            Row(label, intervals),
            Row(say("row.p_value"), tuple(p_value_by_method(r) for r in of), True),
        ]
    return tuple(rows)


def _notes(results: StudyResults, numbered: dict[int, str]) -> tuple[str, ...]:
    names = list(numbered.values())
    controls = results.settings.outcomes.negative_controls
    shown = [controls[name] for name in names if name in controls]
    reasons = "; ".join(f"{o.label}, {o.negative_control}" for o in shown)
    placebos = [e for e in [*_declared(results, names), *(_early(results, n) for n in names)] if e]
    drifts = any(_drift(results, name) != DASH for name in names)
    level = rounding.general(100 * conf_level(results))
    notes = (
        say("checks.what_is_shown"),
        say("checks.errors", level=level),
        say("checks.drift_found") if drifts else "",
        say("placebos.declared_outcomes", reasons=reasons) if reasons else "",
        say("short_notes.placebo_reading") if placebos else "",
        *draws_told(results, names, average_rows(results)),
        *reasons_in_words(placebos),
        *(unobserved_notes(results) if 1 in numbered else []),
    )
    return tuple(note for note in notes if note)
