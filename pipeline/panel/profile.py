"""A profile of the panel that may leave the office: no firm can be read from it.

Integers of one to `minimum - 1` are hidden, as is any statistic that rests on so few values, and
further cells until sums do not tell the hidden ones (`panel.suppression`). A percentile needs
values of `minimum` firms beyond it on its thinner side, a mean of zeros and ones as many of either;
figures are rounded to three significant digits, since a percentile is some firm's value.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.datasets.dominance import PANEL_DOMINANCE
from pipeline.datasets.panel import (
    ALL_YEARS,
    BEFORE_ENTRY,
    BEFORE_FIRST_ENTRY,
    CALENDAR,
    ENTRY_YEAR,
    FROM_ENTRY,
    FROM_FIRST_ENTRY,
    PROFILE,
    YEAR,
)
from pipeline.datasets.small_counts import small
from pipeline.panel.group_years import group_years
from pipeline.panel.suppression import Sum, hidden_cells
from pipeline.params.data import StudyColumn, TextColumn

Values = TypeVar("Values", NDArray[np.float64], NDArray[np.intp])

# A standard deviation of which one value is more than this share tells the value.
_MOST_OF_SPREAD = 0.5
_PERCENTILES = {"p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9}


@dataclass(frozen=True)
class _Cells:
    """Hold the cells of the profile: a row of `table` each, with treated, scope and its years.

    `order` sorts the panel's rows into blocks of one year, group and side of entry; `blocks`
    gives, by cell, the slices of the sorted rows that it pools. `entry` is the first year in which
    anybody entered.
    """

    table: pd.DataFrame
    order: NDArray[np.intp]
    blocks: list[list[slice]]
    entry: int | None

    def parts(self, column: Values) -> Iterator[Values]:
        """Yield each cell's part of a column that is already in this order."""
        for blocks in self.blocks:
            yield np.concatenate([column[block] for block in blocks])


def profile_panel(
    panel: pd.DataFrame, minimum: int, columns: Mapping[str, StudyColumn] | None = None
) -> pd.DataFrame:
    """Return PROFILE: each column by scope and group, then the size of each cohort.

    `columns` gives labels and units; a column that it does not name is called by its name.
    """
    cells = _cells(panel)
    sums = _sums(cells)
    n_rows: Integers = np.array([sum(b.stop - b.start for b in found) for found in cells.blocks])
    hidden_rows = hidden_cells(small(n_rows, minimum), n_rows[None, :], sums, minimum)
    rows = cells.table.assign(n_rows=_shown(n_rows, hidden_rows))
    described = columns or {}
    parts = [
        _column_profile(panel[name], cells, n_rows, sums, minimum, unit=unit).assign(
            column=name,
            n_rows=rows["n_rows"],
            label=described[name].label if name in described else name,
            unit=unit,
        )
        for name in panel.columns
        if name not in {"firm_id", "year", "cohort"}
        for unit in [_unit(described.get(name))]
    ]
    table = pd.concat([*parts, _cohort_sizes(panel, minimum)], ignore_index=True)
    share = (table["n_missing"] / table["n_rows"]).astype("float64")
    return table.assign(missing_share=share).reindex(columns=list(PROFILE.columns))


def _unit(column: StudyColumn | None) -> str | None:
    """Return a column's unit: texts have none, nor have columns that params do not name."""
    return None if column is None or isinstance(column, TextColumn) else column.unit


def _cells(panel: pd.DataFrame) -> _Cells:
    """Divide the rows by group and year, into all years, and the treated by entry."""
    groups = group_years(panel)
    year, n_years = panel["year"].to_numpy(np.int64), len(groups.years)
    since = (panel["year"] >= panel["cohort"]).fillna(False).to_numpy(bool)
    code = 2 * groups.code + since
    sizes = np.bincount(code)
    ends = np.cumsum(sizes)
    slices = {
        int(block): slice(int(ends[block] - sizes[block]), int(ends[block]))
        for block in np.flatnonzero(sizes)
    }
    entry = int(panel["cohort"].min()) if groups.occurs[1].any() else None
    spans = _spans(year, entry)
    pooled: dict[tuple[bool, str, int, int], list[slice]] = {}
    for block, rows in slices.items():
        side = FROM_ENTRY if block % 2 else BEFORE_ENTRY
        in_treated, in_year = block // 2 >= n_years, int(groups.years[block // 2 % n_years])
        calendar = (
            [] if entry is None else [BEFORE_FIRST_ENTRY if in_year < entry else FROM_FIRST_ENTRY]
        )
        pooled.setdefault((in_treated, YEAR, in_year, in_year), []).append(rows)
        for scope in [ALL_YEARS, *calendar, *([side] if in_treated else [])]:
            pooled.setdefault((in_treated, scope, *spans[scope]), []).append(rows)
    table = pd.DataFrame(list(pooled), columns=["treated", "scope", "first_year", "last_year"])
    # whole numbers of 16 bits are sorted in time proportional to their number
    order = np.argsort(code.astype(np.uint16), kind="stable")
    return _Cells(table, order, list(pooled.values()), entry)


