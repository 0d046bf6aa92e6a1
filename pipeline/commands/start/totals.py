"""Rows of a panel that seem to be no firm's, but the total of others."""

from collections.abc import Sequence

import pandas as pd

from pipeline.commands.start.files import Delivery
from pipeline.commands.start.keys import Keys
from pipeline.commands.start.numbers import is_flag, is_number, numbers
from pipeline.panel.values import text

_CALLED = r"\b(?:sub)?tota(?:l|le|les|is|ux)\b"
# Relative difference up to which a value is the sum of all others, rounded cells added up.
_ROUNDED = 1e-6
_FEWEST_FIRMS = 5


def asked_of_totals(table: pd.DataFrame, keys: Keys) -> dict[str, str]:
    """Ask of rows that are called a total, or whose values are the sum of all others of a year."""
    rows = _called_total(table, keys) | _sum_of_others(table, keys)
    if not rows.any():
        return {}
    return {
        "clean.filters": f"{int(rows.sum())} rows seem to be a total and no firm: {keys.firm_id} "
        "calls them so, or their values are the sum of all others of the year. Then delete them, "
        f"or declare a text column of {keys.firm_id} and drop them by it"
    }


def asked_of_footers(delivered: Sequence[Delivery]) -> dict[str, str]:
    """Say of the panel and the register which rows below them are left out, and ask if rightly."""
    found = dict[str, str]()
    for path, delivery in zip(("format", "register_format"), delivered, strict=False):
        if delivery.footers:
            told = ", ".join(f"{n} of {file}" for file, n in delivery.footers.items())
            found[f"data.source.{path}.footer"] = (
                f"rows below the table are left out, a total, source or note ({told}): is it so? "
                "Else footer: keep"
            )
    return found


def _called_total(table: pd.DataFrame, keys: Keys) -> pd.Series:
    called = text(table[keys.firm_id]).str.lower().str.contains(_CALLED, regex=True)
    return called.fillna(False).astype(bool)


def _sum_of_others(table: pd.DataFrame, keys: Keys) -> pd.Series:
    """Flag the rows of what is half of all in some column, in every year that it has."""
    found = pd.Series(False, table.index)
    years, firms = table[keys.year], table[keys.firm_id]
    enough = firms.groupby(years).transform("nunique") > _FEWEST_FIRMS
    for name in map(str, table.columns):
        if name in {keys.year, keys.firm_id} or not is_number(table, name) or is_flag(table[name]):
            continue
        values = numbers(table[name])
        whole = values.groupby(years).transform("sum")
        half = enough & (whole > 0) & ((2 * values - whole).abs() <= _ROUNDED * whole)
        found |= half.groupby(firms).transform("all")
    return found
