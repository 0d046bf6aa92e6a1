"""Read ESTIMATES of any revision: what earlier ones wrote into names stands in columns today."""

import pandas as pd

from pipeline.datasets.results import TERM

_COORDINATES = TERM[1:]

# Families whose brackets held the size that firms are weighted by.
_SIZED = ("att_by", "total")


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
