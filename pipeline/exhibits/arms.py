"""Effects of every arm of a study under its headline's design and spec, and weighted sums of them.

Read from the results of each arm (`StudyResults.arms`) and from ARM_CONTRASTS; nothing where a
study has one arm.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pipeline.datasets.reasons import unpacked
from pipeline.datasets.results import ESTIMATES
from pipeline.effects.terms import ATT
from pipeline.errors import Reason
from pipeline.exhibits.effect import Effect, as_effect
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.ran import arms_ran, arms_rule_ran, conf_level
from pipeline.params.arms import ONLY_ARM

# What a sum of effects is of, in the order in which exhibits show it.
SUMS = ("own", "overall", "contrast")


@dataclass(frozen=True)
class ArmSum:
    """Say of what a weighted sum is: of an arm's own effect, of all together, or as params weigh.

    `exposure` is empty where the sum speaks of none.
    """

    estimand: str
    contrast: str
    exposure: str = ""

    @property
    def of_all(self) -> bool:
        """Say whether it is of every arm of participants."""
        return self.contrast == ONLY_ARM


Sums = dict[ArmSum, dict[str, Effect]]


def direct_arms(results: StudyResults) -> list[str]:
    """Return the arms of participants that have results, the headline's first."""
    named = [arm for arm in results.arms if not is_exposed(results, arm)]
    return sorted(named, key=lambda arm: arm != headline_arm(results))


def exposed_arms(results: StudyResults) -> list[str]:
    """Return the arms of exposed firms that have results, in the order of params."""
    return [arm for arm in results.arms if is_exposed(results, arm)]


def given_up(results: StudyResults) -> dict[str, Reason]:
    """Return why arms have no results, by their names; none where all have some."""
    flow = results.arm_flow
    rows = [] if flow is None else flow.to_dict("records")
    why = {str(row["arm"]): unpacked(row["reason"], row["reason_fields"]) for row in rows}
    named = ((arm, why.get(arm)) for arm in arms_ran(results))
    return {arm: reason for arm, reason in named if reason is not None}


def headline_arm(results: StudyResults) -> str | None:
    """Return the arm of the headline; None where a study names none."""
    named = arms_rule_ran(results).get("headline")
    return None if named is None else str(named)


def is_exposed(results: StudyResults, arm: str | None) -> bool:
    """Say whether an arm holds firms that do not take part themselves."""
    rule = arms_ran(results).get(arm or "")
    return rule is not None and rule.options["source"] == "exposure"


def arm_effect(results: StudyResults, arm: str, outcome: str) -> Effect | None:
    """Return an arm's average effect, with the decimals of the headline's; None without a row."""
    headline, own = results.settings.estimate.headline, results.arms.get(arm)
    if own is None:
        return None
    effect = find_effect(own, outcome, headline.design, headline.spec)
    return None if effect is None else replace(effect, decimals=results.decimals[outcome])


def arm_sums(results: StudyResults) -> Sums:
    """Return sums of average effects by outcome: own effects first, arms in the order of params."""
    headline, places = results.settings.estimate.headline, list(arms_ran(results))
    found: Sums = {}
    place = {"design": headline.design, "estimator": headline.spec, "term": ATT.family}
    for row in sum_rows(results, **place):
        effect = sum_effect(results, row)
        found.setdefault(sum_of(row), {})[str(row["outcome"])] = effect
    return {
        of: found[of]
        for kind in SUMS
        for of in sorted(found, key=lambda of: (*places, of.contrast).index(of.contrast))
        if of.estimand == kind
    }


def sum_rows(results: StudyResults, **key: str) -> list[dict[Hashable, Any]]:
    """Return the rows of ARM_CONTRASTS that agree with a part of its key, none without arms."""
    table = results.arm_contrasts
    if table is None or not results.arms:
        return []
    for name, value in key.items():
        table = table[table[name] == value]
    return table.to_dict("records")


def exposures_summed(results: StudyResults) -> int:
    """Return how many exposures sums of effects speak of."""
    table = results.arm_contrasts
    return 0 if table is None else table["exposure"].nunique()


def sum_of(row: Mapping[Hashable, Any]) -> ArmSum:
    """Return of what a row of ARM_CONTRASTS is."""
    exposure = "" if pd.isna(row["exposure"]) else str(row["exposure"])
    return ArmSum(str(row["estimand"]), str(row["contrast"]), exposure)


def sum_effect(results: StudyResults, row: Mapping[Hashable, Any]) -> Effect:
    """Return a row of ARM_CONTRASTS as an effect, on the scale of the arms' effects."""
    outcome = str(row["outcome"])
    of_arm = find_effect(results, outcome, str(row["design"]), str(row["estimator"]))
    scale = results.settings.outcome(outcome).scale if of_arm is None else of_arm.scale
    given = dict.fromkeys(ESTIMATES.columns, None) | {str(name): v for name, v in row.items()}
    given |= {"scale": scale, "conf_level": conf_level(results)}
    return replace(as_effect(given), decimals=results.decimals[outcome])
