"""Columns that entry, the calendar or nothing decides: neither covariate nor outcome."""

import pandas as pd

from pipeline.commands.start.entered import Entered
from pipeline.commands.start.keys import Keys
from pipeline.commands.start.numbers import numbers
from pipeline.commands.start.roles import role_of

# By name alone: their values may look like any other's.
_BY_NAME = {
    "of_treatment": "tells of treatment, by name",
    "application": "dates the application, not entry",
    "exit": "tells of exit",
    "weight": "is a weight, by name: that of a survey goes to data.weight",
}


def decided_columns(
    table: pd.DataFrame, names: list[str], keys: Keys, entered: Entered
) -> dict[str, str]:
    """Return, by column, what decides its values, where something other than the firm does.

    A column that some firms' own course decides is absent.
    """
    years = numbers(table[keys.year])
    since = years - table[keys.firm_id].map(entered.by_firm)
    found = {name: _BY_NAME[role] for name in names if (role := role_of(name)) in _BY_NAME}
    for name in names:
        if name not in found and (why := _why(numbers(table[name]), years, since)):
            found[name] = why
    return found


def _why(values: pd.Series, years: pd.Series, since: pd.Series) -> str | None:
    """Return what decides a column, None where nothing does; `since` is missing for never."""
    if values.nunique() <= 1:
        return "is the same everywhere" if _one(values) else "holds one value or nothing"
    if values.groupby(years).nunique().max() <= 1:
        return "tells the year alone"
    never, after = values[since.isna()], values[since >= 0]
    if len(never) and _one(never) and _other(values[since.notna()], never).mean() > 0.5:
        return "is decided by entry: one value for all who never enter"
    before = values[since.isna() | (since < 0)]
    if len(before) and _one(before) and _other(after, before).any():
        return "is decided by entry: one value until then"
    early = values[years < (years - since).min()]
    if len(early) and _one(early) and _other(values, early).any():
        return "is the same everywhere until the first entry"
    return None


def _one(values: pd.Series) -> bool:
    """Say whether a column holds one value, or nothing."""
    return bool(values.nunique() <= 1 and (values.notna().all() or values.isna().all()
                                           or values.nunique() == 0))  # fmt: skip


def _other(values: pd.Series, one: pd.Series) -> pd.Series:
    """Flag values that are not the one value of others, which may be that nothing is known."""
    known = one.dropna()
    return values.notna() if known.empty else (values != known.iloc[0]) & values.notna()
