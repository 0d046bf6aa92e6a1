"""Effects as tables show them, in the reader's unit: the estimate, its error and interval below."""

import math
from collections.abc import Hashable, Iterable
from typing import TypeVar

from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import conf_level
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.table import DASH, HIDDEN, Cell, Interval, Number, Row, Text
from pipeline.exhibits.units import shown_error, shown_value
from pipeline.exhibits.words.language import say

Place = TypeVar("Place", bound=Hashable)

# An effect, if there is one, and its decimals.
Placed = tuple[Effect | None, int]


def estimate_and_error(label: str, placed: Iterable[Placed]) -> tuple[Row, Row]:
    """Return a row of estimates, a dash where there is none, and one of standard errors."""
    pairs = list(placed)
    return (
        Row(label, tuple(estimate_cell(effect, decimals) for effect, decimals in pairs)),
        Row("", tuple(std_error_cell(effect, decimals) for effect, decimals in pairs)),
    )


def rows_at(
    label: str, place: Place, columns: list[dict[Place, Effect]], decimals: list[int]
) -> tuple[Row, Row]:
    """Return both rows of one place, a year say, of which each column may have an effect."""
    found = [column.get(place) for column in columns]
    return estimate_and_error(label, zip(found, decimals, strict=True))


def estimate_cell(effect: Effect | None, decimals: int, suffix: str = "") -> Cell:
    """Return the estimate; a dash where there is none, the mark of what is not published."""
    if effect is None or math.isnan(effect.estimate):
        return HIDDEN if effect is not None and effect.hidden else DASH
    return Number(shown_value(effect.estimate, effect.scale), decimals, suffix=suffix)


def std_error_cell(effect: Effect | None, decimals: int) -> Cell:
    """Return the standard error in parentheses; nothing where there is none."""
    if effect is None or not effect.estimated:
        return None
    error = shown_error(effect.std_error, effect.estimate, effect.scale)
    return Number(error, decimals, "parenthesis")


def p_cell(value: float) -> Cell:
    """Return a p- or q-value, two decimals; a dash where there is none."""
    return DASH if math.isnan(value) else Text(rounding.positive(value, 2))


def interval_label(results: StudyResults) -> str:
    """Return the heading of confidence intervals, at the study's level."""
    level = rounding.general(100 * conf_level(results))
    return say("row.confidence_interval", level=level)


def interval_cell(effect: Effect | None, decimals: int) -> Cell:
    """Return the confidence interval in brackets; nothing where there is none."""
    if effect is None or math.isnan(effect.conf_low) or math.isnan(effect.conf_high):
        return None
    return interval_of(effect.conf_low, effect.conf_high, effect.scale, decimals)


def interval_of(low: float, high: float, scale: str, decimals: int) -> Interval:
    """Return an interval on a scale in the reader's unit."""
    return Interval(shown_value(low, scale), shown_value(high, scale), decimals)
