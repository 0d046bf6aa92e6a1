"""Dirt with a known answer: what ministries deliver, made from clean simulated firms.

Every problem strikes firms of its own, at their second observed year, so that each can be found,
counted and undone alone. Two problems strike whole years: prices are nominal, and one year is in
thousands.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Positions = NDArray[np.intp]

# Yearly inflation of the nominal prices, percent.
INFLATION_PERCENT = 5.0
JUMP_FACTOR = 1e4
MISSING_CODE = "-1"
PROBLEMS = (
    "identifier",
    "identical_row",
    "conflicting_row",
    "missing_code",
    "jump",
    "wrong_value",
    "not_in_customs",
    "identifier_change",
)


@dataclass(frozen=True)
class Dirty:
    """Hold delivered tables, the rules tables that undo the dirt, and where each problem is.

    `rows` gives, by problem, positions in the clean panel; `unit_year` is the year in thousands.
    """

    panel: pd.DataFrame
    register: pd.DataFrame
    rules_tables: dict[str, pd.DataFrame]
    rows: dict[str, Positions]
    unit_year: int


def soil(
    panel: pd.DataFrame, register: pd.DataFrame, n_each: int, rng: np.random.Generator
) -> Dirty:
    """Inject `n_each` cases of every problem into simulated firms, in text as CSV would hold.

    Raises ValueError where too few firms are seen for three years in a row.
    """
    rows = _places(panel, n_each, rng)
    unit_year = int(panel["year"].median())
    dirty = panel.assign(in_customs=1, firm_id=digits(panel["firm_id"]))
    dirty["sales"] = _nominal(dirty, unit_year)
    dirty.loc[rows["jump"], "sales"] *= JUMP_FACTOR
    dirty.loc[rows["not_in_customs"], "in_customs"] = 0
    dirty.loc[rows["not_in_customs"], "exports"] = None
    dirty = _old_sectors(dirty, unit_year)
    correction = _corrections(dirty, rows["wrong_value"])
    links = _links(dirty, rows["identifier_change"])
    dirty = _changed_identifiers(dirty, links, rows["identifier_change"]).astype(object)
    dirty.loc[rows["wrong_value"], "sales"] = correction["old"].to_numpy()
    dirty.loc[rows["missing_code"], "sales"] = MISSING_CODE
    dirty.loc[rows["identifier"], "firm_id"] = _spreadsheet_id(dirty, rows["identifier"])
    return Dirty(
        panel=_with_repeated(dirty, rows),
        register=register.assign(firm_id=digits(register["firm_id"])),
        rules_tables={
            "inflation.csv": _inflation(panel),
            "sectors.csv": _concordance(panel),
            "corrections.csv": correction,
            "links.csv": links,
        },
        rows=rows,
        unit_year=unit_year,
    )


def _places(panel: pd.DataFrame, n_each: int, rng: np.random.Generator) -> dict[str, Positions]:
    """Return, by problem, the second row of firms seen in at least three years."""
    order = panel.groupby("firm_id").cumcount()
    lasting = panel.groupby("firm_id")["year"].transform("size") >= 3
    second = np.flatnonzero((order == 1) & lasting)
    if len(second) < n_each * len(PROBLEMS):
        raise ValueError(f"{len(second)} firms last three years: too few for {n_each} of each")
    drawn = rng.permutation(second)[: n_each * len(PROBLEMS)]
    return dict(zip(PROBLEMS, drawn.reshape(len(PROBLEMS), n_each), strict=True))


def digits(firm_id: pd.Series) -> pd.Series:
    """Return simulated identifiers (F0012) as tax offices write them: digits, zeros in front."""
    return pd.Series("0" + firm_id.str.removeprefix("F"))


def _nominal(panel: pd.DataFrame, unit_year: int) -> pd.Series:
    """Return sales in current prices, in thousands in one year."""
    since = (panel["year"] - panel["year"].min()).astype("float64")
    current = panel["sales"] * (1 + INFLATION_PERCENT / 100) ** since
    return pd.Series(current.mask(panel["year"] == unit_year, current / 1000))


def _inflation(panel: pd.DataFrame) -> pd.DataFrame:
    years = np.arange(panel["year"].min(), panel["year"].max() + 1)
    return pd.DataFrame({"year": years, "value": INFLATION_PERCENT})


def _old_sectors(panel: pd.DataFrame, until: int) -> pd.DataFrame:
    old = panel["year"] < until
    return panel.assign(sector=panel["sector"].mask(old, "old " + panel["sector"]))


def _concordance(panel: pd.DataFrame) -> pd.DataFrame:
    codes = sorted(panel["sector"].unique())
    return pd.DataFrame({"from": [f"old {code}" for code in codes] + codes, "to": codes * 2})


def _corrections(panel: pd.DataFrame, rows: Positions) -> pd.DataFrame:
    right = panel.loc[rows, "sales"]
    return pd.DataFrame(
        {
            "firm_id": panel.loc[rows, "firm_id"].to_numpy(),
            "year": panel.loc[rows, "year"].to_numpy(),
            "column": "sales",
            "old": [f"{value * 3:.4f}" for value in right],
            "new": [repr(float(value)) for value in right],
            "reason": "typing error",
            "source": "annual report",
        }
    )


def _links(panel: pd.DataFrame, rows: Positions) -> pd.DataFrame:
    """Return the changes: the identifier before, then a new one that no other firm has."""
    known = panel.loc[rows, "firm_id"].to_numpy()
    return pd.DataFrame({"old_id": [f"9{firm[1:]}" for firm in known], "new_id": known})


def _changed_identifiers(panel: pd.DataFrame, links: pd.DataFrame, rows: Positions) -> pd.DataFrame:
    """Give the first year of the firms their old identifier."""
    changed = panel.copy()
    changed.loc[rows - 1, "firm_id"] = links["old_id"].to_numpy()
    return changed


def _spreadsheet_id(panel: pd.DataFrame, rows: Positions) -> list[str]:
    """Write identifiers as a spreadsheet that took them for numbers: 12.0 for 00012."""
    return [f" {int(firm)}.0" for firm in panel.loc[rows, "firm_id"]]


def _with_repeated(panel: pd.DataFrame, rows: dict[str, Positions]) -> pd.DataFrame:
    identical = panel.loc[rows["identical_row"]]
    conflicting = panel.loc[rows["conflicting_row"]]
    conflicting = conflicting.assign(employment=conflicting["employment"] + 1)
    return pd.concat([panel, identical, conflicting], ignore_index=True).astype("str")
