"""Name the columns of today's keyed tables as the frozen single numbers are named.

Each was one number with a name, `caliper[2009]`: here a family and what it is `of`.
"""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

COLUMNS = ["stage", "design", "outcome", "family", "of", "value"]

_LOSSES = {
    "unmatched": "n_treated_unmatched",
    "left_over": "n_treated_left_over",
    "with_fewer": "n_treated_with_fewer",
    "cell_without_comparison": "n_treated_in_cells_without_comparison",
    "without_cell": "n_without_cell",
}
# Of MATCHED, what only all stacks together have, or only one stack, or a design with cells.
_IN_PLACES = (
    "share_comparison_in_treated_clusters",
    "n_comparison_distinct",
    "n_comparison_reused",
    "max_reuse",
    "cells_without_comparison",
    "caliper",
    "max_distance",
)


def stacks(rows: pd.DataFrame) -> pd.DataFrame:
    """Return STACKS by name."""
    return _long(rows, ["stack"]).assign(design="all", of=lambda long: long["stack"].astype(str))


def score_losses(rows: pd.DataFrame) -> pd.DataFrame:
    """Return SCORE_LOSSES by name."""
    long = _long(rows, ["model", "stack", "treated"])
    group = long["treated"].map({True: "treated", False: "comparison"})
    return long.assign(
        design=long["model"],
        family=group + long["family"].str.removeprefix("n"),
        of=long["stack"].astype(str),
    )


def matched(rows: pd.DataFrame) -> pd.DataFrame:
    """Return MATCHED by name; a figure that does not apply had none."""
    long = _long(rows, ["design", "stack"])
    applies = long["value"].notna() | ~long["family"].isin(_IN_PLACES)
    return long[applies].assign(of=_stack)


def losses(rows: pd.DataFrame) -> pd.DataFrame:
    """Return LOSSES by name."""
    return rows.assign(family=rows["reason"].map(_LOSSES), of=_stack, value=rows["n_firms"])


def balance_summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of BALANCE_SUMMARY by name."""
    long = _long(rows.drop(columns="reason", errors="ignore"), ["design", "sample"])
    return long.assign(family=long["family"] + "_" + long["sample"], of="")


# Stage and name of a table: how it was named.
TABLES: dict[tuple[str, str], Callable[[pd.DataFrame], pd.DataFrame]] = {
    ("score", "stacks"): stacks,
    ("score", "score_losses"): score_losses,
    ("match", "matched"): matched,
    ("match", "losses"): losses,
    ("balance", "balance_summary"): balance_summary,
}


def keyed_facts(read: Callable[[str, str], pd.DataFrame | None]) -> pd.DataFrame:
    """Return the numbers of the tables that `read` finds by stage and name."""
    parts = [pd.DataFrame(columns=COLUMNS)]
    for (stage, name), named in TABLES.items():
        rows = read(stage, name)
        if rows is not None and len(rows):
            found = named(rows).assign(stage=stage)
            parts.append(found.assign(outcome=found.get("outcome", "all"))[COLUMNS])
    return pd.concat(parts, ignore_index=True)


def of_folder(study: Path) -> pd.DataFrame:
    """Return the numbers of the tables under a study's private folder."""

    def read(stage: str, name: str) -> pd.DataFrame | None:
        path = study / stage / f"{name}.parquet"
        return pd.read_parquet(path) if path.exists() else None

    return keyed_facts(read)


def _long(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    values = [name for name in rows.columns if name not in key]
    return rows.astype(dict.fromkeys(values, "Float64")).melt(key, values, "family", "value")


def _stack(rows: pd.DataFrame) -> "pd.Series[str]":
    return rows["stack"].replace("all", "")
