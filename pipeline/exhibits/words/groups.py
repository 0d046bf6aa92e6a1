"""What groups of firms are called, and which columns firms are grouped and weighted by."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import rested_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import say


def group_words(group: Mapping[Hashable, Any]) -> str:
    """Return what a row of GROUPS is called: the user's words, else its value or its edges."""
    if not pd.isna(group["label"]):
        return str(group["label"])
    if group["transform"] in ("category", "entry_year"):
        return str(group["subgroup"])
    if group["transform"] == "any":
        return say("group_of.above_zero") if group["position"] > 1 else say("group_of.zero")
    if pd.isna(group["low"]):
        return say("group_of.below", high=rounding.general(group["high"]))
    if pd.isna(group["high"]):
        return say("group_of.from", low=rounding.general(group["low"]))
    low, high = rounding.general(group["low"]), rounding.general(group["high"])
    return say("group_of.between", low=low, high=high)


def columns_read(results: StudyResults, analysis: str, labels: Mapping[str, str]) -> list[str]:
    """Say which column each grouping or size is read from and when, by the label of each."""
    read = [
        say(
            "note.column_read",
            label=label,
            column=row.code("column"),
            at=rounding.fixed(row.number("column_event_time"), 0),
        )
        for name, label in labels.items()
        for row in rested_on(results, analysis, grouping=name)
        if row.has("column")
    ]
    return [say("note.columns_read", columns="; ".join(read))] if read else []
