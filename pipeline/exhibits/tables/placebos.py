"""What should show no effect: placebo outcomes, and the outcomes under a placebo entry date."""

import math
from collections.abc import Hashable
from typing import Any

from pipeline.effects.rows import PLACEBO_ENTRY
from pipeline.exhibits.analysis_effects import reasons_in_words
from pipeline.exhibits.effect import Effect, as_effect, shown_effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import conf_level, ran_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.effect_cells import interval_label, p_cell
from pipeline.exhibits.tables.panels import panel_name, panel_position, panels_key
from pipeline.exhibits.tables.pre_trends import pre_trend_tables
from pipeline.exhibits.tables.table import (
    DASH,
    Interval,
    Number,
    Panel,
    Row,
    Table,
    TableColumn,
    WholeNumbers,
)
from pipeline.exhibits.units import unit_words
from pipeline.exhibits.words.in_full import either, in_full
from pipeline.exhibits.words.language import say
from pipeline.params.inference_methods import primary_methods

_Rows = list[dict[Hashable, Any]]

# A placebo outcome, or an outcome and by how many years its entry is dated too early.
_Group = tuple[str, int | None]


def placebos_tables(results: StudyResults) -> list[Table]:
    """Return effects on placebos, then pre-trend tests with their power; none without either."""
    groups = _groups(results)
    effects = [_effects_table(results, groups)] if groups else []
    return effects + pre_trend_tables(results)


def placebo_found(
    results: StudyResults, outcome: str, sample: str, design: str, spec: str
) -> Effect | None:
    """Return the effect on a placebo where its test rejects, at the level of intervals.

    By the q-value where the placebo is one of several in a family. `sample` is `all` for a placebo
    outcome, PLACEBO_ENTRY for an outcome under a placebo date.
    """
    q_values = _q_values(results)
    for row in placebo_averages(results, outcome, sample):
        if (row["design"], row["estimator"]) == (design, spec):
            effect = as_effect(_named(row))
            if q_values.get(_key(row), effect.p_value) < 1 - effect.conf_level:
                return results.with_decimals(outcome, effect)
    return None


def placebo_averages(results: StudyResults, outcome: str, sample: str) -> _Rows:
    """Return the rows of average effects on an outcome in a sample, in the order of panels."""
    table = results.estimates
    chosen = table[
        (table["outcome"] == outcome)
        & (table["sample"] == sample)
        & (table["subgroup"] == "all")
        & (table["term"] == "att")
        & (table["band"] == "pointwise")
        & table["inference"].isin(primary_methods())
    ].to_dict("records")
    return sorted(chosen, key=lambda row: _position(results, row))


def _position(results: StudyResults, row: dict[Hashable, Any]) -> int:
    return panel_position(results, str(row["design"]), str(row["estimator"]))


def _groups(results: StudyResults) -> dict[_Group, _Rows]:
    """Return the rows of each panel: placebo outcomes first, then placebo dates."""
    outcomes = results.settings.outcomes
    found: dict[_Group, _Rows] = {
        (name, None): placebo_averages(results, name, "all") for name in outcomes.negative_controls
    }
    for name in outcomes.intended:
        for row in placebo_averages(results, name, PLACEBO_ENTRY):
            spec, design = str(row["estimator"]), str(row["design"])
            years = ran_on(results, spec, [design], [name])[0].number("placebo_entry_years")
            found.setdefault((name, years), []).append(row)
    return {group: rows for group, rows in found.items() if rows}


def _title(results: StudyResults, group: _Group) -> str:
    name, years = group
    label = _with_scale(results, name)
    if years is None:
        return say("placebos.outcome", label=label)
    return say("placebos.entry_too_early", years=years_in_words(years), label=label)


def years_in_words(n: int) -> str:
    """Return `one year`, or `2 years`."""
    return say("placebos.one_year") if n == 1 else say("placebos.n_years", n=n)


def _with_scale(results: StudyResults, name: str) -> str:
    outcome = results.settings.outcome(name)
    return f"{results.plain_name(name)} ({unit_words(outcome.scale)})"


def _effects_table(results: StudyResults, groups: dict[_Group, _Rows]) -> Table:
    q_values = _q_values(results)
    every = [row for rows in groups.values() for row in rows]
    corrected = any(_key(row) in q_values for row in every)
    panels = tuple(
        Panel(
            _title(results, group),
            tuple(_row(results, row, q_values if corrected else None) for row in rows),
        )
        for group, rows in groups.items()
    )
    return Table(
        columns=(
            TableColumn(say("column.estimate")),
            TableColumn(say("placebos.std_error")),
            TableColumn(interval_label(results)),
            TableColumn(say("row.p_value")),
            *([TableColumn(say("row.q_value"))] if corrected else []),
            TableColumn(say("placebos.observations")),
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
    places, shown = results.decimals[str(row["outcome"])], shown_effect(effect)
    known = not math.isnan(effect.conf_low)
    q_value = None if q_values is None else q_values.get(_key(row), math.nan)
    return Row(
        panel_name(results, str(row["design"]), str(row["estimator"])),
        (
            DASH if math.isnan(shown.estimate) else Number(shown.estimate, places),
            Number(shown.std_error, places) if shown.estimated else None,
            Interval(shown.conf_low, shown.conf_high, places) if known else None,
            p_cell(effect.p_value),
            *([] if q_value is None else [p_cell(q_value)]),
            None if math.isnan(effect.n_obs) else WholeNumbers((int(effect.n_obs),)),
        ),
    )


def _effects_notes(results: StudyResults, rows: _Rows, corrected: bool) -> tuple[str, ...]:
    controls = results.settings.outcomes.negative_controls.values()
    reasons = "; ".join(f"{o.label}, {o.negative_control}" for o in controls)
    dated = any(row["sample"] == PLACEBO_ENTRY for row in rows)
    effects = [as_effect(_named(row)) for row in rows]
    adjusted = any(effect.remark("placebo_entry_without_adjusted_for") for effect in effects)
    notes = (
        say("placebos.what_is_shown"),
        panels_key(results, [(str(r["design"]), str(r["estimator"])) for r in rows]),
        say("placebos.declared_outcomes", reasons=reasons) if reasons else "",
        *either(
            results,
            full=[say("placebos.early_entry") if dated else "", say("placebos.reading")],
            short=[say("short_notes.placebo_reading")],
        ),
        say("placebos.early_entry_adjusted") if adjusted else "",
        *_chance_notes(results, effects, corrected),
        *reasons_in_words(effects),
    )
    return tuple(note for note in notes if note)


def _chance_notes(results: StudyResults, effects: list[Effect], corrected: bool) -> tuple[str, ...]:
    """Say how many of the tests reject by chance, and what q-values make of that."""
    alpha = 1 - conf_level(results)
    tested = sum(not math.isnan(effect.p_value) for effect in effects)
    if not tested:
        return ()
    by_chance = say(
        "placebos.expected_rejections",
        tested=tested,
        expected=rounding.fixed(alpha * tested, 1),
        alpha=rounding.general(100 * alpha),
    )
    if not corrected:
        return (by_chance,)
    return (by_chance, *in_full(results, say("placebos.q_values")))
