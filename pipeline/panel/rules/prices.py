"""Prices and currencies: values of all years in one price level and one currency."""

import numpy as np
import pandas as pd

from pipeline.errors import DataError, Reason
from pipeline.panel.ledger import Ruled, issue
from pipeline.panel.number_marks import typed_numbers
from pipeline.panel.origin import located
from pipeline.panel.rules.standard import require_columns
from pipeline.panel.values import refuse_rows, text
from pipeline.panel.years import calendar_year
from pipeline.params.clean import Price


def convert_prices(panel: pd.DataFrame, table: pd.DataFrame, rule: Price) -> Ruled:
    """Divide columns by their price level relative to the base year, or by an exchange rate.

    Raises DataError where the table lacks a year or group of the panel, repeats one, holds a
    value that is not positive, or where an index moves like yearly inflation rates.
    """
    by = [rule.by] if rule.by else []
    require_columns(table, ("year", "value", *by), rule.file)
    divisor = _divisor(table, rule)
    keys = panel[["year", *by]].merge(divisor, on=["year", *by], how="left")
    relative = keys["value"].set_axis(panel.index)
    needed = panel[rule.columns].notna().any(axis=1)
    _refuse_uncovered(panel, relative, needed, rule)
    converted = {name: panel[name] / relative for name in rule.columns}
    prices = Reason("prices", {"file": rule.file})
    found = [
        entry
        for name in rule.columns
        for entry in issue(prices, name, panel[name].notna(), panel, _conversion(rule))
    ]
    return Ruled(panel.assign(**converted), tuple(found))


def _conversion(rule: Price) -> Reason:
    """Say how values are converted."""
    if rule.kind == "exchange_rate":
        return Reason("converted_by_rate")
    code = "deflated_by_index" if rule.kind == "index" else "deflated_by_inflation"
    return Reason(code, {"year": rule.base_year})


def _series(table: pd.DataFrame, rule: Price) -> pd.DataFrame:
    """Return year, value and group, sorted; values are numbers, keys are unique."""
    value = typed_numbers(table["value"])
    series = pd.DataFrame(
        {"year": calendar_year(table["year"], f"year of {rule.file}"), "value": value}
    )
    if rule.by:
        series[rule.by] = text(table[rule.by])
    key = ["year"] if rule.by is None else ["year", rule.by]
    refuse_rows(value.isna() | np.isinf(value), f"{rule.file}: a value is no number", "correct")
    refuse_rows(series.duplicated(key), f"{rule.file}: a year is there twice", "keep one of")
    return series.sort_values([*key[1:], "year"], ignore_index=True)


@located(())
def _divisor(table: pd.DataFrame, rule: Price) -> pd.DataFrame:
    """Return by what values are divided, for each year and group."""
    series = _series(table, rule)
    if rule.kind == "exchange_rate":
        _refuse_not_positive(series, rule)
        return series
    if rule.kind == "index":
        _refuse_not_positive(series, rule)
        _refuse_jumps(series, rule)
        level = series["value"]
    else:
        level = _chained(series, rule)
    return series.assign(value=level / _base_level(series, level, rule))


def _chained(series: pd.DataFrame, rule: Price) -> pd.Series:
    """Chain yearly inflation in percent: P(t) = P(t-1) (1 + inflation(t) / 100)."""
    growth = 1 + series["value"] / 100
    refuse_rows(growth <= 0, f"{rule.file}: inflation of -100 percent or less", "correct")
    groups = series[rule.by] if rule.by else pd.Series(0, index=series.index)
    gap = series["year"].groupby(groups).diff() > 1
    refuse_rows(gap.fillna(False).astype(bool), f"{rule.file}: a year is left out", "add before")
    return growth.groupby(groups).cumprod()


def _base_level(series: pd.DataFrame, level: pd.Series, rule: Price) -> pd.Series | float:
    base = level[series["year"] == rule.base_year]
    groups = series[rule.by] if rule.by else pd.Series(0, index=series.index)
    of_group = groups.map(pd.Series(base.to_numpy(), index=groups[base.index].to_numpy()))
    if of_group.isna().any():
        raise DataError(f"{rule.file} has no value for base_year {rule.base_year}")
    return of_group.astype("float64")


def _refuse_not_positive(series: pd.DataFrame, rule: Price) -> None:
    if (series["value"] <= 0).any():
        raise DataError(
            f"{rule.file} holds values of zero or below, as no {rule.kind} can; if these are "
            "yearly inflation rates declare kind: inflation_percent, which chains them"
        )


def _refuse_jumps(series: pd.DataFrame, rule: Price) -> None:
    level = np.log(series["value"])
    groups = series[rule.by] if rule.by else pd.Series(0, index=series.index)
    largest = 100 * np.expm1(level.groupby(groups).diff().abs().max())
    if largest > rule.largest_move_percent:
        raise DataError(
            f"{rule.file} moves by {largest:.0f} percent in a year, more than largest_move_percent "
            f"{rule.largest_move_percent:g}: if these are yearly inflation rates declare kind: "
            "inflation_percent, which chains them; if it is an index declare a larger move"
        )


def _refuse_uncovered(
    panel: pd.DataFrame, relative: pd.Series, needed: pd.Series, rule: Price
) -> None:
    uncovered = needed & relative.isna()
    if uncovered.any():
        years = ", ".join(map(str, sorted(panel.loc[uncovered, "year"].unique())))
        raise DataError(
            f"{rule.file} covers not all firm-years: {int(uncovered.sum())} have none, in {years}; "
            "add the years" + (f" for each {rule.by}" if rule.by else "")
        )
