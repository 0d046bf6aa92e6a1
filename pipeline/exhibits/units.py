"""The unit in which readers are told effects: percent of logs, points of shares, else their own.

The translation of a log effect b into 100(exp(b) - 1) percent happens here and nowhere else, its
standard error by the delta method, its interval by both ends.
"""

import math

from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.scales import scale_words
from pipeline.params.outcomes import LOG_SCALE, PERCENT_OF_MEAN, SHARE_SCALE

# Two digits of the smallest standard error are shown.
_DIGITS = 2


def percent(log_effect: float) -> float:
    """Translate an effect in log points into percent: 100(exp(b) - 1)."""
    return 100 * math.expm1(log_effect)


def percentage_points(share_effect: float) -> float:
    """Translate an effect on a share into percentage points."""
    return 100 * share_effect


def shown_value(value: float, scale: str) -> float:
    """Return a value on a scale in the unit in which readers are told it."""
    if scale == LOG_SCALE:
        return percent(value)
    return percentage_points(value) if scale == SHARE_SCALE else value


def shown_error(std_error: float, estimate: float, scale: str) -> float:
    """Return the standard error of an estimate in the reader's unit."""
    if scale == LOG_SCALE:
        return 100 * math.exp(estimate) * std_error
    return percentage_points(std_error) if scale == SHARE_SCALE else std_error


def unit_words(scale: str) -> str:
    """Return the unit in which readers are told a value on a scale."""
    named = {LOG_SCALE: "unit.percent", SHARE_SCALE: "unit.percentage_points"}
    named[PERCENT_OF_MEAN] = "unit.percent_of_mean"
    return say(named[scale]) if scale in named else scale_words(scale)


def decimals_shown(errors: list[float], values: list[float], least: int) -> int:
    """Return the decimals of effects, at least `least`: two digits of their smallest error.

    Errors and values are in the reader's unit. Where there is no error, values that are not
    rounding take their place.
    """
    seen = [abs(value) for value in values if abs(value) >= 10**-rounding.MOST_DECIMALS]
    usable = [error for error in errors if error > 0]
    return rounding.decimals_for(usable or seen, _DIGITS, least)
