"""Dirt with a known answer: what ministries deliver, made from clean simulated firms.

Every problem strikes firms of its own, at their second observed year, so that each can be found,
counted and undone alone. Four problems strike whole years: prices are nominal, exports in local
currency, one year of sales in thousands, another of exports in thousandths.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from dirty_register import soil_register
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes

# Yearly inflation of the nominal prices, percent; local currency per US$ rises by 1 a year.
INFLATION_PERCENT = 5.0
JUMP_FACTOR = 1e4
TAIL_FACTOR = 1e3
MISSING_CODES = ("-1", "999999", "s/d", "nd", "..")
SPLIT_SECTOR, UNKNOWN_SECTOR = "old split", "unknown"
PROBLEMS = (
    "identifier",
    "identical_row",
    "conflicting_row",
    "missing_code",
    "jump",
    "tail",
    "wrong_value",
    "not_in_customs",
    "missing_exports",
    "identifier_change",
    "merger",
    "split",
    "gap",
    "split_sector",
    "unknown_sector",
)


@dataclass(frozen=True)
class Dirty:
    """Hold delivered tables, the rules tables that undo the dirt, and where each problem is.

    `rows` gives, by problem, positions in the clean panel, and `firms` the identifiers that a
    problem of the register strikes; `unit_year` is the year of sales in thousands, `milli_year`
    of exports in thousandths.
    """

    panel: pd.DataFrame
    register: pd.DataFrame
    rules_tables: dict[str, pd.DataFrame]
    rows: dict[str, Codes]
    firms: dict[str, list[str]]
    unit_year: int
    milli_year: int


def soil(
    panel: pd.DataFrame, register: pd.DataFrame, n_each: int, rng: np.random.Generator
) -> Dirty:
    """Inject `n_each` cases of every problem into simulated firms, in text as CSV would hold.

    Raises ValueError where too few firms are seen for three years in a row.
    """
    panel = panel.assign(firm_id=digits(panel["firm_id"]), in_customs=1)
    register = register.assign(firm_id=digits(register["firm_id"]))
    rows = _places(panel, n_each, rng)
    unit_year = int(panel["year"].median())
    dirty = _in_units(panel, unit_year)
    dirty = _changed_values(dirty, rows)
    dirty = _old_codes(dirty, unit_year, rows)
    correction = _corrections(dirty, rows["wrong_value"])
    dirty, links = _changed_identifiers(dirty, rows)
    dirty = dirty.astype(object)
    dirty.loc[rows["wrong_value"], "sales"] = correction["old"].to_numpy()
    dirty.loc[rows["missing_code"], "sales"] = np.resize(MISSING_CODES, n_each)
    dirty.loc[rows["identifier"], "firm_id"] = _spreadsheet_id(dirty, rows["identifier"])
    struck = panel["firm_id"].isin(panel.loc[np.concatenate([*rows.values()]), "firm_id"])
    listed, firms = soil_register(register, panel[~struck], n_each, rng)
    return Dirty(
        panel=_with_repeated(dirty, rows),
        register=listed,
        rules_tables=_rules_tables(panel, unit_year) | {
            "corrections.csv": correction,
            "links.csv": links,
        },
        rows=rows,
        firms=firms,
        unit_year=unit_year,
        milli_year=unit_year + 2,
    )  # fmt: skip


def digits(firm_id: pd.Series) -> pd.Series:
    """Return simulated identifiers (F0012) as tax offices write them: digits, zeros in front."""
    return pd.Series("0" + firm_id.str.removeprefix("F"))


def _places(panel: pd.DataFrame, n_each: int, rng: np.random.Generator) -> dict[str, Codes]:
    """Return, by problem, the second row of firms seen in at least three years."""
    order = panel.groupby("firm_id").cumcount()
    lasting = panel.groupby("firm_id")["year"].transform("size") >= 3
    second = np.flatnonzero((order == 1) & lasting)
    if len(second) < n_each * len(PROBLEMS):
        raise ValueError(f"{len(second)} firms last three years: too few for {n_each} of each")
    drawn = rng.permutation(second)[: n_each * len(PROBLEMS)]
    return dict(zip(PROBLEMS, drawn.reshape(len(PROBLEMS), n_each), strict=True))


def _in_units(panel: pd.DataFrame, unit_year: int) -> pd.DataFrame:
    """Return sales in current prices and exports in local currency, one year each off by 1000."""
    since = (panel["year"] - panel["year"].min()).astype("float64")
    current = panel["sales"] * (1 + INFLATION_PERCENT / 100) ** since
    local = panel["exports"] * (1 + since)
    return panel.assign(
        sales=current.mask(panel["year"] == unit_year, current / 1000),
        exports=local.mask(panel["year"] == unit_year + 2, local * 1000),
    )


def _rules_tables(panel: pd.DataFrame, unit_year: int) -> dict[str, pd.DataFrame]:
    years = np.arange(panel["year"].min(), panel["year"].max() + 1)
    return {
        "inflation.csv": pd.DataFrame({"year": years, "value": INFLATION_PERCENT}),
        "exchange.csv": pd.DataFrame({"year": years, "value": 1.0 + years - years[0]}),
        "sectors.csv": _concordance(panel["sector"], SPLIT_SECTOR),
        "places.csv": _concordance(panel["municipality"], None).assign(
            last_year=lambda table: np.where(table["from"] == table["to"], np.nan, unit_year - 1)
        ),
    }


def _changed_values(panel: pd.DataFrame, rows: dict[str, Codes]) -> pd.DataFrame:
    """Return the panel with absurd values, states of exports, and years left out."""
    dirty = panel.copy()
    dirty.loc[rows["jump"], "sales"] *= JUMP_FACTOR
    dirty["employment"] = dirty["employment"].astype("float64")
    dirty.loc[rows["tail"], "employment"] = TAIL_FACTOR * panel["employment"].max()
    dirty.loc[rows["not_in_customs"], "in_customs"] = 0
    dirty.loc[rows["not_in_customs"], "exports"] = None
    dirty.loc[rows["missing_exports"], "exports"] = None
    return dirty


def _old_codes(panel: pd.DataFrame, until: int, rows: dict[str, Codes]) -> pd.DataFrame:
    """Write sectors and places as they were called until a year; two sectors cannot be told."""
    old = panel["year"] < until
    dirty = panel.assign(
        sector=panel["sector"].mask(old, "old " + panel["sector"]),
        municipality=panel["municipality"].mask(old, "old " + panel["municipality"]),
    )
    dirty.loc[rows["split_sector"], "sector"] = SPLIT_SECTOR
    dirty.loc[rows["unknown_sector"], "sector"] = UNKNOWN_SECTOR
    return dirty


def _concordance(codes: pd.Series, split: str | None) -> pd.DataFrame:
    """Return old and present codes to present ones; `split` became the first two."""
    now = sorted(codes.unique())
    several = [] if split is None else [split] * 2
    return pd.DataFrame(
        {
            "from": [*(f"old {code}" for code in now), *now, *several],
            "to": [*now, *now, *now[: len(several)]],
        }
    )


def _corrections(panel: pd.DataFrame, rows: Codes) -> pd.DataFrame:
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


def _changed_identifiers(
    panel: pd.DataFrame, rows: dict[str, Codes]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give firms another identifier in their first year, and write merged and split ones in parts.

    Returns the panel and the links that undo it: changed and merged firms end under the identifier
    that they have now, parts of a split under the old one.
    """
    changed = panel.copy()
    known = panel["firm_id"]
    renamed = known[rows["identifier_change"]].to_numpy()
    changed.loc[rows["identifier_change"] - 1, "firm_id"] = _other(renamed, "9")
    merged, split = known[rows["merger"]].to_numpy(), known[rows["split"]].to_numpy()
    links = pd.DataFrame(
        {
            "old_id": [*_other(renamed, "9"), *_other(merged, "8"), *split, *split],
            "new_id": [*renamed, *merged, *_other(split, "7"), *_other(split, "6")],
        }
    )
    parts = [
        _halved(changed, rows["merger"], list(merged), _other(merged, "8")),
        _halved(changed, rows["split"], _other(split, "7"), _other(split, "6")),
    ]
    whole = changed.drop(index=[*rows["merger"], *rows["split"]])
    # Rows keep their positions as index; halves share that of the firm-year they belong to.
    return pd.concat([whole, *parts]), links


