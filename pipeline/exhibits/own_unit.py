"""The effect in the outcome's own unit, where an estimate says it: never a log effect on a mean."""

import math
from dataclasses import dataclass

import numpy as np

from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.words.findings import headline_effect
from pipeline.params.outcomes import Outcome


@dataclass(frozen=True)
class OwnUnit:
    """Hold estimate and interval in a unit; `firms` counts firms among all treated ones."""

    value: float
    low: float
    high: float
    unit: str
    of_firms: float = math.nan


def own_unit_effect(results: StudyResults, outcome: str) -> OwnUnit | None:
    """Return the effect on an outcome in its own unit; None where no estimate says it.

    Of a share the firms among the treated; of a log that of the same column as a level, else by
    Poisson; of a level nothing more, since its effect is in its unit.
    """
    chosen, effect = results.settings.outcome(outcome), headline_effect(results, outcome)
    if effect is None or math.isnan(effect.conf_low) or chosen.transform == "level":
        return None
    if chosen.transform == "any":
        return _firms(effect)
    for transform, told in (("level", _level), ("proportional", _proportional)):
        for name, other in results.settings.outcomes.intended.items():
            if other.column == chosen.column and other.transform == transform:
                found = told(results, name, other)
                if found is not None:
                    return found
    return None


def _firms(effect: Effect) -> OwnUnit | None:
    n_firms = effect.n_treated
    if math.isnan(n_firms):
        return None
    value, low, high = (n_firms * e for e in (effect.estimate, effect.conf_low, effect.conf_high))
    return OwnUnit(value, low, high, "", n_firms)


def _level(results: StudyResults, name: str, outcome: Outcome) -> OwnUnit | None:
    effect = headline_effect(results, name)
    if effect is None or math.isnan(effect.conf_low):
        return None
    return OwnUnit(effect.estimate, effect.conf_low, effect.conf_high, outcome.unit)


def _proportional(results: StudyResults, name: str, outcome: Outcome) -> OwnUnit | None:
    """Return what a ratio exp(b) makes of the treated's mean M after entry: M (1 - exp(-b))."""
    effect, mean = headline_effect(results, name), _mean_after(results, name)
    if effect is None or math.isnan(effect.conf_low) or math.isnan(mean):
        return None
    ends = (effect.estimate, effect.conf_low, effect.conf_high)
    value, low, high = (-mean * math.expm1(-end) for end in ends)
    return OwnUnit(value, low, high, outcome.unit)


def _mean_after(results: StudyResults, name: str) -> float:
    rows, design = results.paths, results.settings.estimate.headline.design
    chosen = rows[(rows["outcome"] == name) & (rows["design"] == design) & rows["treated"]]
    after = chosen.loc[chosen["event_time"] >= 0, "mean"].to_numpy(float, na_value=np.nan)
    return float(after.mean()) if len(after) else math.nan
