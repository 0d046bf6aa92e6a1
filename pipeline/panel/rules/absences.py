"""Firms that are not there although they have rows: told by a flag, or by zeros in every size."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.datasets.panel import (
    CALENDAR,
    EMPTY_YEAR,
    FLAGGED_ABSENT,
    ZERO_BEFORE,
    ZERO_IN_PART,
    ZERO_ROWS,
)
from pipeline.errors import DataError, Reason
from pipeline.panel.ledger import Issue, Ruled, issue
from pipeline.panel.panel_index import NO_ROW, PanelIndex, index_panel
from pipeline.panel.rules.standard import is_code
from pipeline.params.data import DataSection, NumberColumn
from pipeline.params.gaps import Absent
from pipeline.params.treatment import Entry, EntryYearEntry, IndicatorEntry

# Numbers in these units are no sizes: zero says nothing of a firm that is closed.
_NO_SIZES = (CALENDAR, "share")

# Rows of zeros stop from so many on, where they are more than this share of the rows of firms
# that had more before.
_LEAST_ROWS, _MOST_ZERO = 5, 0.01
# How many firms are asked first whether a size moves.
_FIRST = 1000

# What is done with rows of absent firms, by the setting that asks for it.
_DONE = {"drop_rows": "left_out", "set_missing": "set_missing"}


@dataclass(frozen=True)
class SizeColumns:
    """Name the number columns that a firm at work has above zero, and say if params declare so."""

    columns: Sequence[str]
    declared: bool = False


def sizes(data: DataSection, entry: Entry, absent: Absent | None) -> SizeColumns:
    """Return the number columns that may be sizes: no shares, years, support.

    Those that params declare, where they do.
    """
    if absent is not None and absent.columns is not None:
        return SizeColumns(absent.columns, declared=True)
    told = [entry.column] if isinstance(entry, IndicatorEntry | EntryYearEntry) else []
    return SizeColumns(
        [
            name
            for name, column in data.delivered.items()
            if isinstance(column, NumberColumn) and column.unit not in _NO_SIZES
            if name not in told
        ]
    )


@dataclass(frozen=True)
class ZeroRows:
    """Mark the rows that are zero in every size, two or more; `columns` are these sizes.

    Rows of `in_part` have no value of some size, and zero in all others, two or more.
    """

    every: Flags
    in_part: Flags
    columns: Sequence[str]


def zero_rows(panel: pd.DataFrame, asked: SizeColumns, index: PanelIndex | None = None) -> ZeroRows:
    """Return which rows are zero in every size.

    A column that is 0 or 1, or never changes within any firm, or grows by one a year (a distance,
    age), is no size: it says nothing of whether the firm is there.
    """
    columns = asked.columns
    zeros, known = _zeros_and_known(panel, columns)
    if (zeros > 1).any() and not asked.declared:
        columns = [name for name in columns if not _is_flag(panel[name])]
        zeros, known = _zeros_and_known(panel, columns)
    if ((zeros > 1) & (zeros < known)).any():
        index = index_panel(panel) if index is None else index
        columns = [name for name in columns if _moves(panel[name], index)]
        zeros, known = _zeros_and_known(panel, columns)
    nothing = (zeros > 1) & (zeros == known)
    every = known == len(columns)
    return ZeroRows(np.asarray(nothing & every), np.asarray(nothing & ~every), columns)


def _zeros_and_known(panel: pd.DataFrame, columns: Sequence[str]) -> tuple[Codes, Codes]:
    """Count each row's columns that are zero, and that have a value."""
    zeros, known = np.zeros((2, len(panel)), dtype=np.intp)
    for name in columns:
        values = panel[name].to_numpy(np.float64, na_value=np.nan)
        zeros += values == 0
        known += ~np.isnan(values)
    return zeros, known


def _is_flag(column: pd.Series) -> bool:
    """Say whether a column has no value but 0 and 1."""
    return bool(column.dropna().isin([0.0, 1.0]).all())


def _moves(column: pd.Series, index: PanelIndex) -> bool:
    """Say whether a column changes within some firm otherwise than the year does.

    The first firms nearly always say so.
    """
    values = column.to_numpy(np.float64, na_value=np.nan)
    return any(_changes(values, rows) for rows in (index.row[:_FIRST], index.row))


def _changes(values: Floats, rows: Codes) -> bool:
    own = np.where(rows == NO_ROW, np.nan, values[rows])
    years = np.arange(rows.shape[1], dtype=np.float64)
    return not any(_steady(np.asarray(of, dtype=np.float64)) for of in (own, own - years))


def _steady(own: Floats) -> bool:
    """Say whether every firm (row) has one value."""
    low = np.where(np.isnan(own), np.inf, own).min(axis=1)
    high = np.where(np.isnan(own), -np.inf, own).max(axis=1)
    return bool((high <= low)[np.isfinite(low)].all())


