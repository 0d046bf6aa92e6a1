"""Wide layouts: columns that are one variable in several years."""

import re

import pandas as pd

_WIDE = re.compile(r"^(.*?)[ _.-]?((?:19|20)\d{2})$")


def wide_columns(table: pd.DataFrame) -> dict[str, dict[int, str]]:
    """Return, by name without its year, the columns of each year; at least two years."""
    found: dict[str, dict[int, str]] = {}
    for column in map(str, table.columns):
        parts = _WIDE.match(column)
        if parts and parts[1]:
            found.setdefault(parts[1], {})[int(parts[2])] = column
    return {name: by_year for name, by_year in found.items() if len(by_year) > 1}
