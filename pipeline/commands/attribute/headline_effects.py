"""The effects that a study quotes first: from any table of estimates, or estimated here."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.analyses.specs import estimate_specs
from pipeline.commands.arms_in_memory import match_arms
from pipeline.commands.explore import headline_only
from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.store import Dataset, as_stored
from pipeline.params.inference_methods import primary_methods
from pipeline.params.study import StudySection

# What rows about all firms have in these columns.
_ALL = ("sample", "grouping", "subgroup")

# Settings that name things for readers, or that only what stands beside the effects depends on.
_SILENT = frozenset({"label", "labels", "family", "relevant"})
_BESIDE = {"estimate": ("power", "match_orders"), "match": ("balance",)}


@dataclass(frozen=True)
class HeadlineEffect:
    """Hold one effect with its interval; NaN where it is not estimated."""

    estimate: float = math.nan
    std_error: float = math.nan
    conf_low: float = math.nan
    conf_high: float = math.nan

    @property
    def half_width(self) -> float:
        """Return half the length of the interval."""
        return (self.conf_high - self.conf_low) / 2


def headline_key(arm: str, outcome: str, study: StudySection) -> str:
    """Return what an arm's effect on an outcome goes by: in the headline's arm the outcome."""
    return outcome if arm == study.treatment.headline_arm else f"{arm}: {outcome}"


def headline_effects(
    tables: Mapping[str, pd.DataFrame], study: StudySection
) -> dict[str, HeadlineEffect]:
    """Return the headline's effect on each outcome that the programme may move, in every arm.

    `tables` holds ESTIMATES by arm, as a stage wrote it or as it was published.
    """
    return {
        headline_key(arm, name, study): effect
        for arm, table in tables.items()
        for name, effect in _of_arm(table, arm, study).items()
    }


def _of_arm(table: pd.DataFrame, arm: str, study: StudySection) -> dict[str, HeadlineEffect]:
    chosen = study.estimate.headline
    place = {"design": chosen.design, "estimator": chosen.spec, "term": chosen.term, "arm": arm}
    place |= dict.fromkeys(_ALL, "all") | {"band": "pointwise"}
    rows = table[(table[list(place)] == pd.Series(place)).all(axis=1)]
    rows = rows[rows["inference"].isin(primary_methods())].set_index("outcome")
    figures = rows[list(HeadlineEffect.__annotations__)].astype(float).to_dict("index")
    return {
        name: HeadlineEffect(**{str(k): v for k, v in figures[name].items()})
        if name in figures
        else HeadlineEffect()
        for name in study.outcomes.intended
    }


def estimated_headlines(
    cleaned: Mapping[Dataset, pd.DataFrame],
    study: StudySection,
    brought: dict[str, pd.DataFrame],
) -> dict[str, HeadlineEffect]:
    """Return every arm's headline effects, in memory; raises what the stages raise.

    An arm without support has none.
    """
    arms, tables = match_arms(cleaned, headline_only(study), brought), {}
    for arm, found in arms.by_arm.items():
        with arms.tried.trying(arm):
            tables[arm] = as_stored(ESTIMATES, estimate_specs(found.study).estimates)
    return headline_effects(tables, study)


def entering(study: StudySection) -> str:
    """Return, as text to compare, every setting that the headline's effects depend on."""
    only = headline_only(study).model_dump(mode="json", exclude={"exhibit"}, warnings=False)
    for section, names in _BESIDE.items():
        for name in names:
            del only[section][name]
    if study.treatment.arms is not None:
        del only["treatment"]["arms"]["contrasts"]
    if study.estimate.headline.design != "unmatched":
        del only["score"]["unmatched"]
    return json.dumps(_without_silent(only), sort_keys=True)


def _without_silent(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_silent(child) for k, child in value.items() if k not in _SILENT}
    if isinstance(value, list):
        return [_without_silent(child) for child in value]
    return value