def settle_absent(panel: pd.DataFrame, rule: Absent, asked: SizeColumns) -> Ruled:
    """Leave out rows of absent firms, or empty their sizes, as declared; count them.

    Rows of zeros before a firm has more are of one that is not there yet.
    """
    flagged = zero = before = pd.Series(False, index=panel.index)
    columns = asked.columns
    if rule.flag is not None:
        flagged = is_code(panel[rule.flag], rule.flag_values).fillna(False).astype(bool)
    if rule.all_zero in _DONE and len(columns) > 1:
        found = zero_rows(panel, asked)
        columns, later = found.columns, _later(panel, found.columns)
        zero, before = (
            pd.Series(found.every & side, index=panel.index) & ~flagged for side in (later, ~later)
        )
    settled = (
        (_flagged(rule), flagged, rule.flagged),
        (_zero_rule(ZERO_ROWS, columns), zero, rule.all_zero),
        (_zero_rule(ZERO_BEFORE, columns), before, rule.all_zero),
    )
    issues = [
        one
        for what, rows, action in settled
        if rows.any()
        for one in issue(what, "year", rows, panel, Reason(_DONE[str(action)]))
    ]
    empty, gone = (
        (flagged & (rule.flagged == name)) | ((zero | before) & (rule.all_zero == name))
        for name in ("set_missing", "drop_rows")
    )
    emptied = {name: panel[name].mask(empty) for name in rule.columns or () if empty.any()}
    every = panel.assign(**emptied) if emptied else panel
    return Ruled(every, tuple(issues), Reason("not_absent"), ~gone)


def _flagged(rule: Absent) -> Reason:
    return Reason(FLAGGED_ABSENT, {"column": rule.flag, "values": ", ".join(rule.flag_values)})


def _zero_rule(code: str, columns: Sequence[str]) -> Reason:
    return Reason(code, {"columns": ", ".join(columns)})


def _later(panel: pd.DataFrame, columns: Sequence[str]) -> Flags:
    """Mark the rows of firms after a year in which a size was above zero."""
    above = panel["year"].where((panel[list(columns)] > 0).any(axis=1))
    since = above.groupby(panel["firm_id"]).transform("min")
    return (panel["year"] > since).fillna(False).to_numpy(bool)


def count_zero_rows(panel: pd.DataFrame, asked: SizeColumns, declared: bool = False) -> Ruled:
    """Count rows that are zero in every size, of firms that had more before or nothing yet.

    They may stand for firms that are closed, not founded, or were not asked; they are kept. Raises
    DataError where those of firms that had more before are many, unless params declare that they
    are values. Rows that lack a size are counted apart.
    """
    found = zero_rows(panel, asked)
    if not (found.every | found.in_part).any():
        return Ruled(panel)
    later = _later(panel, found.columns)
    n_zero, n_later = int((found.every & later).sum()), int(later.sum())
    if not declared and n_zero >= _LEAST_ROWS and n_zero > _MOST_ZERO * n_later:
        raise DataError(_many_zeros(panel["year"][found.every & later], n_later, found.columns))
    action = Reason("accepted" if declared else "kept")
    counted = (
        (ZERO_ROWS, found.every & later),
        (ZERO_BEFORE, found.every & ~later),
        (ZERO_IN_PART, found.in_part & later),
    )
    issues = [
        one
        for code, rows in counted
        for one in issue(
            _zero_rule(code, found.columns), "year", pd.Series(rows, panel.index), panel, action
        )
    ]
    return Ruled(panel, tuple(issues))


def _many_zeros(years: "pd.Series[int]", n_later: int, columns: Sequence[str]) -> str:
    """Say how many rows are zero, the rule, and every setting that settles it."""
    listed, percent = ", ".join(columns), 100 * len(years) / n_later
    return (
        f"{len(years)} of {n_later} rows of firms that had more before ({percent:.1f} percent, "
        f"{years.min()} to {years.max()}) have zero in every one of {listed}: closed, or not "
        f"asked? More than {100 * _MOST_ZERO:g} percent stops, since such zeros would count as "
        "outcomes. Declare clean.absent.all_zero: drop_rows (the firm is not there), set_missing "
        f"with clean.absent.columns: [{listed}] (not known), or keep (true zeros); where a column "
        "says who is absent, clean.absent.flag with flag_values (or clean.exit: who is gone for "
        "good); or clean.window without these years"
    )


def count_empty_years(panel: pd.DataFrame) -> Ruled:
    """Name each year between the first and the last in which no firm has a row."""
    years = panel["year"].astype("int64")
    span = years.groupby(panel["firm_id"], sort=False).agg(["min", "max"])
    found = []
    for year in sorted(set(range(years.min(), years.max() + 1)) - set(years.unique())):
        absent = int(((span["min"] < year) & (span["max"] > year)).sum())
        rule, action = Reason(EMPTY_YEAR, {"year": year}), Reason("not_filled")
        found.append(Issue(rule, "year", action, absent, absent, year, year))
    return Ruled(panel, tuple(found))