def _other(firms: NDArray[np.object_], first: str) -> list[str]:
    return [first + firm[1:] for firm in firms]


def _halved(panel: pd.DataFrame, rows: Codes, one: list[str], other: list[str]) -> pd.DataFrame:
    """Return two rows for each firm-year, with half of sales, jobs and exports each."""
    half = panel.loc[rows]
    half = half.assign(**{name: half[name] / 2 for name in ("sales", "employment", "exports")})
    return pd.concat([half.assign(firm_id=list(one)), half.assign(firm_id=list(other))])


def _spreadsheet_id(panel: pd.DataFrame, rows: Codes) -> list[str]:
    """Write identifiers as a spreadsheet that took them for numbers, or as people write them."""
    styles = (" {}.0", "{} ", "{}-5", "0 {}")
    firms = panel.loc[rows, "firm_id"]
    return [styles[i % len(styles)].format(int(firm)) for i, firm in enumerate(firms)]


def _with_repeated(panel: pd.DataFrame, rows: dict[str, Codes]) -> pd.DataFrame:
    identical = panel.loc[rows["identical_row"]]
    conflicting = panel.loc[rows["conflicting_row"]]
    conflicting = conflicting.assign(employment=conflicting["employment"] + 1)
    kept = panel.drop(index=list(rows["gap"]))
    return pd.concat([kept, identical, conflicting], ignore_index=True).astype("str")