def _spans(year: NDArray[np.int64], entry: int | None) -> dict[str, tuple[int, int]]:
    """Return the first and last year of each scope of several years.

    They are the panel's, not the group's, nor those around the entry of its firms, which would tell
    when few firms are seen.
    """
    everywhere = (int(year.min()), int(year.max()))
    spans = dict.fromkeys((ALL_YEARS, BEFORE_ENTRY, FROM_ENTRY), everywhere)
    if entry is None:
        return spans
    sides = ((BEFORE_FIRST_ENTRY, year[year < entry]), (FROM_FIRST_ENTRY, year[year >= entry]))
    return spans | {scope: (int(of.min()), int(of.max())) for scope, of in sides if len(of)}


def _sums(cells: _Cells) -> list[Sum]:
    """Return which cells add up to which: years and entry within a group, and both groups."""
    sums, totals = list[Sum](), list[int]()
    for treated, group in cells.table.groupby("treated", sort=True):
        total = int(group.index[group["scope"] == ALL_YEARS][0])
        by_entry = group["scope"].isin([BEFORE_ENTRY, FROM_ENTRY])
        sums.append(Sum(tuple(group.index[group["scope"] == YEAR]), total))
        sums += _calendar_sums(group, cells.entry) if cells.entry is not None else []
        if treated:
            sums.append(Sum(tuple(group.index[by_entry]), total))
        totals.append(total)
    # The ledger publishes the sum over both groups.
    return [*sums, Sum(tuple(totals))]


def _calendar_sums(group: pd.DataFrame, entry: int) -> list[Sum]:
    """Return which years add up to those before and from the first entry of anybody."""
    years = group[group["scope"] == YEAR]
    early = tuple(years.index[years["first_year"] < entry])
    late = tuple(years.index[years["first_year"] >= entry])
    return [
        Sum(places, int(total))
        for places, scope in ((early, BEFORE_FIRST_ENTRY), (late, FROM_FIRST_ENTRY))
        for total in group.index[group["scope"] == scope]
    ]


def _column_profile(
    column: pd.Series,
    cells: _Cells,
    n_rows: Integers,
    sums: list[Sum],
    minimum: int,
    *,
    unit: str | None,
) -> pd.DataFrame:
    """Return counts of missing values and, for numbers, mean and percentiles of one column."""
    number = pd.api.types.is_numeric_dtype(column.dtype)
    shorten = np.round if unit == CALENDAR else _three_digits
    found = _numbers(column, cells, shorten) if number else _codes(column, cells)
    observed = found.pop("observed").to_numpy(np.int64)
    counts: Integers = np.stack([observed, n_rows - observed])
    primary: Flags = np.asarray(small(counts, minimum).any(axis=0))
    hidden = hidden_cells(primary, counts, sums, minimum)
    shown = {"n_missing": _shown(n_rows - observed, hidden)}
    # Statistics speak of values observed, not of those missing; and none is of both groups
    # together, so that counts alone need the last sum.
    few = hidden_cells(small(observed, minimum), observed[None, :], sums[:-1], minimum)
    few |= observed < minimum
    # so many values may be those of one firm fewer than `minimum`
    years = (cells.table["last_year"] - cells.table["first_year"] + 1).to_numpy(np.int64)
    least = (minimum - 1) * years + 1
    if number and minimum > 1:
        rarer = found.pop("rarer").to_numpy(np.float64)
        few |= (rarer > 0) & (rarer < least)
        found["std_dev"] = found["std_dev"].mask(found.pop("most") > _MOST_OF_SPREAD)
    for name in found.columns.intersection(["n_values", "mean", "std_dev", *_PERCENTILES]):
        beyond = min(_PERCENTILES[name], 1 - _PERCENTILES[name]) if name in _PERCENTILES else 1.0
        shown[name] = found[name].mask(few | (observed * beyond < least))
    return cells.table.assign(**shown)


