"""What delivered cells hold: numbers, years, dates, flags, or words."""

import re
from typing import cast

import pandas as pd

from pipeline.commands.start.roles import name_words, role_of
from pipeline.errors import DataError
from pipeline.panel.delivered import point_decimals
from pipeline.panel.numbers import numeric
from pipeline.panel.values import text
from pipeline.params.data import NumberColumn
from pipeline.params.written import FileFormat

# What is a class or a place, though digits write it.
_CODED = {"sector", "broad_sector", "place", "person"}
_CODES = (" cod", " legal ", " type ", " tipo ", " class", " clase ")
_MOST_CODES = 5
# What is written for a value that is not known, without blanks and in lower case.
_NOT_KNOWN = {"na", "n/a", "n.a.", "nan", "nd", "n/d", "n.d.", "ns", "ns/nr", "sd", "s/d", "s.d.",
              "s/i", "x", "-", "--", ".", "..", "...", "null", "none", "missing"}  # fmt: skip
# A word in fewer cells may be a firm's, and params.yaml is public.
_FEWEST_CELLS = 10
_ANY = NumberColumn(kind="number", column="column", unit="any", label="column")
_DAY_FIRST, _MONTH_FIRST = "%d/%m/%Y", "%m/%d/%Y"


def pointed(table: pd.DataFrame, written: FileFormat) -> pd.DataFrame:
    """Return the table with numbers written with a point, wherever a whole column fits."""
    for name in table.columns:
        try:
            table = point_decimals(table, {str(name)}, written)
        except DataError:
            continue
    return table


def numbers(values: pd.Series) -> pd.Series:
    """Return numbers, missing where a cell holds none; 1 and 0 of words for true and false."""
    found = pd.Series(pd.to_numeric(values, errors="coerce"))
    if found.isna().all() and values.notna().any():
        try:
            return numeric(values, _ANY)
        except DataError:
            return found
    return found


def is_year(values: pd.Series) -> bool:
    """Say whether every cell is a calendar year."""
    years = numbers(values).dropna()
    return bool(len(years) and years.between(1900, 2100).all() and (years % 1 == 0).all())


def is_number(table: pd.DataFrame, name: str) -> bool:
    """Say whether nearly all cells are numbers and nothing hints at codes."""
    present = table[name].dropna()
    zeros = text(present).str.match(r"0\d").fillna(False).any()
    code = role_of(name) in _CODED or any(hint in name_words(name) for hint in _CODES)
    return not code and not zeros and len(present) > 0 and numbers(present).notna().mean() > 0.9


def text_codes(values: pd.Series) -> list[str]:
    """Return the few words in a column of numbers (s/d, nd), which must mean something.

    Those that many cells hold, or that are known to mean that nothing is known; of others `clean`
    counts the rows, and shows nothing.
    """
    words = text(values)[numbers(values).isna() & values.notna()].dropna().value_counts()
    if len(words) > _MOST_CODES:
        return []
    known = words.index.str.replace(" ", "").str.lower().isin(_NOT_KNOWN)
    return sorted(words.index[known | (words >= _FEWEST_CELLS).to_numpy()])


def is_flag(values: pd.Series) -> bool:
    """Say whether every cell is 0 or 1, and both occur."""
    found = numbers(values)
    return bool(found.notna().all() and found.isin([0, 1]).all() and found.nunique() == 2)


def date_format(values: pd.Series) -> str | None:
    """Return how dates are written: empty for 2009-10-31, a format, None where they are none."""
    written = text(values).dropna()
    if len(written) and written.str.fullmatch(r"\d{4}-\d{2}-\d{2}(?:[ T].*)?").all():
        return ""
    parts = written.str.extract(re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4})$"))
    if not len(written) or parts.isna().any(axis=None):
        return None
    second_is_day = cast("bool", (parts[1].astype(int) > 12).any())
    return _MONTH_FIRST if second_is_day else _DAY_FIRST
