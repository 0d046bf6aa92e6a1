"""Effects by arm: participants above, the exposed below, each against one pool."""

import math
from collections.abc import Iterable

from pipeline.exhibits.analysis_effects import confidence_row, errors_missing, estimate_rows
from pipeline.exhibits.arms import (
    arm_effect,
    direct_arms,
    exposed_arms,
    given_up,
    is_exposed,
)
from pipeline.exhibits.effect import Effect, missing_reason
from pipeline.exhibits.inputs import StudyResults, pre_trend_result
from pipeline.exhibits.tables.effect_cells import p_cell
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.panels import Shown
from pipeline.exhibits.tables.parts import by_outcome
from pipeline.exhibits.tables.table import HIDDEN, Cell, Panel, Row, Table, WholeNumbers
from pipeline.exhibits.words.arms import estimand_words, pool_of_arms
from pipeline.exhibits.words.language import say, tell
from pipeline.exhibits.words.short_notes import brackets
from pipeline.params.exhibit import PanelSection

# An arm's effects by outcome.
_Effects = dict[str, list[Effect | None]]


def arms_tables(results: StudyResults) -> list[Table]:
    """Return effects by arm; none where a study has one."""
    return by_outcome(results, lambda part: _table(results, part)) if results.arms else []


def _table(results: StudyResults, numbered: dict[int, str]) -> Table:
    groups = {"participants": direct_arms(results), "exposed": exposed_arms(results)}
    effects = {
        arm: [arm_effect(results, arm, name) for name in numbered.values()]
        for arms in groups.values()
        for arm in arms
    }
    panels = [
        _panel(results, group, {arm: effects[arm] for arm in arms}, list(numbered.values()))
        for group, arms in groups.items()
        if arms
    ]
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(panels),
        notes=_notes(results, numbered, effects),
        source=results.settings.exhibit.source,
    )


def _panel(results: StudyResults, group: str, effects: _Effects, names: list[str]) -> Panel:
    of = estimand_words(e for own in effects.values() for e in own if e is not None)
    title = say(f"arms_table.{group}", estimand=of) if of else say(f"arms_table.{group}_bare")
    rows = [row for arm, own in effects.items() for row in _rows(results, arm, own, names)]
    return Panel(title, tuple(rows))


def _rows(
    results: StudyResults, arm: str, effects: list[Effect | None], names: list[str]
) -> list[Row]:
    counted = "exposed_and_comparison" if is_exposed(results, arm) else "joined_and_comparison"
    return [
        *estimate_rows(results.settings.arm_label(arm), effects),
        confidence_row(results, effects),
        Row(say(f"arms_table.{counted}"), tuple(map(_counts, effects)), True),
        Row(say("main_effects.pre_trend_p"), _pre_trends(results, arm, effects, names), True),
    ]


def _counts(effect: Effect | None) -> Cell:
    """Return the firms behind an estimate; the sign of what is not published where it hides one."""
    if effect is None or math.isnan(effect.estimate):
        return None
    if math.isnan(effect.n_treated) or math.isnan(effect.n_control):
        return HIDDEN
    return WholeNumbers((int(effect.n_treated), int(effect.n_control)))


def _pre_trends(
    results: StudyResults, arm: str, effects: list[Effect | None], names: list[str]
) -> tuple[Cell, ...]:
    headline, own = results.settings.estimate.headline, results.arms[arm]
    return tuple(
        p_cell(pre_trend_result(own, name, headline.design, headline.spec).p_value)
        if effect is not None and effect.estimated
        else None
        for name, effect in zip(names, effects, strict=True)
    )


def _notes(results: StudyResults, numbered: dict[int, str], effects: _Effects) -> tuple[str, ...]:
    headline = results.settings.estimate.headline
    panel = PanelSection(design=headline.design, spec=headline.spec, label="")
    design = results.settings.design_label(headline.design)
    exposed = any(is_exposed(results, arm) for arm in effects)
    return (
        say("arms_table.what_is_shown", design=design, pool=pool_of_arms(results)),
        *([say("arms_table.entry_of_exposed")] if exposed else []),
        brackets(results, Shown(numbered, {"A": panel})),
        *_reasons(results, effects),
        *errors_missing(e for own in effects.values() for e in own if e is not None),
    )


def _reasons(results: StudyResults, effects: _Effects) -> list[str]:
    """Say why arms have no effect, or no results at all, each reason once."""
    arms: dict[str, dict[str, None]] = {}
    for arm, own in effects.items():
        for reason in _why(own):
            arms.setdefault(reason, {})[results.settings.arm_label(arm)] = None
    for arm, why in given_up(results).items():
        arms.setdefault(tell(why), {})[results.settings.arm_label(arm)] = None
    told = [f"{', '.join(named)}: {reason}" for reason, named in arms.items()]
    return [say("note.not_estimated", reasons="; ".join(told))] if told else []


def _why(effects: Iterable[Effect | None]) -> list[str]:
    missing = [e for e in effects if e is not None and math.isnan(e.estimate)]
    return [reason for effect in missing if (reason := missing_reason(effect))]
