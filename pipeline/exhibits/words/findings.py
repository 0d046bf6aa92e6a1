"""The findings in sentences: effect, interval and unit of the headline outcomes."""

from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.numbers import translated, translated_unit
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import say


def headline_effect(results: StudyResults, outcome: str) -> Effect | None:
    """Return the headline effect on an outcome; None where it is not estimated."""
    headline = results.settings.estimate.headline
    effect = find_effect(results, outcome, headline.design, headline.spec)
    return effect if effect is not None and effect.estimated else None


def finding(results: StudyResults, name: str, effect: Effect) -> str:
    """Return the sentence of a headline effect: estimate, interval, and firms behind it."""
    exhibit = results.settings.exhibit
    label = results.plain_name(name)
    value, low, high = translated(effect)
    includes = (
        say("findings.includes")
        if effect.conf_low <= 0 <= effect.conf_high
        else say("findings.excludes")
    )
    return say(
        "findings.effect",
        label=label,
        firms=exhibit.firms,
        value=value,
        translated_unit=translated_unit(effect),
        conf_level=rounding.general(100 * effect.conf_level),
        low=low,
        high=high,
        includes=includes,
        n_treated=rounding.whole(effect.n_treated),
        n_control=rounding.whole(effect.n_control),
    )
