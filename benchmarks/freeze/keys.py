"""Turn the tables that stages write into frozen ones: typed keys as text, values as numbers.

The only module that knows how tables look today. When a schema changes, this module learns the
new form and the frozen files stay as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.freeze.facts import of_folder
from pipeline.commands.audit.earlier_results import earlier_name

TYPED = ("cohort", "year", "event_time", "last_event_time")
RESULT = ("outcome", "design", "sample", "estimator")
INTERVAL = ("conf_low", "conf_high", "conf_level")
COUNTS = ("n_treated", "n_control", "n_obs", "n_clusters", "n_treated_clusters")
DISTANCES = ("std_diff", "percent_bias", "variance_ratio", "ks_distance")


@dataclass(frozen=True)
class Table:
    """Describe one frozen table: where it is read, its key, its numbers, how it is made."""

    name: str
    key: tuple[str, ...]
    numbers: tuple[str, ...]
    read: Callable[[Path], pd.DataFrame]

    def of(self, study: Path) -> pd.DataFrame:
        """Return the table of one study's folder: key columns as text, numbers as floats."""
        frame = self.read(study)
        text = {name: _text(frame[name]) for name in self.key}
        values = {name: frame[name].astype("Float64").astype("float64") for name in self.numbers}
        made = pd.DataFrame({**text, **values}).sort_values(list(self.key), ignore_index=True)
        repeated = made.duplicated(list(self.key))
        if repeated.any():
            raise ValueError(f"{self.name}: {int(repeated.sum())} rows repeat the key {self.key}")
        return made


def estimates(study: Path) -> pd.DataFrame:
    """Return ESTIMATES with `family`, and groups named as they were frozen, `size=10 or more`.

    What the effect is weighted by stands in `of`; cohort and year imply event time.
    """
    rows = pd.read_parquet(study / "estimate" / "estimates.parquet")
    rows = _as_named(rows, study)
    sized = rows["term"].isin(["att_by", "total"])
    rows["family"], rows["of"] = rows["term"], rows["grouping"].where(sized, "")
    rows["subgroup"] = _groups(rows).where(~sized, "all").replace("", "all")
    rows.loc[rows["cohort"].notna() & rows["year"].notna(), "event_time"] = pd.NA
    return rows


def tests(study: Path) -> pd.DataFrame:
    """Return TESTS with what a test is `of` (a grouping, a group) in a column of its own."""
    rows = _as_named(pd.read_parquet(study / "estimate" / "tests.parquet"), study)
    return rows.assign(family=rows["test"], of=_groups(rows))


def _as_named(rows: pd.DataFrame, study: Path) -> pd.DataFrame:
    """Return rows with groups called by label or edges, as when they were frozen, not by code."""
    groups = pd.read_parquet(study / "estimate" / "groups.parquet")
    names = {
        (row["design"], row["grouping"], row["subgroup"]): earlier_name(row)
        for row in groups.to_dict("records")
    }
    keys = rows[["design", "grouping", "subgroup"]].itertuples(index=False, name=None)
    return rows.assign(subgroup=[names.get(key, key[-1]) for key in keys])


def _groups(rows: pd.DataFrame) -> pd.Series:
    """Return `size=10 or more`, `size` of a whole grouping, empty without a grouping."""
    named = rows["grouping"] + ("=" + rows["subgroup"]).where(rows["subgroup"] != "all", "")
    return named.where(rows["grouping"] != "all", "")


def balance(study: Path) -> pd.DataFrame:
    """Return BALANCE with categories and samples as they were frozen, `sector=food`."""
    rows = pd.read_parquet(study / "balance" / "balance.parquet")
    category = ("=" + rows["category"]).fillna("")
    sample = rows["sample"].replace("on_support", "on support")
    return rows.assign(covariate=rows["covariate"] + category, sample=sample)


def matches(study: Path) -> pd.DataFrame:
    """Return MATCHES keyed by the set's treated firm, whatever sets are called."""
    rows = pd.read_parquet(study / "match" / "matches.parquet")
    if rows.empty:
        return rows.assign(treated_firm="")
    of_set = ["design", "stack", "set_id"]
    treated = rows.loc[rows["treated"], [*of_set, "firm_id"]]
    return rows.merge(treated.rename(columns={"firm_id": "treated_firm"}), on=of_set, how="left")


def weights(study: Path) -> pd.DataFrame:
    """Return WEIGHTS."""
    return pd.read_parquet(study / "match" / "weights.parquet")


def facts(study: Path) -> pd.DataFrame:
    """Return the numbers of keyed tables by stage and the names that they had."""
    return of_folder(study)


TABLES = (
    Table(
        "estimates",
        (*RESULT, "subgroup", "family", *TYPED, "of", "inference", "band"),
        ("estimate", "std_error", "statistic", "df", "p_value", *INTERVAL, *COUNTS),
        estimates,
    ),
    Table(
        "tests",
        (*RESULT, "family", "of"),
        ("statistic", "df", "df_denominator", "p_value"),
        tests,
    ),
    Table(
        "balance",
        ("design", "stack", "covariate", "sample"),
        ("in_score", *DISTANCES, "mean_treated", "mean_control", "ess_control", *COUNTS[:2]),
        balance,
    ),
    Table(
        "matches",
        ("design", "stack", "treated_firm", "firm_id"),
        ("set_weight", "distance"),
        matches,
    ),
    Table(
        "weights",
        ("design", "stack", "firm_id"),
        ("treated", "base_year", "in_treated_cluster", "weight"),
        weights,
    ),
    Table("facts", ("stage", "design", "outcome", "family", "of"), ("value",), facts),
)


def _text(values: pd.Series) -> pd.Series:
    return values.astype("object").where(values.notna(), "").astype(str)