def _numbers(column: pd.Series, cells: _Cells, shorten: Callable[[Floats], Floats]) -> pd.DataFrame:
    values = column.to_numpy(np.float64, na_value=np.nan)[cells.order]
    return pd.DataFrame([_described(part, shorten) for part in cells.parts(values)])


def _described(values: Floats, shorten: Callable[[Floats], Floats]) -> dict[str, float]:
    """Return count, mean, standard deviation and percentiles of one cell's values."""
    present = values[~np.isnan(values)]
    if not len(present):
        return {"observed": 0, "most": np.nan, "rarer": np.nan}
    spread = present.std(ddof=1) if len(present) > 1 else np.nan
    quantiles = _quantiles(np.sort(present), np.array(list(_PERCENTILES.values())))
    figures = shorten(np.array([present.mean(), spread, *quantiles]))
    names = ["mean", "std_dev", *_PERCENTILES]
    squares = (present - present.mean()) ** 2
    told = {
        "most": squares.max() / squares.sum() if squares.any() else 0.0,
        "rarer": _rarer(present),
    }
    return {"observed": len(present), **told, **dict(zip(names, figures, strict=True))}


def _rarer(values: Floats) -> float:
    """Return how many zeros or ones there are, whichever are fewer; missing for other values."""
    ones = values == 1
    return float(min(ones.sum(), (~ones).sum())) if (ones | (values == 0)).all() else np.nan


def _quantiles(ordered: Floats, shares: Floats) -> Floats:
    """Return quantiles of sorted values, between two of them in proportion, as numpy does."""
    place = shares * (len(ordered) - 1)
    below = np.floor(place).astype(np.intp)
    low, high = ordered[below], ordered[np.minimum(below + 1, len(ordered) - 1)]
    return low + (high - low) * (place - below)


def _codes(column: pd.Series, cells: _Cells) -> pd.DataFrame:
    """Return how many values each cell has, and how many different ones."""
    codes = pd.factorize(column)[0][cells.order]
    present = [part[part >= 0] for part in cells.parts(codes)]
    counts = [np.count_nonzero(np.bincount(part)) for part in present]
    different = pd.array(counts, dtype="Int64")
    return pd.DataFrame({"observed": [len(part) for part in present], "n_values": different})


def _cohort_sizes(panel: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Count entrants by entry year; all together are the treated firms of the sample flow."""
    entrants = panel.drop_duplicates("firm_id").groupby("cohort").size()
    counts: Integers = entrants.to_numpy().astype(np.int64)
    every = Sum(tuple(range(len(counts))))
    hidden = hidden_cells(small(counts, minimum), counts[None, :], [every], minimum)
    return pd.DataFrame(
        {
            "column": "cohort",
            "scope": ENTRY_YEAR,
            "first_year": entrants.index.to_numpy(np.int64),
            "last_year": entrants.index.to_numpy(np.int64),
            "treated": True,
            "n_rows": _shown(counts, hidden),
        }
    )


def _shown(counts: Integers, hidden: Flags) -> pd.Series:
    return pd.Series(counts, dtype="Int64").mask(hidden)


def _three_digits(values: Floats) -> Floats:
    """Round to three significant digits."""
    size = np.floor(np.log10(np.abs(np.where(values == 0, 1.0, values))))
    unit = 10.0 ** (size - 2)
    return np.asarray(np.round(values / unit) * unit)


def panel_dominance(panel: pd.DataFrame) -> pd.DataFrame:
    """Return PANEL_DOMINANCE: every numeric column by scope and group; a firm's years are added."""
    cells = _cells(panel)
    firm = pd.factorize(panel["firm_id"])[0][cells.order]
    parts = [pd.DataFrame(columns=list(PANEL_DOMINANCE.columns))]
    for name in panel.columns[panel.dtypes == "float64"]:
        sizes = np.abs(panel[name].fillna(0.0).to_numpy())[cells.order]
        pairs = zip(cells.parts(firm), cells.parts(sizes), strict=True)
        share = [_largest_share(np.asarray(np.bincount(of, own), float)) for of, own in pairs]
        parts.append(cells.table.assign(column=name, share=share))
    return pd.concat(parts)[list(PANEL_DOMINANCE.columns)]


def _largest_share(by_firm: Floats) -> float:
    """Return the largest of contributions in percent of their sum, missing where that is zero."""
    total = float(by_firm.sum())
    return 100 * float(by_firm.max()) / total if total > 0 else float("nan")
