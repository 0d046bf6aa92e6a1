"""Compare a table with its frozen form: rows missing, rows new, numbers that moved.

Numbers are equal within `RELATIVE`, or within an absolute floor under which a number is the
rounding of zero: of an effect and its interval 1e-8 standard errors, of others see `FLOORS`.
Counts, flags and years are equal exactly. Words are not compared.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from benchmarks.freeze.keys import COUNTS, Table

RELATIVE = 1e-8
EXACT = 1e-12
IN_STD_ERRORS = ("estimate", "std_error", "conf_low", "conf_high")
FLOORS = {
    ("estimates", "statistic"): 1e-8,
    ("estimates", "p_value"): 1e-10,
    ("tests", "statistic"): 1e-8,
    ("tests", "p_value"): 1e-10,
    ("balance", "std_diff"): 1e-8,
    ("balance", "percent_bias"): 1e-6,
    ("balance", "ks_distance"): 1e-8,
    # two scores, each rounded to 8 decimals
    ("matches", "distance"): 2e-8,
    # Rubin's B is in percent and rounded to 8 decimals
    ("facts", "value"): 1e-7,
}
EQUAL = {
    *(("estimates", name) for name in COUNTS),
    *(("balance", name) for name in ("in_score", "n_treated", "n_control")),
    ("matches", "set_weight"),
    *(("weights", name) for name in ("treated", "base_year", "in_treated_cluster", "weight")),
}


@dataclass(frozen=True)
class Difference:
    """Hold one difference: a row or number, what was frozen, what is there now."""

    study: str
    table: str
    kind: str
    key: dict[str, str]
    column: str = ""
    frozen: float = float("nan")
    now: float = float("nan")
    std_error: float = float("nan")

    def __str__(self) -> str:
        where = " ".join(f"{name}={value}" for name, value in self.key.items() if value)
        numbers = f" {self.column}: {self.frozen!r} -> {self.now!r}" if self.column else ""
        return f"{self.study} {self.table}: {self.kind}: {where}{numbers}"


@dataclass(frozen=True)
class Comparison:
    """Hold what was compared in one table of one study, and what was not."""

    study: str
    table: str
    n_frozen: int
    n_now: int
    differences: list[Difference]
    not_compared: dict[str, int] = field(default_factory=dict)


def compare(table: Table, study: str, frozen: pd.DataFrame, now: pd.DataFrame) -> Comparison:
    """Return every difference of one table, by key."""
    absent = _families_not_mapped(frozen, now) if table.name == "facts" else {}
    known = frozen[~frozen["family"].isin(absent)] if absent else frozen
    both = known.merge(now, on=list(table.key), how="outer", suffixes=(" was", " is"))
    was, found = (
        pd.MultiIndex.from_frame(both[list(table.key)]).isin(
            pd.MultiIndex.from_frame(side[list(table.key)])
        )
        for side in (known, now)
    )
    differences = [
        Difference(study, table.name, "row is missing", _key(table, row))
        for row in both[was & ~found].to_dict("records")
    ]
    differences += [
        Difference(study, table.name, _new(table, row), _key(table, row))
        for row in both[found & ~was].to_dict("records")
    ]
    differences += _moved(table, study, both[was & found])
    return Comparison(study, table.name, len(frozen), len(now), differences, absent)


def tolerance(table: str, column: str, frozen: pd.Series, std_error: pd.Series) -> pd.Series:
    """Return by how much each number of a column may differ."""
    if (table, column) in EQUAL:
        return EXACT * frozen.abs().clip(lower=1.0)
    floor = pd.Series(FLOORS.get((table, column), EXACT), index=frozen.index)
    if table == "estimates" and column in IN_STD_ERRORS:
        floor = (RELATIVE * std_error).fillna(EXACT)
    return np.maximum(RELATIVE * frozen.abs(), floor)


def _moved(table: Table, study: str, both: pd.DataFrame) -> list[Difference]:
    without = pd.Series(float("nan"), index=both.index)
    std_error = both.get("std_error was", without)
    differences = []
    for column in table.numbers:
        frozen, now = both[f"{column} was"], both[f"{column} is"]
        limit = tolerance(table.name, column, frozen, std_error)
        same = (frozen == now) | (frozen.isna() & now.isna()) | ((now - frozen).abs() <= limit)
        for row, error in zip(both[~same].to_dict("records"), std_error[~same], strict=True):
            numbers = row[f"{column} was"], row[f"{column} is"]
            kind = _kind(*numbers)
            found = Difference(study, table.name, kind, _key(table, row), column, *numbers, error)
            differences.append(found)
    return differences


def _families_not_mapped(frozen: pd.DataFrame, now: pd.DataFrame) -> dict[str, int]:
    absent = frozen[~frozen["family"].isin(now["family"])]
    return {str(name): int(n) for name, n in absent["family"].value_counts().items()}


def _kind(frozen: float, now: float) -> str:
    if np.isnan(frozen):
        return "number is new"
    return "number is missing" if np.isnan(now) else "number moved"


def _new(table: Table, row: dict[str, object]) -> str:
    empty = table.name == "estimates" and pd.isna(row["estimate is"])
    return "new row without an estimate" if empty else "row is new"


def _key(table: Table, row: dict[str, object]) -> dict[str, str]:
    return {name: str(row[name]) for name in table.key}
