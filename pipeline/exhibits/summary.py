"""The summary: what a reader in a hurry must know, in sentences made from the results."""

import math

from pipeline.exhibits.checks.cautions import study_cautions
from pipeline.exhibits.checks.verdicts import verdict
from pipeline.exhibits.effect import Effect, missing_reason, missing_test_reason
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.leads import headline_pre_trends, is_varying
from pipeline.exhibits.numbers import translated, translated_unit, translated_value
from pipeline.exhibits.ran import conf_level, measures_change, ran, ran_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.render.markdown import escape_markdown
from pipeline.exhibits.words.arms import others_sentences
from pipeline.exhibits.words.beneficiaries import headline_lost, switched_off
from pipeline.exhibits.words.caution_words import cautions_said, severity_word
from pipeline.exhibits.words.designs import uncapitalised
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.verdicts import sure_words


def summary(results: StudyResults) -> str:
    """Return Markdown: headline effects, how sure they are, pre-trends, and every caution.

    For outcomes of the family `main`, or all where none is in it.
    """
    outcomes = results.settings.outcomes.intended
    names = [name for name, outcome in outcomes.items() if outcome.family == "main"] or [*outcomes]
    sentences = [_effects(results, names)]
    estimated = {name: effect for name in names if (effect := _headline(results, name)) is not None}
    if changes := [name for name in estimated if _is_of_change(results, name)]:
        sentences.append(_pre_trends(results, changes))
    sentences += [*headline_lost(results, list(estimated)), *switched_off(results)]
    sentences += [*others_sentences(results), *_cautions(results, names)]
    title = escape_markdown(results.settings.exhibit.title)
    return f"**{title}.** {escape_markdown(' '.join(sentences))}\n"


def _is_of_change(results: StudyResults, outcome: str) -> bool:
    headline = results.settings.estimate.headline
    row = ran(results, headline.design, outcome, headline.spec)
    return row is None or measures_change(row)


def _headline(results: StudyResults, outcome: str) -> Effect | None:
    """Return the headline effect, or None where it has no interval."""
    headline = results.settings.estimate.headline
    effect = find_effect(results, outcome, headline.design, headline.spec)
    return None if effect is None or math.isnan(effect.conf_low) else effect


def _label(results: StudyResults, outcome: str) -> str:
    return results.plain_name(outcome)


def _effects(results: StudyResults, names: list[str]) -> str:
    exhibit, headline = results.settings.exhibit, results.settings.estimate.headline
    level = f"{100 * conf_level(results):g}"
    said = "; ".join(f"{_label(results, name)}, {_effect(results, name)}" for name in names)
    return say(
        "summary.effects",
        programme=_programme(results),
        firms=exhibit.firms,
        design_label=results.settings.design_label(headline.design),
        level=level,
        said=said,
    )


def _programme(results: StudyResults) -> str:
    """Return what the programme is called, and which of its arms the effects are of."""
    programme = results.settings.exhibit.programme
    if results.arm is None:
        return programme
    arm = results.settings.arm_label(results.arm)
    return say("summary.of_arm", programme=programme, arm=arm)


def _effect(results: StudyResults, name: str) -> str:
    outcome, effect = results.settings.outcome(name), _headline(results, name)
    if effect is None:
        return (
            say("summary.not_observed", reason=outcome.reason)
            if outcome.reason
            else _without_interval(results, name)
        )
    value, low, high = translated(effect)
    found = verdict(results, name, study_cautions(results))
    return say(
        "summary.effect",
        value=value,
        translated_unit=translated_unit(effect),
        low=low,
        high=high,
        sure="" if found is None else uncapitalised(sure_words(found)),
    )


def _without_interval(results: StudyResults, name: str) -> str:
    """Return why the headline effect has no interval, after the estimate where there is one."""
    headline = results.settings.estimate.headline
    effect = find_effect(results, name, headline.design, headline.spec)
    reason = "" if effect is None else missing_reason(effect)
    if effect is None or math.isnan(effect.estimate):
        return (
            say("summary.not_estimated_because", reason=reason)
            if reason
            else say("summary.not_estimated")
        )
    value = translated_value(effect, effect.estimate)
    unit = translated_unit(effect)
    return say("summary.without_interval", value=value, translated_unit=unit, reason=reason)


def _cautions(results: StudyResults, names: list[str]) -> list[str]:
    """Return what must be known of the headline effects, worst first; what passed is not told."""
    told = [c for c in study_cautions(results) if c.outcome is None or c.outcome in names]
    return [
        say("summary.caution", severity=severity_word(said.severity), sentence=said.sentence)
        for said in cautions_said(results, told)
        if said.severity != "passed"
    ]


def _pre_trends(results: StudyResults, names: list[str]) -> str:
    """Return the p-values of the joint tests, and of whom there are none and why."""
    found = {name: headline_pre_trends(results, name) for name in names}
    said = {
        "tested": [_tested(results, name) for name in names if found[name].seen == "tested"],
        "untested": [
            f"{_label(results, name)} ({missing_test_reason(found[name].test)})"
            for name in names
            if found[name].seen == "untested"
        ],
        "unseen": [_label(results, name) for name in names if found[name].seen == "nothing"],
        "hidden": [_label(results, name) for name in names if found[name].seen == "hidden"],
    }
    tested = "pre_trends_tested_varying" if _varies(results, names) else "pre_trends_tested"
    told = {
        "tested": lambda seen: say(f"summary.{tested}", seen="; ".join(seen)),
        "untested": lambda seen: say("summary.pre_trends_untested", untested=", ".join(seen)),
        "unseen": lambda seen: say("summary.pre_trends_unseen", unseen=", ".join(seen)),
        "hidden": lambda seen: say("summary.pre_trends_not_published", hidden=", ".join(seen)),
    }
    parts = [told[kind](seen) for kind, seen in said.items() if seen]
    return say("summary.pre_trends", parts="; ".join(parts))


def _tested(results: StudyResults, name: str) -> str:
    found = headline_pre_trends(results, name)
    shown = rounding.positive(found.test.p_value, 2)
    zero = rounding.reads_zero(found.test.p_value, 2)
    p_words = f"p {shown}" if zero else f"p = {shown}"
    partial = found.told_years
    return f"{_label(results, name)}, {p_words}{f' ({partial})' if partial else ''}"


def _varies(results: StudyResults, names: list[str]) -> bool:
    headline = results.settings.estimate.headline
    return all(is_varying(r) for r in ran_on(results, headline.spec, [headline.design], names))
