"""The findings in sentences: effect, interval and unit of the headline outcomes."""

from pipeline.exhibits import rounding
from pipeline.exhibits.inputs import Effect, StudyResults, find_effect
from pipeline.exhibits.numbers import (
    LOG_SCALE,
    SHARE_SCALE,
    effect_decimals,
    percent,
    percentage_points,
)

_SENTENCES = 3


def findings(results: StudyResults) -> list[str]:
    """Return one sentence for each of the first three outcomes that have a headline effect."""
    sentences = []
    for name in results.settings.outcomes.root:
        effect = headline_effect(results, name)
        if effect is not None:
            sentences.append(_sentence(results, name, effect))
    return sentences[:_SENTENCES] or ["No effect could be estimated."]


def headline_effect(results: StudyResults, outcome: str) -> Effect | None:
    """Return the headline effect on an outcome; None where it is not estimated."""
    headline = results.settings.estimate.headline
    effect = find_effect(results, outcome, headline.design, headline.spec)
    return effect if effect is not None and effect.estimated else None


def in_units(results: StudyResults, effect: Effect, value: float) -> str:
    """Return a value on the effect's scale as readers see it: percent, points or its unit."""
    if effect.scale == LOG_SCALE:
        return rounding.fixed(percent(value), 1)
    if effect.scale == SHARE_SCALE:
        return rounding.fixed(percentage_points(value), 1)
    return rounding.fixed(value, effect_decimals([effect], results.settings.exhibit.decimals))


def unit(effect: Effect) -> str:
    """Return the unit in which `in_units` gives values."""
    return {LOG_SCALE: "percent", SHARE_SCALE: "percentage points"}.get(effect.scale, effect.scale)


def _sentence(results: StudyResults, name: str, effect: Effect) -> str:
    exhibit = results.settings.exhibit
    label = results.settings.outcome(name).label
    ends = (effect.estimate, effect.conf_low, effect.conf_high)
    value, low, high = (in_units(results, effect, end) for end in ends)
    includes = "includes" if effect.conf_low <= 0 <= effect.conf_high else "excludes"
    return (
        f"{label}: the average effect on treated {exhibit.firms} is {value} {unit(effect)}, with a "
        f"{100 * effect.conf_level:g} percent confidence interval from {low} to {high} that "
        f"{includes} zero ({rounding.count(effect.n_treated)} treated and "
        f"{rounding.count(effect.n_control)} comparison {exhibit.firms})."
    )
