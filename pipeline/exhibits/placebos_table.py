"""What should show no effect: placebo outcomes, a placebo entry date, and years before entry."""

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from pipeline.effects.detectable import FOUND_WITH
from pipeline.effects.placebo_entry import PLACEBO_ENTRY
from pipeline.exhibits import rounding
from pipeline.exhibits.analysis_effects import reasons_in_words
from pipeline.exhibits.inputs import Effect, StudyResults, as_effect
from pipeline.exhibits.language import join_words, retell, say
from pipeline.exhibits.main_effects import shown_decimals
from pipeline.exhibits.panels import (
    lettered_panels,
    name_panels,
    panel_label,
    panel_position,
)
from pipeline.exhibits.table import (
    DASH,
    Cell,
    Column,
    Counts,
    Interval,
    Magnitude,
    Number,
    Panel,
    Row,
    Table,
    Text,
)

_Rows = list[dict[Hashable, Any]]

# Facts about the slope of a pre-trend that a test would have found, with the heading of each.
_SLOPES = {
    "pre_trend_slope": "Slope found by the joint test",
    "pre_trend_slope_any": "Slope found by any single year",
}


def placebos_tables(results: StudyResults) -> list[Table]:
    """Return effects on placebos, then pre-trend tests with their power; none without either."""
    groups = _groups(results)
    tested = _pre_trends(results)
    tables = [_effects_table(results, groups)] if groups else []
    return [*tables, *([_power_table(results, tested)] if tested else [])]


def placebo_entry_effects(
    results: StudyResults, outcome: str, design: str, spec: str
) -> list[Effect]:
    """Return the effect of a placebo entry date on one outcome, nothing where none was asked."""
    rows = _average_rows(results, outcome, PLACEBO_ENTRY)
    return [
        as_effect(_named(row))
        for row in rows
        if (row["design"], row["estimator"]) == (design, spec)
    ]


def _average_rows(results: StudyResults, outcome: str, sample: str) -> _Rows:
    table = results.estimates
    chosen = table[
        (table["outcome"] == outcome)
        & (table["sample"] == sample)
        & (table["subgroup"] == "all")
        & (table["term"] == "att")
        & (table["band"] == "pointwise")
        & table["inference"].isin(["analytic", "abadie_imbens"])
    ].to_dict("records")
    return sorted(chosen, key=lambda row: _position(results, row))


def _position(results: StudyResults, row: dict[Hashable, Any]) -> int:
    return panel_position(results, str(row["design"]), str(row["estimator"]))


def _label(results: StudyResults, row: dict[Hashable, Any]) -> str:
    """Return `Panel A` for what is a panel of the main table, else design and spec."""
    position = _position(results, row)
    letters = list(lettered_panels(results))
    if position < len(letters):
        return name_panels(letters[position])
    return panel_label(results, str(row["design"]), str(row["estimator"]))


def _panels_note(results: StudyResults, rows: _Rows) -> str:
    """Say what the panels are that rows are named by; nothing where none is."""
    shown = {_position(results, row) for row in rows}
    listed = [
        f"{letter}, {panel.label}"
        for position, (letter, panel) in enumerate(lettered_panels(results).items())
        if position in shown
    ]
    return say("Panels of the main table: {listed}.", listed="; ".join(listed)) if listed else ""


def _groups(results: StudyResults) -> dict[str, _Rows]:
    """Return rows by the title of their panel: placebo outcomes first, then placebo dates."""
    outcomes = results.settings.outcomes
    found = {
        say("Placebo outcome: {label}", label=_with_scale(results, name)): _average_rows(
            results, name, "all"
        )
        for name in outcomes.negative_controls
    }
    for name in outcomes.intended:
        for row in _average_rows(results, name, PLACEBO_ENTRY):
            years = getattr(results.settings.spec(str(row["estimator"])), "placebo_entry_years", 0)
            title = say(
                "Entry dated {years} too early: {label}",
                years=say("one year") if years == 1 else say("{n} years", n=years),
                label=_with_scale(results, name),
            )
            found.setdefault(title, []).append(row)
    return {title: rows for title, rows in found.items() if rows}


def _with_scale(results: StudyResults, name: str) -> str:
    outcome = results.settings.outcome(name)
    return f"{outcome.label} ({retell(outcome.scale)})"


def _effects_table(results: StudyResults, groups: dict[str, _Rows]) -> Table:
    q_values = _q_values(results)
    every = [row for rows in groups.values() for row in rows]
    corrected = any(_key(row) in q_values for row in every)
    level = rounding.general(100 * results.settings.estimate.conf_level)
    panels = tuple(
        Panel(title, tuple(_row(results, row, q_values if corrected else None) for row in rows))
        for title, rows in groups.items()
    )
    return Table(
        columns=(
            Column(say("Estimate")),
            Column(say("SE")),
            Column(say("{level}% CI", level=level)),
            Column(say("p-value")),
            *([Column(say("q-value"))] if corrected else []),
            Column(say("Obs.")),
        ),
        panels=panels,
        notes=_effects_notes(results, every, corrected),
        source=results.settings.exhibit.source,
    )


def _named(row: dict[Hashable, Any]) -> dict[str, object]:
    return {str(name): value for name, value in row.items()}


