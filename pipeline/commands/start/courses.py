"""How a 0/1 column runs within firms, and by year."""

import re
from typing import Literal

import numpy as np
import pandas as pd

from pipeline.commands.start.keys import Keys
from pipeline.commands.start.numbers import is_flag, numbers

_LAG = re.compile(r"[ _.]?\d$|^(?:lag|l)\d?[ _.]", re.IGNORECASE)

Course = Literal["constant", "rises", "falls"]


def course_of(table: pd.DataFrame, keys: Keys, name: str) -> Course:
    """Say whether a 0/1 column stays in every firm, only rises in some, or falls in some."""
    order = numbers(table[keys.year]).sort_values(kind="stable").index
    step = numbers(table[name]).loc[order].groupby(table[keys.firm_id].loc[order]).diff()
    if step.min() < 0:
        return "falls"
    return "rises" if step.max() > 0 else "constant"


def is_lag(name: str, names: list[str]) -> bool:
    """Say whether a column is another one of an earlier year, by its name: grant_1 of grant."""
    return _LAG.sub("", name) in set(names) - {name}


def by_year_alone(table: pd.DataFrame, keys: Keys, name: str) -> bool:
    """Say whether a 0/1 column is the same for all firms of a year."""
    by_year = numbers(table[name]).groupby(numbers(table[keys.year]))
    return bool((by_year.min() == by_year.max()).all())


def first_after(table: pd.DataFrame, keys: Keys, years: pd.Series) -> int:
    """Return the first year of a 0/1 column that rises for all at once, else a middle year."""
    for name in map(str, table.columns):
        if (
            name != keys.year
            and is_flag(table[name])
            and by_year_alone(table, keys, name)
            and course_of(table, keys, name) == "rises"
        ):
            return int(years[numbers(table[name]) == 1].min())
    return int(np.ceil((years.min() + years.max()) / 2))
