"""What may be missing though rows are there, or is: rows of zeros, years that nobody has."""

from collections.abc import Sequence

import pandas as pd

from pipeline.datasets.panel import CALENDAR, EMPTY_YEAR, ZERO_ROWS
from pipeline.errors import Reason
from pipeline.panel.ledger import Issue, Ruled, issue
from pipeline.params.data import DataSection, NumberColumn
from pipeline.params.treatment import Entry, EntryYearEntry, IndicatorEntry

# Numbers in these units are no sizes: zero says nothing of a firm that is closed.
_NO_SIZES = (CALENDAR, "share")


def sizes(data: DataSection, entry: Entry) -> list[str]:
    """Return the number columns that a firm at work has above zero: no shares, years, support."""
    told = [entry.column] if isinstance(entry, IndicatorEntry | EntryYearEntry) else []
    return [
        name
        for name, column in data.delivered.items()
        if isinstance(column, NumberColumn) and column.unit not in _NO_SIZES and name not in told
    ]


def count_zero_rows(panel: pd.DataFrame, columns: Sequence[str]) -> Ruled:
    """Count rows that are zero in every size known, two or more, of firms that had more before.

    They may stand for firms that are closed, or were not asked; they are kept.
    """
    values = panel[list(columns)]
    zero = (values.isna() | (values == 0)).all(axis=1) & (values.notna().sum(axis=1) > 1)
    above = panel["year"].where((values > 0).any(axis=1))
    since = above.groupby(panel["firm_id"]).transform("min")
    later = (panel["year"] > since).fillna(False).astype(bool)
    rule = Reason(ZERO_ROWS, {"columns": ", ".join(columns)})
    return Ruled(panel, tuple(issue(rule, "year", zero & later, panel, Reason("kept"))))


def count_empty_years(panel: pd.DataFrame) -> Ruled:
    """Name each year between the first and the last in which no firm has a row."""
    years = panel["year"].astype("int64")
    span = years.groupby(panel["firm_id"], sort=False).agg(["min", "max"])
    found = []
    for year in sorted(set(range(years.min(), years.max() + 1)) - set(years.unique())):
        absent = int(((span["min"] < year) & (span["max"] > year)).sum())
        rule, action = Reason(EMPTY_YEAR, {"year": year}), Reason("not_filled")
        found.append(Issue(rule, "year", action, absent, absent, year, year))
    return Ruled(panel, tuple(found))
