"""Which counts of the sample moved: cleaning steps, and firms in and out of each design."""

from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.matches import UNMATCHED
from pipeline.exhibits.words.steps import step_words
from pipeline.params.arms import ONLY_ARM

# Columns of MATCHED that are compared, and their words.
_SELECTION = {
    "n_treated": "treated in a risk set",
    "n_comparison": "comparison in a risk set",
    "n_treated_matched": "treated in the design",
    "n_comparison_used": "comparison in the design",
}
_UNMATCHED = "treated off support or without a match"
# Columns of ARM_FLOW that are compared, and their words.
_ARM_FLOW = {
    "n_listed": "firms listed",
    "n_joint": "in an arm for several",
    "n_after_another": "in another arm before",
    "n_until": "until they enter another",
    "n_entrants": "firms that stay",
}
_CLEANING = {
    "firm_years_lost": "rows lost",
    "firms_lost": "firms lost",
    "firm_years": "rows left",
    "firms": "firms left",
    "treated_firms": "treated left",
    "comparison_firms": "comparison left",
}


@dataclass(frozen=True)
class MovedCount:
    """Hold one count before and after; None where the step was not there."""

    name: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class DesignTables:
    """Hold the published MATCHED and LOSSES of one arm; empty where none."""

    matched: pd.DataFrame
    losses: pd.DataFrame


@dataclass(frozen=True)
class SampleTables:
    """Hold the published counts of one state: SAMPLE_FLOW, designs by arm, ARM_FLOW, EXPOSED.

    Tables are empty where there are none.
    """

    flow: pd.DataFrame
    designs: dict[str, DesignTables]
    arm_flow: pd.DataFrame
    exposed: pd.DataFrame


def moved_counts(old: SampleTables, new: SampleTables) -> list[MovedCount]:
    """Return the counts that differ; those of arms and designs where both states have them."""
    before, after = _cleaning(old.flow), _cleaning(new.flow)
    for one, two in ((_of_arms(old), _of_arms(new)), (_of_exposed(old), _of_exposed(new))):
        if one and two:
            before, after = before | one, after | two
    for arm in new.designs:
        if len(new.designs[arm].matched) and arm in old.designs and len(old.designs[arm].matched):
            before |= _selection(arm, old.designs[arm])
            after |= _selection(arm, new.designs[arm])
    names = [*after, *(name for name in before if name not in after)]
    return [
        MovedCount(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _of_arms(tables: SampleTables) -> dict[str, int]:
    """Return the firms of each arm; those not published are left out."""
    return {
        f"arm {row['arm']}: {words}": int(row[name])
        for row in tables.arm_flow.to_dict("records")
        for name, words in _ARM_FLOW.items()
        if pd.notna(row[name])
    }


def _of_exposed(tables: SampleTables) -> dict[str, int]:
    """Return the firms of each class of exposure; those not published are left out."""
    return {
        f"exposure {row['exposure']}, class {row['class']}: firms": int(row["n_firms"])
        for row in tables.exposed.to_dict("records")
        if pd.notna(row["n_firms"])
    }


def _cleaning(flow: pd.DataFrame) -> dict[str, int]:
    """Return each step's counts; steps are known by their rule, because numbers shift.

    An earlier version wrote rules in words.
    """
    rules = step_words(flow) if "rule_fields" in flow.columns else flow.get("rule", [])
    return {
        f"{rule}: {words}": int(row[name])
        for rule, row in zip(rules, flow.to_dict("records"), strict=True)
        for name, words in _CLEANING.items()
        if pd.notna(row[name])  # not published where it tells of few firms
    }


def _selection(arm: str, tables: DesignTables) -> dict[str, int]:
    """Return each design's counts in an arm over all entry years; hidden ones are left out."""
    counts = tables.matched[tables.matched["stack"] == "all"]
    lost = tables.losses
    lost = lost[(lost["stack"] == "all") & (lost["reason"] == UNMATCHED)]
    found = {
        (str(row["design"]), words): row[name]
        for row in counts.to_dict("records")
        for name, words in _SELECTION.items()
    }
    found |= {(str(row["design"]), _UNMATCHED): row["n_firms"] for row in lost.to_dict("records")}
    return {
        f"{'' if arm == ONLY_ARM else f'{arm}, '}{design}: {words}": int(number)
        for (design, words), number in found.items()
        if pd.notna(number)
    }
