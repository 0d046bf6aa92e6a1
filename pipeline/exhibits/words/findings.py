"""The findings in sentences: effect, interval and unit of the headline outcomes."""

from pipeline.exhibits.inputs import Effect, StudyResults, find_effect
from pipeline.exhibits.numbers import translated, translated_unit
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.beneficiaries import headline_lost, switched_off
from pipeline.exhibits.words.language import say

_SENTENCES = 3


def findings(results: StudyResults) -> list[str]:
    """Return one sentence for each of the first three outcomes that have a headline effect.

    Behind them stands who was lost on the way to the effects, and whose treatment ended.
    """
    effects = {name: headline_effect(results, name) for name in results.settings.outcomes.intended}
    found = {name: effect for name, effect in effects.items() if effect is not None}
    if not found:
        return [say("findings.nothing_estimated")]
    told = dict([*found.items()][:_SENTENCES])
    sentences = [finding(results, name, effect) for name, effect in told.items()]
    return [*sentences, *headline_lost(results, [*told]), *switched_off(results)]


def headline_effect(results: StudyResults, outcome: str) -> Effect | None:
    """Return the headline effect on an outcome; None where it is not estimated."""
    headline = results.settings.estimate.headline
    effect = find_effect(results, outcome, headline.design, headline.spec)
    return effect if effect is not None and effect.estimated else None


def finding(results: StudyResults, name: str, effect: Effect) -> str:
    """Return the sentence of a headline effect: estimate, interval, and firms behind it."""
    exhibit = results.settings.exhibit
    label = results.plain_name(name)
    value, low, high = translated(effect, exhibit.decimals)
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
