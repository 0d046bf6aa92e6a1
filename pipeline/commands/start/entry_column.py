"""Find the column of a panel that holds each firm's entry year, as data sets for estimation do."""

from dataclasses import dataclass

import pandas as pd

from pipeline.commands.start.numbers import numbers

# What stands for "never" where a year is expected.
_NEVER = (0.0, 9999.0, 10000.0)
# How its name begins where every firm enters, or all in the panel's first year.
_NAMED = ("first_treat", "first.treat", "entry", "cohort", "gvar", "treat", "ingreso", "entrada")


@dataclass(frozen=True)
class EntryColumn:
    """Hold the column, the codes in it that mean never, and the first entry year."""

    column: str
    never: list[float]
    first_entry: int


def guess_entry_column(
    table: pd.DataFrame, names: list[str], firm_id: str, year: str
) -> EntryColumn | None:
    """Return the first of `names` that is a firm's entry year by its values, None where none is.

    It is the same in all rows of a firm, a year after the panel's first and not after its last in
    some firms, and missing or one code in others. Where the name says so, all firms may enter.
    """
    years = numbers(table[year])
    first, last = years.min(), years.max()
    for name in names:
        values = numbers(table[name])
        code = [never for never in _NEVER if (values == never).any()]
        given = values.mask(values.isin(code)).dropna()
        if len(code) > 1 or not given.between(first, last).all() or (given % 1 != 0).any():
            continue
        telling = len(given) < len(values) and given.gt(first).any()
        if not telling and not (len(given) and name.lower().startswith(_NAMED)):
            continue
        if (table.assign(value=values).groupby(firm_id)["value"].nunique(dropna=False) > 1).any():
            continue
        return EntryColumn(name, code, int(given[given > first].min() if telling else given.min()))
    return None
