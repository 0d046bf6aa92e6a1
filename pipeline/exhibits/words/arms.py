"""What arms, exposures and sums of effects are called; what is said of who else was affected."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from pipeline.datasets.exposure import CLEAN
from pipeline.exhibits.arms import (
    ArmSum,
    Sums,
    arm_effect,
    arm_sums,
    direct_arms,
    exposed_arms,
    exposures_summed,
    given_up,
    is_exposed,
)
from pipeline.exhibits.checks.cautions import study_cautions
from pipeline.exhibits.checks.verdicts import verdict
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import translated, translated_unit
from pipeline.exhibits.ran import arms_ran, arms_rule_ran
from pipeline.exhibits.render import rounding
from pipeline.exhibits.shown_outcomes import card_outcomes
from pipeline.exhibits.words.designs import design_pool, uncapitalised
from pipeline.exhibits.words.language import MINUS, join_words, say, tell
from pipeline.exhibits.words.verdicts import clauses, signed_value

_Mark = Callable[[str], str]

# From so many exposures on sums of effects name theirs.
_SEVERAL = 2


def estimand_words(effects: Iterable[Effect]) -> str:
    """Return of what effects are, each once; empty where there are none."""
    codes = dict.fromkeys(effect.estimand for effect in effects if effect.estimand)
    return join_words([say(f"estimand.{code}") for code in codes])


def pool_of_arms(results: StudyResults) -> str:
    """Return whom every arm is compared with, under the headline's design."""
    return design_pool(results, results.settings.estimate.headline.design)


def sum_label(results: StudyResults, of: ArmSum) -> str:
    """Return what a sum of effects is called; with its exposure where there are several."""
    label = say("arm_contrasts.of_all") if of.of_all else results.settings.arm_label(of.contrast)
    if not of.exposure or exposures_summed(results) < _SEVERAL:
        return label
    return f"{label}, {uncapitalised(results.settings.arm_label(of.exposure))}"


def weights_words(results: StudyResults, sums: Iterable[ArmSum]) -> list[str]:
    """Say of which effects contrasts of params are sums: `Difference: Training − Credit`."""
    named: Mapping[str, Any] = arms_rule_ran(results).get("contrasts", {})
    told = [
        f"{results.settings.arm_label(of.contrast)}: {_weighted(results, named[of.contrast])}"
        for of in sums
        if of.estimand == "contrast" and of.contrast in named
    ]
    return [say("arm_contrasts.weights", sums="; ".join(told))] if told else []


def _weighted(results: StudyResults, weights: Mapping[str, float]) -> str:
    """Return a sum of arms as readers write it: a minus for a negative weight, no 1."""
    parts: list[str] = []
    for arm, weight in weights.items():
        size = "" if abs(weight) == 1 else f"{rounding.general(abs(weight))} "
        sign = MINUS if weight < 0 else "+" if parts else ""
        parts.append(f"{sign} {size}{results.settings.arm_label(arm)}".strip())
    return " ".join(parts)


def exposure_words(results: StudyResults, name: str, measure: str) -> str:
    """Return what an exposure measures; its name too where another measures the same."""
    words = say(f"exposure_measure.{measure}")
    exposed = results.exposed
    assert exposed is not None, "told of a study with exposures"
    alike = exposed.loc[exposed["measure"] == measure, "exposure"].nunique() > 1
    return f"{words}, {results.settings.arm_label(name)}" if alike else words


def class_words(results: StudyResults, row: Mapping[Hashable, Any]) -> str:
    """Return what a class of an exposure is called: the label of its arm, or its bounds."""
    if row["class"] == CLEAN:
        return say("exposed.clean")
    for arm, rule in arms_ran(results).items():
        of = (rule.options.get("exposure"), rule.options.get("classes"))
        if of == (row["exposure"], [row["class"]]):
            return results.settings.arm_label(arm)
    return _bounds(row)


