"""Minimum detectable effects: what each design could have found, one column an outcome."""

import math

from pipeline.exhibits import rounding
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.language import say
from pipeline.exhibits.main_effects import outcome_columns, shown_decimals
from pipeline.exhibits.numbers import LOG_SCALE, percent
from pipeline.exhibits.panels import lettered_panels
from pipeline.exhibits.parts import side_by_side
from pipeline.exhibits.table import DASH, Cell, Magnitude, Number, Panel, Row, Table


def detectable_effects(results: StudyResults) -> list[Table]:
    """Return one row a panel of the main table; log effects are in percent below them."""
    return side_by_side(
        list(results.settings.outcomes.intended), lambda part: _table(results, part)
    )


def _table(results: StudyResults, numbered: dict[int, str]) -> Table:
    panels = lettered_panels(results)
    outcomes = list(numbered.values())
    rows = [
        Row(
            f"{letter}. {panel.label}",
            tuple(_cell(results, name, panel.design, panel.spec) for name in outcomes),
        )
        for letter, panel in panels.items()
    ]
    in_percent = [
        Row(
            f"{letter}. {panel.label}",
            tuple(_percent(results, name, panel.design, panel.spec) for name in outcomes),
        )
        for letter, panel in panels.items()
    ]
    groups = [Panel(say("In units of the estimate"), tuple(rows))]
    if any(cell is not None for row in in_percent for cell in row.cells):
        groups.append(Panel(say("Log effects in percent"), tuple(in_percent)))
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(groups),
        notes=_notes(results),
        source=results.settings.exhibit.source,
    )


def _detectable(results: StudyResults, outcome: str, design: str, spec: str) -> float:
    return results.fact(design, outcome, f"mde[{spec}]")


def _cell(results: StudyResults, outcome: str, design: str, spec: str) -> Cell:
    value = _detectable(results, outcome, design, spec)
    return DASH if math.isnan(value) else Number(value, shown_decimals(results, outcome))


def _percent(results: StudyResults, outcome: str, design: str, spec: str) -> Cell:
    effect = find_effect(results, outcome, design, spec)
    value = _detectable(results, outcome, design, spec)
    if effect is None or effect.scale != LOG_SCALE or math.isnan(value):
        return None
    return Magnitude(percent(value))


def _notes(results: StudyResults) -> tuple[str, ...]:
    estimate = results.settings.estimate
    return (
        say(
            "The smallest true effect that a two-sided test at {alpha} percent finds "
            "with {power} percent power, given the standard error of the main table. A "
            "smaller effect may be there unseen.",
            alpha=rounding.general(100 * (1 - estimate.conf_level)),
            power=rounding.general(100 * estimate.power),
        ),
    )
