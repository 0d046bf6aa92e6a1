"""Which columns are years of one: ventas_2010, 2010 ventas, or ventas10 where no year stands."""

import re

import pandas as pd

_YEAR_LAST = re.compile(r"^(?P<name>.*?\D)[ _.-]?(?P<year>(?:19|20)\d{2})$", re.DOTALL)
_YEAR_FIRST = re.compile(r"^(?P<year>(?:19|20)\d{2})[ _.-]?(?P<name>\D.*)$", re.DOTALL)
_TWO_DIGITS = re.compile(r"^(?P<name>.*?\D)[ _.-]?(?P<year>\d{2})$", re.DOTALL)
# Two digits from here on are of the twentieth century.
_LAST_CENTURY = 50
_FEWEST_YEARS = 3


def wide_columns(table: pd.DataFrame) -> dict[str, dict[int, str]]:
    """Return, by name without its year, the columns of each year; at least two years.

    Two digits count as years where every such name has the same years, three and more in a row.
    """
    names = [str(name) for name in table.columns]
    for form in (_YEAR_LAST, _YEAR_FIRST):
        found = {n: years for n, years in _by_name(names, form).items() if len(years) > 1}
        if found:
            return found
    found = {n: years for n, years in _by_name(names, _TWO_DIGITS).items() if len(years) > 1}
    spans = {tuple(sorted(years)) for years in found.values()}
    (span,) = spans if len(spans) == 1 else ((),)
    in_a_row = len(span) >= _FEWEST_YEARS and span[-1] - span[0] == len(span) - 1
    return found if in_a_row else {}


def _by_name(names: list[str], form: re.Pattern[str]) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for column in names:
        parts = form.match(column)
        if parts:
            stem = parts["name"].strip(" _.-")
            found.setdefault(stem, {})[_calendar(parts["year"])] = column
    return found


def _calendar(year: str) -> int:
    number = int(year)
    if len(year) > 2:
        return number
    return number + (1900 if number >= _LAST_CENTURY else 2000)