def _bounds(row: Mapping[Hashable, Any]) -> str:
    if pd.isna(row["above"]):
        return say("exposed.any_class")
    above = rounding.general(float(row["above"]))
    if pd.isna(row["up_to"]):
        return say("exposed.class_above", above=above)
    return say("exposed.class_between", above=above, up_to=rounding.general(float(row["up_to"])))


def others_sentences(results: StudyResults, mark: _Mark = str) -> list[str]:
    """Say what was found of firms that did not take part, and over all; none without such arms.

    By the fixed words of verdicts, with the cautions of each arm.
    """
    told = _told_of(results, exposed_arms(results), mark)
    if not told:
        return []
    told += [
        say("others.of_arm", arm=mark(results.settings.arm_label(arm)), clauses=tell(reason))
        for arm, reason in given_up(results).items()
        if is_exposed(results, arm)
    ]
    return [say("others.answer", classes=" ".join(told)), *_overall(results)]


def arms_sentences(results: StudyResults, mark: _Mark = str) -> list[str]:
    """Say what was found of each arm of participants, and which declared contrasts exclude zero.

    None where fewer than two have an effect.
    """
    told = _told_of(results, direct_arms(results), mark)
    return [*told, *_contrasts(results)] if len(told) > 1 else []


def _told_of(results: StudyResults, arms: Iterable[str], mark: _Mark) -> list[str]:
    """Return a sentence for each arm of which some effect has an interval."""
    return [
        say("others.of_arm", arm=mark(results.settings.arm_label(arm)), clauses=said)
        for arm in arms
        if (said := _clauses_of(results, arm, mark))
    ]


def _clauses_of(results: StudyResults, arm: str, mark: _Mark) -> str:
    """Return how sure one may be of an arm's effects on the outcomes with a card."""
    own = results.arms[arm]
    cautions, found = study_cautions(own), {}
    for name in card_outcomes(results):
        one, effect = verdict(own, name, cautions), arm_effect(results, arm, name)
        found[name] = None if one is None or effect is None else replace(one, effect=effect)
    return clauses(own, found, mark, with_ends=True) if any(found.values()) else ""


def _overall(results: StudyResults) -> list[str]:
    """Return the effect over participants and exposed together, where there is one exposure."""
    sums = list(_kind(arm_sums(results), "overall").values())
    told = _with_intervals(results, sums[0]) if len(sums) == 1 else ""
    return [say("others.overall", effects=told)] if told else []


def _kind(sums: Sums, estimand: str) -> Sums:
    return {of: found for of, found in sums.items() if of.estimand == estimand}


def _with_intervals(results: StudyResults, effects: Mapping[str, Effect]) -> str:
    """Return `Sales +4.2 percent [2.1 to 6.3]` of the outcomes with a card."""
    return "; ".join(
        f"{results.plain_name(name)} {effect_with_interval(results, effects[name])}"
        for name in card_outcomes(results)
        if name in effects and effects[name].estimated
    )


def effect_with_interval(results: StudyResults, effect: Effect) -> str:
    """Return `+4.2 percent [2.1 to 6.3]`."""
    _, low, high = translated(effect)
    value = signed_value(results, effect, effect.estimate)
    unit = translated_unit(effect)
    return say("page.effect_with_interval", value=value, unit=unit, low=low, high=high)


def _contrasts(results: StudyResults) -> list[str]:
    """Return how many contrasts there are, and those that exclude zero with their intervals."""
    effects = {
        (results.settings.arm_label(of.contrast), name): own[name]
        for of, own in _kind(arm_sums(results), "contrast").items()
        for name in card_outcomes(results)
        if name in own and own[name].estimated
    }
    clear = {of: e for of, e in effects.items() if not e.conf_low <= 0 <= e.conf_high}
    if not effects:
        return []
    if not clear:
        return [say("others.no_contrast", n=len(effects))]
    named = "; ".join(
        f"{label}, {results.plain_name(name)} {effect_with_interval(results, effect)}"
        for (label, name), effect in clear.items()
    )
    return [say("others.contrasts", n=len(effects), clear=len(clear), named=named)]
