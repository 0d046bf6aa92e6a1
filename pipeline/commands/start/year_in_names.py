"""Whether the names of yearly files say the year of their rows, or a column does."""

import pandas as pd

from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.numbers import is_year, numbers
from pipeline.commands.start.roles import role_of
from pipeline.panel.years import years_of

# Of a file with one row a firm, this share of rows may repeat a firm by mistake.
_MOST_REPEATED = 0.2


def columns_of_years(table: pd.DataFrame) -> list[str]:
    """Return the columns of calendar years that may date a row: none of founding, entry or exit."""
    return [
        str(name)
        for name in table.columns
        if role_of(str(name)) in {"year", "period", None} and is_year(years_of(table[name]))
    ]


def year_is_in_names(table: pd.DataFrame, year: pd.Series, asked: ToldColumns) -> bool:
    """Say whether the year of rows is that of their file's name alone; `year` is that, by row.

    Not where the command line names a column or one agrees with the names. Else where no column may
    date a row, or firms stand in each file once, so that what differs within it is no year of rows.
    """
    dated = columns_of_years(table)
    if asked.year is not None or any((numbers(years_of(table[n])) == year).all() for n in dated):
        return False
    return not dated or _firms_stand_once(table, year, asked)


def _firms_stand_once(table: pd.DataFrame, year: pd.Series, asked: ToldColumns) -> bool:
    named = [str(name) for name in table.columns if role_of(str(name)) == "firm_id"]
    firms = [asked.firm_id] if asked.firm_id in table.columns else named
    repeated = [pd.DataFrame({"firm": table[n], "year": year}).duplicated().mean() for n in firms]
    return bool(repeated) and min(repeated) <= _MOST_REPEATED


def asked_of_names(table: pd.DataFrame, pattern: str) -> dict[str, str]:
    """Ask whether rows are of the year in the name of their file, where a column may say another.

    Columns of founding and entry are named too: they are years, and look like one.
    """
    others = [str(name) for name in table.columns if is_year(years_of(table[name]))]
    return {
        "data.source.year_in_name": f"are rows of {pattern} of the year in the name of their file? "
        f"Else name a column with --year: {', '.join(others)}"
    } if others else {}  # fmt: skip
