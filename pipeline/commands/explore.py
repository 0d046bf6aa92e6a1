"""Try settings out: balance and headline effects for changed parameters, in memory.

Starts from the cleaned panel, so that whatever is changed from the treatment on takes effect;
nothing is written, and nothing of DVC is touched.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.analyses.specs import estimate_specs
from pipeline.commands.arms_in_memory import match_arms
from pipeline.datasets.store import Dataset
from pipeline.errors import ParamsError
from pipeline.matching.balance import measure_balance
from pipeline.matching.designs import Matched
from pipeline.matching.losses import shortage_lines
from pipeline.params.analyses import Analyses
from pipeline.params.arms import ONLY_ARM
from pipeline.params.settings import nearest_known
from pipeline.params.study import StudySection

# Settings that `clean` has used up.
_CLEANED = (
    "data",
    "clean",
    *(f"treatment.{key}" for key in ("entry", "leave_out_entry_years", "arms", "exposure")),
)

_COUNTS = ("n_treated", "n_treated_matched", "n_comparison_distinct", "ess")
_TERM = ["covariate", "category"]
_KEPT = ["in_score", "mean_treated", "mean_control", "std_diff", "variance_ratio"]
_EFFECT = ["outcome", "estimand", "estimate", "std_error", "conf_low", "conf_high", "n_obs"]


def changed(block: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a study's block with settings replaced, given as `match.designs.x.caliper_sd`.

    Raises ParamsError where a path leads through a key that does not exist, with the nearest one,
    and for settings of the cleaned panel, which would change nothing here. Whether the last key is
    a setting is for the section's model to say.
    """
    new = copy.deepcopy(block)
    for path, value in changes.items():
        if any(f"{path}.".startswith(f"{cleaned}.") for cleaned in _CLEANED):
            raise ParamsError(
                f"{path} acts on the panel, which exploring takes as it was cleaned: edit "
                "params.yaml and run `dvc repro`"
            )
        *parents, last = path.split(".")
        place = new
        for depth, key in enumerate(parents):
            if not isinstance(place.get(key), dict):
                where = ".".join(parents[: depth + 1])
                raise ParamsError(f"{where} is not a setting{nearest_known(key, list(place))}")
            place = place[key]
        place[last] = value
    return new


@dataclass(frozen=True)
class Explored:
    """Hold what the headline design becomes: firms matched, balance, effects of an arm."""

    arm: str
    design: str
    matched: dict[str, float]
    shortages: list[str]
    balance: pd.DataFrame
    effects: pd.DataFrame


def explore(
    cleaned: Mapping[Dataset, pd.DataFrame], study: StudySection, arm: str | None = None
) -> Explored:
    """Return balance, matched firms and effects of the headline design, of one arm.

    `cleaned` are the tables of `cleaned_by`. Without a name the arm is that of the headline. Only
    the headline's spec and design are estimated, so that an answer takes seconds. Raises
    ParamsError for an arm that the study has not, SupportError for one without support.
    """
    only, design = headline_only(study), study.estimate.headline.design
    chosen = study.treatment.one_arm(arm)
    found = match_arms(cleaned, only, only=[chosen]).arm(chosen)
    balance = measure_balance(found.firm_stacks, only.score, only.match)
    return Explored(
        arm=chosen,
        design=design,
        matched=_counts(found.matched, design),
        shortages=list(shortage_lines(found.matched.counts, found.matched.losses)),
        balance=_before_and_after(balance, design),
        effects=_average_effects(estimate_specs(found.study).estimates, design),
    )


def explored_text(found: Explored) -> str:
    """Return what exploring found, as a terminal shows it."""
    counts = found.matched
    arm = "" if found.arm == ONLY_ARM else f"Arm {found.arm}. "
    matched = (
        f"{arm}Design {found.design}: {counts['n_treated_matched']:.0f} of "
        f"{counts['n_treated']:.0f} treated firms, {counts['n_comparison_distinct']:.0f} "
        f"comparison firms (effective {counts['ess']:.1f})"
    )
    named = found.balance.fillna({"category": ""}).set_index(_TERM)
    balance = named.to_string(float_format="{:.3f}".format)
    effects = found.effects.to_string(index=False, float_format="{:.4f}".format, na_rep="-")
    return (
        "\n".join([matched, *(f"  {line}" for line in found.shortages)])
        + f"\n\nBalance\n{balance}\n\nEffects\n{effects}\n"
    )


def headline_only(study: StudySection) -> StudySection:
    """Return the study with the headline's spec, design and score model alone."""
    headline = study.estimate.headline
    spec = next(spec for spec in study.estimate.specs if spec.name == headline.spec)
    alone = spec.only_average(headline.design)
    designs = {n: d for n, d in study.match.designs.items() if n == headline.design}
    used = {design.score for design in designs.values()}
    models = {name: model for name, model in study.score.models.items() if name in used}
    bare = {"specs": [alone], "analyses": Analyses(), "romano_wolf": None}
    return study.model_copy(
        update={
            "estimate": study.estimate.model_copy(update=bare),
            "match": study.match.model_copy(update={"designs": designs}),
            "score": study.score.model_copy(update={"models": models}),
            "treatment": study.treatment.model_copy(update={"pools": {}}),
        }
    )


def _counts(matched: Matched, design: str) -> dict[str, float]:
    counts = matched.counts
    together = counts[(counts["design"] == design) & (counts["stack"] == "all")].iloc[0]
    return {name: float(together[name]) for name in _COUNTS}


def _before_and_after(balance: pd.DataFrame, design: str) -> pd.DataFrame:
    rows = balance[(balance["design"] == design) & (balance["stack"] == "all")]
    before, after = (rows[rows["sample"] == sample] for sample in ("before", "after"))
    shown = after[[*_TERM, *_KEPT]].merge(
        before[[*_TERM, "std_diff"]], on=_TERM, how="left", suffixes=("", "_before")
    )
    shown.insert(5, "std_diff_before", shown.pop("std_diff_before"))
    return shown


def _average_effects(estimates: pd.DataFrame, design: str) -> pd.DataFrame:
    rows = estimates[(estimates["design"] == design) & (estimates["term"] == "att")]
    return rows[_EFFECT]
