"""Covariates that a started study may compare on, dated before entry."""

from functools import reduce

import pandas as pd

from pipeline.commands.start.columns import Columns, StartColumn
from pipeline.commands.start.numbers import numbers

# A year before entry is asked of covariates where this share of treated firms has a row in it.
_OBSERVED = 0.9
_LONGEST_SPAN = (4, 3)
_LOGS = {"sales", "employment", "wages", "assets"}
# Firms that have a value above zero, for its log to be a covariate.
_ABOVE_ZERO = 0.95

Covariates = dict[str, dict[str, object]]


def offered_covariates(
    table: pd.DataFrame, columns: Columns, years_before: pd.Series
) -> Covariates:
    """Return covariates in the order in which a small programme would keep them.

    One of each kind goes first, level, growth over the longest span and age, before a second.
    `years_before` counts the years of each treated firm before its entry.
    """
    spans, kinds = _spans(years_before), list[Covariates]()
    others = Covariates()
    for name in columns.covariates:
        column = columns.used[name]
        transform = _transform(table, name, column)
        key = f"{name}_{transform}" if transform == "log" else name
        level = {key: dated_setting(column.label, name, transform)}
        if name not in {"sales", "employment"}:
            others |= level
        elif transform == "log" and column.changes:
            kinds.append(level | _growth(name, spans))
        else:
            kinds.append(level)
    ages = {k: v for k, v in others.items() if columns.used[str(v["column"])].role in _AGES}
    firsts = [dict(list(kind.items())[:2]) for kind in kinds]
    return reduce(dict.__or__, [*firsts[:1], ages, *firsts, *kinds, others], Covariates())


_AGES = {"age", "founded"}


def _growth(name: str, spans: list[tuple[int, int]]) -> Covariates:
    return {
        f"{name}_growth_{-first}_{-last}": {
            "label": f"Growth of {name}, {-first} to {-last} years before entry",
            "column": name, "transform": "log", "change": [first, last],
        }
        for first, last in spans
    }  # fmt: skip


def tells_trend(setting: dict[str, object], columns: Columns) -> bool:
    """Say whether a covariate tells how fast a firm would have grown: growth before, or age."""
    return "change" in setting or columns.used[str(setting["column"])].role in _AGES


def dated_setting(label: str, name: str, transform: str) -> dict[str, object]:
    """Return a covariate's settings: a column as it was one year before entry."""
    return {"label": label, "column": name, "transform": transform, "at": -1}


def _transform(table: pd.DataFrame, name: str, column: StartColumn) -> str:
    if column.role == "founded":
        return "years_since"
    if name == "exports":
        return "any"
    if column.role in _LOGS and not column.logs and not column.flag:
        values = numbers(table[column.name]).dropna()
        if len(values) and (values > 0).mean() >= _ABOVE_ZERO:
            return "log"
    return "level"


def _spans(before: pd.Series) -> list[tuple[int, int]]:
    """Return spans before entry that nearly all treated firms have: all years, and the last."""
    if not len(before) or (before >= 2).mean() < _OBSERVED:
        return []
    long = next((n for n in _LONGEST_SPAN if (before >= n).mean() >= _OBSERVED), None)
    return [*([(-long, -1)] if long else []), (-2, -1)]
