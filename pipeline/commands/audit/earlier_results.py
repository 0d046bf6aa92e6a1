"""Results as earlier revisions wrote them: groups by labels, terms with brackets."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from pipeline.datasets.results import TERM

# Families whose brackets held the size that firms are weighted by.
_SIZED = ("att_by", "total")

_COORDINATES = TERM[1:]
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


def typed_estimates(table: pd.DataFrame) -> pd.DataFrame:
    """Return committed ESTIMATES with the key of today and coordinates as integers.

    Earlier revisions wrote `event_bin[1,3]` and `total[jobs]` as terms, `size=10 or more` as a
    subgroup, and the reference period in a note. Their other notes are not read.
    """
    if table.empty:
        return table
    typed = table if "grouping" in table.columns else _from_names(table)
    return typed.astype(dict.fromkeys(_COORDINATES, "Int64"))


def _from_names(table: pd.DataFrame) -> pd.DataFrame:
    term = table["term"].str.partition("[")
    family, inside = term[0], term[2].str.removesuffix("]")
    ends = inside.where(family == "event_bin", "").str.partition(",")
    group = table["subgroup"].str.partition("=")
    return table.assign(
        arm="all",
        grouping=inside.where(family.isin(_SIZED), group[0]),
        subgroup=group[2].where(group[1] == "=", "all"),
        term=family,
        event_time=table["event_time"].fillna(pd.to_numeric(ends[0])),
        last_event_time=pd.to_numeric(ends[2]),
        reason=table["note"].map({"reference period": "reference_period"}),
    )
