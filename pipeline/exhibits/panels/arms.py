"""Who else was affected: the effect in each arm, those out of reach at zero, and sums of arms."""

import math
from dataclasses import replace

from pipeline.exhibits.arms import (
    arm_effect,
    arm_sums,
    direct_arms,
    exposed_arms,
    headline_arm,
)
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import translated_unit
from pipeline.exhibits.panels.rows import DrawnRow, rows_panel
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.arms import sum_label
from pipeline.exhibits.words.language import say

# Sums that are drawn under a heading of their own, with what stands there for them.
_HEADINGS = {
    "own": "others.own",
    "overall": "others.overall_row",
    "contrast": "arm_contrasts.contrast",
}


def arms_panel(results: StudyResults, outcome: str) -> str:
    """Draw every arm, then sums; nothing where fewer than two arms have an interval."""
    rows = arm_rows(results, outcome, in_short=True)
    effects = [row.effect for row in rows if row.effect is not None]
    if not effects:
        return ""
    described = say("page.arms_described", label=results.plain_name(outcome), n=len(effects))
    axis = say("page.effect_axis", unit=translated_unit(effects[0]))
    return rows_panel(rows, axis, described)


def arm_rows(results: StudyResults, outcome: str, *, in_short: bool = False) -> list[DrawnRow]:
    """Return participants, then the exposed, those that are compared at zero, then sums.

    `in_short` leaves out own effects of other arms than the headline's.
    """
    took_part = _arm_rows(results, direct_arms(results), outcome)
    exposed = _arm_rows(results, exposed_arms(results), outcome)
    if len(took_part) + len(exposed) < 2:
        return []
    return [
        *_headed("others.took_part", took_part),
        *_headed("others.did_not", [*exposed, *_compared(results, took_part or exposed)]),
        *(row for kind in _HEADINGS for row in _sum_rows(results, kind, outcome, in_short)),
    ]


def _headed(heading: str, rows: list[DrawnRow]) -> list[DrawnRow]:
    return [DrawnRow(say(heading)), *rows] if rows else []


def _arm_rows(results: StudyResults, arms: list[str], outcome: str) -> list[DrawnRow]:
    found = {arm: arm_effect(results, arm, outcome) for arm in arms}
    return [
        DrawnRow(
            results.settings.arm_label(arm),
            effect,
            _count(effect.n_treated),
            main=arm == headline_arm(results),
        )
        for arm, effect in found.items()
        if effect is not None and not math.isnan(effect.conf_low)
    ]


def _compared(results: StudyResults, arms: list[DrawnRow]) -> list[DrawnRow]:
    """Return the comparison firms of the first arm, whose effect is zero by construction."""
    effect = arms[0].effect
    assert effect is not None, "rows of arms have effects"
    at_zero = replace(effect, estimate=0.0, conf_low=0.0, conf_high=0.0)
    label = say("others.out_of_reach" if exposed_arms(results) else "others.in_no_arm")
    return [DrawnRow(label, at_zero, _count(effect.n_control), hollow=True)]


def _count(n_firms: float) -> str:
    return "" if math.isnan(n_firms) else rounding.whole(n_firms)


def _sum_rows(results: StudyResults, kind: str, outcome: str, in_short: bool) -> list[DrawnRow]:
    headline = headline_arm(results)
    known: list[tuple[str, Effect]] = [
        (sum_label(results, of), found[outcome])
        for of, found in arm_sums(results).items()
        if of.estimand == kind and outcome in found and found[outcome].estimated
        if not in_short or kind != "own" or of.contrast == headline
    ]
    return _headed(_HEADINGS[kind], [DrawnRow(label, effect) for label, effect in known])