def _key(row: dict[Hashable, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("outcome", "design", "sample", "estimator"))


def _q_values(results: StudyResults) -> dict[tuple[str, ...], float]:
    tests = results.tests
    rows = tests[(tests["test"] == "q_value") & tests["p_value"].notna()].to_dict("records")
    return {_key(row): float(row["p_value"]) for row in rows}


def _row(
    results: StudyResults, row: dict[Hashable, Any], q_values: dict[tuple[str, ...], float] | None
) -> Row:
    """Return one estimate as a row; dashes where there is none."""
    effect = as_effect(_named(row))
    places = shown_decimals(results, str(row["outcome"]))
    known = not math.isnan(effect.conf_low)
    q_value = None if q_values is None else q_values.get(_key(row), math.nan)
    return Row(
        _label(results, row),
        (
            DASH if math.isnan(effect.estimate) else Number(effect.estimate, places),
            Number(effect.std_error, places) if effect.estimated else None,
            Interval(effect.conf_low, effect.conf_high, places) if known else None,
            _p_value(effect.p_value),
            *([] if q_value is None else [_p_value(q_value)]),
            None if math.isnan(effect.n_obs) else Counts((int(effect.n_obs),)),
        ),
    )


def _p_value(value: float) -> Cell:
    return DASH if math.isnan(value) else Text(rounding.positive(value, 3))


def _effects_notes(results: StudyResults, rows: _Rows, corrected: bool) -> tuple[str, ...]:
    effects = [as_effect(_named(row)) for row in rows]
    alpha = 1 - results.settings.estimate.conf_level
    tested = sum(not math.isnan(effect.p_value) for effect in effects)
    controls = results.settings.outcomes.negative_controls.values()
    reasons = [f"{o.label}, {o.negative_control}" for o in controls]
    notes = [
        say(
            "Effects where the programme can have none: designs, estimators and standard errors "
            "(SE) are those of the main table."
        ),
        _panels_note(results, rows),
        say("Placebo outcomes, as declared: {reasons}.", reasons="; ".join(reasons))
        if reasons
        else "",
        say(
            "Under an entry dated too early only years before the true entry (and anticipation) "
            "are used."
        )
        if any("placebo entry" in effect.note for effect in effects)
        else "",
        say(
            "An effect here shows that a comparison misses something, which may bias the effects "
            "of the main table too. That none is found is no proof of the contrary: the interval "
            "says what may be there, and what moves the true outcomes alone is not seen at all."
        ),
        say(
            "p-values are of one test each: of {tested} true nulls about {expected} are rejected "
            "at {alpha} percent.",
            tested=tested,
            expected=rounding.fixed(alpha * tested, 1),
            alpha=rounding.general(100 * alpha),
        ),
        say(
            "q-values: Benjamini-Hochberg over placebo outcomes, or over the outcomes of a family "
            "under the placebo date, within a design and estimator."
        )
        if corrected
        else "",
        *reasons_in_words(effects),
    ]
    return tuple(note for note in notes if note)


def _pre_trends(results: StudyResults) -> dict[str, _Rows]:
    """Return the pre-trend tests with a p-value, by outcome."""
    tests = results.tests
    chosen = tests[
        (tests["test"] == "pre_trends") & (tests["sample"] == "all") & tests["p_value"].notna()
    ].to_dict("records")
    ordered = sorted(chosen, key=lambda row: _position(results, row))
    found = {
        name: [row for row in ordered if row["outcome"] == name and _has_slope(results, row)]
        for name in results.settings.outcomes.root
    }
    return {name: rows for name, rows in found.items() if rows}


def _slopes(results: StudyResults, row: dict[Hashable, Any]) -> list[float]:
    return [
        results.fact(
            str(row["design"]),
            str(row["outcome"]),
            f"{fact}[{row['estimator']},{100 * power:g}]",
        )
        for fact in _SLOPES
        for power in FOUND_WITH
    ]


def _has_slope(results: StudyResults, row: dict[Hashable, Any]) -> bool:
    return not all(math.isnan(value) for value in _slopes(results, row))


def _power_table(results: StudyResults, tested: dict[str, _Rows]) -> Table:
    panels = tuple(
        Panel(
            say(
                "{label} ({scale} a year)",
                label=results.settings.outcome(name).label,
                scale=retell(results.settings.outcome(name).scale),
            ),
            tuple(_power_row(results, row) for row in rows),
        )
        for name, rows in tested.items()
    )
    found_with = [f"{100 * power:g}%" for power in FOUND_WITH]
    return Table(
        columns=(
            Column(say("Pre-trends, joint p")),
            *(
                Column(found, spanner=say(heading))
                for heading in _SLOPES.values()
                for found in found_with
            ),
        ),
        panels=panels,
        notes=_power_notes(results, [row for rows in tested.values() for row in rows]),
        source=results.settings.exhibit.source,
    )


def _power_row(results: StudyResults, row: dict[Hashable, Any]) -> Row:
    slopes = [DASH if pd.isna(value) else Magnitude(value, 2) for value in _slopes(results, row)]
    return Row(_label(results, row), (_p_value(float(row["p_value"])), *slopes))


def _power_notes(results: StudyResults, rows: _Rows) -> tuple[str, ...]:
    window = results.settings.treatment.window
    notes = (
        say(
            "Joint test that all effects before the reference year are zero, and the slope of a "
            "straight difference in trends that would have been found with probability {found}, "
            "by that test or where any single year is significant (Roth 2022), at {alpha} percent.",
            found=join_words([f"{100 * power:g}%" for power in FOUND_WITH]),
            alpha=rounding.general(100 * (1 - results.settings.estimate.conf_level)),
        ),
        say(
            "A test that finds nothing leaves room for flatter trends than these. Over the {n} "
            "years from the reference year to the last event time a slope adds up to {n} times "
            "itself.",
            n=window.last_event_time - results.settings.treatment.reference_event_time,
        ),
        _panels_note(results, rows),
    )
    return tuple(note for note in notes if note)
