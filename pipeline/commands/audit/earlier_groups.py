"""Groups as earlier revisions named them: by the user's label, or English for their edges."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

_GROUP = ["design", "grouping", "subgroup"]


def with_codes(table: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Return ESTIMATES of an earlier revision with the codes that GROUPS of a later one gives.

    A group that the later one does not have keeps its name.
    """
    codes = {
        (row["design"], row["grouping"], earlier_name(row)): row["subgroup"]
        for row in groups.astype(object).to_dict("records")
    }
    keys = table[_GROUP].itertuples(index=False, name=None)
    return table.assign(subgroup=[codes.get(key, key[-1]) for key in keys])


def earlier_name(group: Mapping[Hashable, Any]) -> str:
    """Return what a row of GROUPS was called before groups had codes."""
    if not pd.isna(group["label"]):
        return str(group["label"])
    if group["transform"] in ("category", "entry_year"):
        return str(group["subgroup"])
    if group["transform"] == "any":
        return "above zero" if group["position"] > 1 else "zero"
    if pd.isna(group["low"]):
        return f"<{group['high']:g}"
    if pd.isna(group["high"]):
        return f"{group['low']:g} or more"
    return f"{group['low']:g} to <{group['high']:g}"
