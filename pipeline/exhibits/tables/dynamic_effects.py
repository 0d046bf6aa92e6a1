"""Dynamic effects: the headline design's effects by year since entry, one column an outcome."""

import math
from functools import partial

from pipeline.exhibits.analysis_effects import counts_row
from pipeline.exhibits.effect import (
    Effect,
    partial_event_times,
    told_time,
    told_years,
    with_open_ends,
)
from pipeline.exhibits.inputs import StudyResults, find_effects, pre_trend_result
from pipeline.exhibits.leads import is_before, is_varying
from pipeline.exhibits.ran import Ran, measures_change, ran_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.effect_cells import p_cell, rows_at
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.parts import by_outcome
from pipeline.exhibits.tables.table import HIDDEN, Cell, Panel, Row, Table, Text
from pipeline.exhibits.words.in_full import either
from pipeline.exhibits.words.language import say


def dynamic_effects(results: StudyResults) -> list[Table]:
    """Return effects and standard errors before and after entry, and the pre-trend p-values."""
    return by_outcome(results, partial(_table, results))


def _table(results: StudyResults, numbered: dict[int, str]) -> Table:
    outcomes = list(numbered.values())
    effects = [_by_time(results, name) for name in outcomes]
    decimals = [results.decimals[name] for name in outcomes]
    main = _ran(results, outcomes[0])
    reference = main.number("base_event_time")
    times = sorted({time for column in effects for time in column})
    groups = [
        (say("dynamic_effects.before_entry"), [time for time in times if is_before(main, time)]),
        (say("event_time.years_since_entry"), [time for time in times if time > reference]),
    ]
    panels = [
        Panel(
            title,
            tuple(
                row
                for time in chosen
                for row in (
                    *rows_at(_label(time, effects), time, effects, decimals),
                    counts_row([column.get(time) for column in effects]),
                )
            ),
        )
        for title, chosen in groups
        if chosen
    ]
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(panels),
        foot=(Row(say("pre_trends.joint_p"), tuple(_p_value(results, name) for name in outcomes)),),
        notes=(*_notes(results, numbered), *_partial(effects)),
        source=results.settings.exhibit.source,
    )


def _ran(results: StudyResults, outcome: str) -> Ran:
    headline = results.settings.estimate.headline
    return ran_on(results, headline.spec, [headline.design], [outcome])[0]


def _by_time(results: StudyResults, outcome: str) -> dict[int, Effect]:
    headline = results.settings.estimate.headline
    return with_open_ends(find_effects(results, outcome, headline.design, headline.spec))


def _label(time: int, effects: list[dict[int, Effect]]) -> str:
    return told_time(time, (column.get(time) for column in effects))


def _p_value(results: StudyResults, outcome: str) -> Cell:
    headline = results.settings.estimate.headline
    test = pre_trend_result(results, outcome, headline.design, headline.spec)
    if math.isnan(test.p_value):
        return HIDDEN if test.hidden else Text(say("dynamic_effects.none"))
    return p_cell(test.p_value)


def _partial(effects: list[dict[int, Effect]]) -> list[str]:
    """Say which years since entry not all entry years have."""
    found = sorted(
        {(time, years) for column in effects for time, years in partial_event_times(column).items()}
    )
    listed = "; ".join(f"{rounding.fixed(time, 0)}, {told_years([years])}" for time, years in found)
    return [say("dynamic_effects.partial_years", listed=listed)] if found else []


def _notes(results: StudyResults, numbered: dict[int, str]) -> tuple[str, ...]:
    settings = results.settings
    rows = {n: _ran(results, name) for n, name in numbered.items()}
    main = next(iter(rows.values()))
    matched, adjusted = (_by_column(rows, name) for name in _ALIKE)
    changes = measures_change(main)
    effects = "varying_base" if is_varying(main) else "relative_effects"
    full = f"dynamic_effects.{effects if changes else 'after_entry'}"
    varying = "_varying" if is_varying(main) else ""
    short = f"short_notes.event_times{varying}" if changes else full
    left_out = _left_out(matched, adjusted)
    named = {
        "design_label": settings.design_label(settings.estimate.headline.design),
        "reference": rounding.fixed(main.number("base_event_time"), 0),
    }
    return (
        *either(results, full=[say(full, **named)], short=[say(short, **named)]),
        *([say("dynamic_effects.matched_on_outcome", on_lags=matched)] if matched else []),
        *([say("dynamic_effects.adjusted_for_outcome", on_lags=adjusted)] if adjusted else []),
        *either(
            results,
            full=[say("dynamic_effects.pre_trend_test", left_out=left_out)],
            short=[say("short_notes.event_pre_trends", left_out=left_out)],
        ),
    )


_ALIKE = ("matched_event_times", "adjusted_event_times")


def _by_column(rows: dict[int, Ran], kind: str) -> str:
    """Say by column at which event times nothing can be seen; empty where at none."""
    told = {n: sorted(row.listed(kind)) for n, row in rows.items()}
    return "; ".join(
        say("dynamic_effects.matched_column", n=n, times=", ".join(map(_time, times)))
        for n, times in told.items()
        if times
    )


def _time(event_time: int) -> str:
    return rounding.fixed(event_time, 0)


def _left_out(matched: str, adjusted: str) -> str:
    """Say which event times the test leaves out."""
    if matched and adjusted:
        return say("dynamic_effects.conditioned_left_out")
    if adjusted:
        return say("dynamic_effects.adjusted_left_out")
    return say("dynamic_effects.matched_left_out") if matched else ""
