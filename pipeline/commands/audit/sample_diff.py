"""Which counts of the sample moved: cleaning steps, and firms in and out of each design."""

from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.matches import UNMATCHED
from pipeline.exhibits.words.steps import step_words

# Columns of MATCHED that are compared, and their words.
_SELECTION = {
    "n_treated": "treated in a risk set",
    "n_comparison": "comparison in a risk set",
    "n_treated_matched": "treated in the design",
    "n_comparison_used": "comparison in the design",
}
_UNMATCHED = "treated off support or without a match"
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
class SampleTables:
    """Hold the published SAMPLE_FLOW, MATCHED and LOSSES of one state; empty where none."""

    flow: pd.DataFrame
    matched: pd.DataFrame
    losses: pd.DataFrame


def moved_counts(old: SampleTables, new: SampleTables) -> list[MovedCount]:
    """Return the counts that differ; those of designs where both states have them."""
    before, after = _cleaning(old.flow), _cleaning(new.flow)
    if len(old.matched) and len(new.matched):
        before, after = before | _selection(old), after | _selection(new)
    names = [*after, *(name for name in before if name not in after)]
    return [
        MovedCount(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]


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


def _selection(tables: SampleTables) -> dict[str, int]:
    """Return each design's counts over all entry years; those not published are left out."""
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
        f"{design}: {words}": int(number)
        for (design, words), number in found.items()
        if pd.notna(number)
    }
