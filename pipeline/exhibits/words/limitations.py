"""Limitations that a study's own diagnostics raise, each with the number behind it."""

import math
from collections.abc import Iterator

from pipeline.datasets.samples import SAMPLES
from pipeline.effects.rows import PLACEBO_ENTRY
from pipeline.exhibits.design_balance import differences_together
from pipeline.exhibits.inputs import (
    Effect,
    StudyResults,
    by_event_time,
    find_effects,
    missing_test_reason,
)
from pipeline.exhibits.leads import headline_pre_trends, is_before
from pipeline.exhibits.numbers import translated, translated_unit, translated_value
from pipeline.exhibits.ran import balance_rule, ran_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.placebos import placebo_found
from pipeline.exhibits.words.beneficiaries import headline_lost, switched_off
from pipeline.exhibits.words.findings import headline_effect
from pipeline.exhibits.words.language import say
from pipeline.inference.cautions import FEW_TREATED_CLUSTERS

# A drop of more than one firm-year in twenty is worth a reader's attention.
_MANY_DROPPED = 0.05


def limitations(results: StudyResults) -> list[str]:
    """Return one sentence per limitation of the headline design; at least the general one."""
    return [
        *headline_lost(results, _estimated(results)),
        *switched_off(results),
        *_balance(results),
        *[sentence for name in _estimated(results) for sentence in _outcome(results, name)],
        *_placebos(results),
        *_unobserved(results),
        say("limitations.assumptions", firms=results.settings.exhibit.firms),
    ]


def _estimated(results: StudyResults) -> list[str]:
    names = results.settings.outcomes.intended
    return [name for name in names if headline_effect(results, name) is not None]


def _balance(results: StudyResults) -> Iterator[str]:
    after = differences_together(results, results.settings.estimate.headline.design, "after")
    if after.n_above:
        yield say(
            "limitations.balance",
            n_above=int(after.n_above),
            known=int(after.n_known),
            threshold=rounding.general(balance_rule(results).value("threshold")),
            largest=rounding.fixed(after.largest, 2),
        )


def _outcome(results: StudyResults, name: str) -> Iterator[str]:
    """Yield what concerns one outcome: clusters, pre-trends, power, composition."""
    label = results.plain_name(name)
    effect = headline_effect(results, name)
    assert effect is not None
    if effect.n_treated_clusters < FEW_TREATED_CLUSTERS:
        yield say(
            "limitations.few_treated_clusters",
            label=label,
            n_treated_clusters=rounding.whole(effect.n_treated_clusters),
        )
    yield from (f"{label}: {sentence}" for sentence in _pre_trends(results, name, effect))
    yield from (f"{label}: {sentence}" for sentence in _composition(results, name, effect))


def _pre_trends(results: StudyResults, name: str, effect: Effect) -> Iterator[str]:
    found = headline_pre_trends(results, name)
    if found.seen == "nothing" or (found.seen == "hidden" and not found.leads):
        hidden = found.seen == "hidden" or _has_hidden_lead(results, name)
        yield say("limitations.leads_not_published" if hidden else "limitations.no_lead")
        return
    if found.seen == "untested":
        yield say("limitations.untested", reason=missing_test_reason(found.test))
    if found.test.p_value < 1 - effect.conf_level:
        yield say("limitations.trends_differ", p_value=rounding.positive(found.test.p_value, 3))
    headline = results.settings.estimate.headline
    place = {"design": headline.design, "outcome": name, "estimator": headline.spec}
    sizes = [results.details.detectable("effect", place, event_time=time) for time in found.leads]
    worst = max((size for size in sizes if not math.isnan(size)), default=0.0)
    if worst > abs(effect.estimate):
        shown = translated_value(effect, worst, results.settings.exhibit.decimals)
        yield say("limitations.little_power", shown=shown, translated_unit=translated_unit(effect))


def _has_hidden_lead(results: StudyResults, name: str) -> bool:
    """Say whether an effect before entry is known and not published."""
    headline = results.settings.estimate.headline
    row = ran_on(results, headline.spec, [headline.design], [name])[0]
    effects = by_event_time(find_effects(results, name, headline.design, headline.spec))
    return any(is_before(row, time) and effect.hidden for time, effect in effects.items())


def _composition(results: StudyResults, name: str, effect: Effect) -> Iterator[str]:
    design = results.settings.estimate.headline.design
    found = [
        results.details.figure(SAMPLES, column, design=design, outcome=name)
        for column in ("firm_years_dropped", "firm_years_missing")
    ]
    dropped = sum(figure.value for figure in found if figure.known)
    share = dropped / (dropped + effect.n_obs)
    if share > _MANY_DROPPED:
        yield say(
            "limitations.missing_rows",
            share=rounding.whole(100 * share),
            firms=results.settings.exhibit.firms,
        )


def _placebos(results: StudyResults) -> Iterator[str]:
    """Yield the effects of the headline's design that should not be there."""
    headline = results.settings.estimate.headline
    place = (headline.design, headline.spec)
    for name, outcome in results.settings.outcomes.negative_controls.items():
        effect = placebo_found(results, name, "all", *place)
        if effect is not None:
            yield say(
                "limitations.placebo_outcome",
                **_in_words(results, name, effect),
                reason=outcome.negative_control,
            )
    for name in results.settings.outcomes.intended:
        effect = placebo_found(results, name, PLACEBO_ENTRY, *place)
        if effect is not None:
            yield say("limitations.placebo_entry", **_in_words(results, name, effect))


def _in_words(results: StudyResults, name: str, effect: Effect) -> dict[str, str]:
    value, low, high = translated(effect, results.settings.exhibit.decimals)
    unit = translated_unit(effect)
    label = results.plain_name(name)
    return {"label": label, "value": value, "low": low, "high": high, "translated_unit": unit}


def _unobserved(results: StudyResults) -> Iterator[str]:
    for outcome in results.settings.outcomes.root.values():
        if not outcome.observed:
            yield say("limitations.not_observed", label=outcome.label, reason=outcome.reason)
