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
_DECOMPOSED = {
    "share_already_treated": "bacon_already_treated",
    "decomposed_first_year": "bacon_first_year",
    "decomposed_last_year": "bacon_last_year",
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
    """Return SCORE_LOSSES by name; a loss that no setting asks for had no row."""
    long = _long(rows, ["model", "stack", "treated"])
    long = long[(long["family"] != "n_in_untreated_categories") | (long["value"] > 0)]
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
    """Return Rubin's figures of BALANCE_SUMMARY by name, of designs that have them."""
    key, rubin = ["design", "sample"], ["rubin_b", "rubin_r", "pseudo_r2"]
    conditioned = rows["rubin_b"].notna() | rows["reason"].notna()
    long = _long(rows.loc[conditioned, [*key, *rubin]], key)
    return long.assign(family=long["family"] + "_" + long["sample"], of="")


def samples(rows: pd.DataFrame) -> pd.DataFrame:
    """Return SAMPLES by name; what an empty sample, or one without sets, lacks had none."""
    return _long(rows, ["design", "outcome"]).dropna(subset="value").assign(of="")


def shared_clusters(rows: pd.DataFrame) -> pd.DataFrame:
    """Return SHARED_CLUSTERS by name."""
    return _long(rows, ["design"]).assign(of="")


def baselines(rows: pd.DataFrame) -> pd.DataFrame:
    """Return BASELINES by name."""
    family = rows["treated"].map({True: "baseline_mean_treated", False: "baseline_mean"})
    return rows.assign(family=family, of="", value=rows["mean"])


def zeros(rows: pd.DataFrame) -> pd.DataFrame:
    """Return ZEROS by name."""
    long = _long(rows, ["design", "outcome", "treated"])
    firms = long["family"].replace("n_(above|never)", r"n_firms_\1", regex=True)
    return long.assign(family=firms + "_" + _group(long), of="")


def concentration(rows: pd.DataFrame) -> pd.DataFrame:
    """Return CONCENTRATION by name; bands of shares follow from these."""
    shares = rows.drop(columns=["largest_firm_band", "largest_five_band"], errors="ignore")
    long = _long(shares, ["design", "outcome", "grouping", "treated"]).dropna(subset="value")
    by_size = long["grouping"] != "all"
    # Of weights by size only the largest firm's share was there to freeze.
    long = long[~by_size | (long["family"] == "largest_firm_share")]
    by_size = long["grouping"] != "all"
    family = long["family"].mask(by_size, "largest_size_share")
    of = long["grouping"].where(by_size, "")
    return long.assign(family=family + "_" + _group(long), of=of)


def grouping_losses(rows: pd.DataFrame) -> pd.DataFrame:
    """Return GROUPING_LOSSES by name."""
    what = rows["estimator"].map({"groups": "group", "size_weighted": "size"})
    family = "n_" + _group(rows) + "_without_" + what
    return rows.assign(family=family, of=rows["grouping"], value=rows["n_firms"])


def attrition(rows: pd.DataFrame) -> pd.DataFrame:
    """Return ATTRITION by name."""
    long = _long(rows, ["design", "treated", "event_time"])
    long = long[long["value"].notna() | (long["family"] != "share_alive")]
    of = long["event_time"].astype(str)
    return long.assign(family=long["family"] + "_" + _group(long), of=of, outcome="survival")


def fits(rows: pd.DataFrame) -> pd.DataFrame:
    """Return FITS by name; what does not apply had none."""
    long = _long(rows, ["design", "outcome", "estimator"]).dropna(subset="value")
    of = long["estimator"].mask(long["family"].str.startswith("att_"), "")
    return long.assign(family=long["family"].replace(_DECOMPOSED), of=of)


def detectable(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what DETECTABLE says of averages, by name."""
    rows = rows[rows["event_time"].isna()]
    number = rows["treated_clusters"].astype("Int64").astype("string")
    by_number = ("," + "treated_clusters=" + number).fillna("")
    grouped = rows["grouping"] != "all"
    of = (rows["estimator"] + by_number).mask(grouped, rows["grouping"])
    effects = rows.assign(family="mde", of=of, value=rows["effect"])
    effects.loc[grouped, "family"] = "detectable_difference"
    in_unit = rows.assign(family="mde_level", of=of, value=rows["effect_in_unit"])
    return pd.concat([effects, in_unit[rows["unit"].notna()]])


def pre_trend_power(rows: pd.DataFrame) -> pd.DataFrame:
    """Return PRE_TREND_POWER by name."""
    percent = (100 * rows["power"]).map("{:g}".format)
    of = rows["estimator"] + "," + percent
    columns = {"pre_trend_slope": "slope_jointly", "pre_trend_slope_any": "slope_by_any"}
    named = [rows.assign(family=f, of=of, value=rows[column]) for f, column in columns.items()]
    return pd.concat(named)


def decomposition(rows: pd.DataFrame) -> pd.DataFrame:
    """Return DECOMPOSITION by name."""
    of = rows["estimator"] + "," + rows["cohort"].astype(str) + "," + _never(rows["control"])
    named = [
        rows.assign(family=f"bacon_{column}", of=of, value=rows[column])
        for column in ("weight", "estimate")
    ]
    return pd.concat(named)


def decomposed_cohorts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return DECOMPOSED_COHORTS by name."""
    of = rows["estimator"] + "," + _never(rows["cohort"])
    return rows.assign(family="bacon_firms", of=of, value=rows["n_firms"])


def unit_dependence(rows: pd.DataFrame) -> pd.DataFrame:
    """Return UNIT_DEPENDENCE by name."""
    long = _long(rows, ["design", "outcome", "estimator", "term"])
    return long.assign(family=long["term"] + "_" + long["family"], of="")


# Stage and name of a table: how it was named.
TABLES: dict[tuple[str, str], Callable[[pd.DataFrame], pd.DataFrame]] = {
    ("score", "stacks"): stacks,
    ("score", "score_losses"): score_losses,
    ("match", "matched"): matched,
    ("match", "losses"): losses,
    ("balance", "balance_summary"): balance_summary,
    ("estimate", "samples"): samples,
    ("estimate", "shared_clusters"): shared_clusters,
    ("estimate", "baselines"): baselines,
    ("estimate", "zeros"): zeros,
    ("estimate", "concentration"): concentration,
    ("estimate", "grouping_losses"): grouping_losses,
    ("estimate", "attrition"): attrition,
    ("estimate", "fits"): fits,
    ("estimate", "detectable"): detectable,
    ("estimate", "pre_trend_power"): pre_trend_power,
    ("estimate", "decomposition"): decomposition,
    ("estimate", "decomposed_cohorts"): decomposed_cohorts,
    ("estimate", "unit_dependence"): unit_dependence,
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


def _group(rows: pd.DataFrame) -> "pd.Series[str]":
    return rows["treated"].map({True: "treated", False: "comparison"})


def _never(cohorts: pd.Series) -> "pd.Series[str]":
    return cohorts.astype("Int64").astype("string").fillna("never")


def _stack(rows: pd.DataFrame) -> "pd.Series[str]":
    return rows["stack"].replace("all", "")
