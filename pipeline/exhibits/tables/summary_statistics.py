"""Summary statistics: the panel's numbers by treatment and side of entry, with their units."""

from typing import Any

import pandas as pd

from pipeline.datasets.panel import BEFORE_FIRST_ENTRY, CALENDAR, FROM_FIRST_ENTRY, PROFILE
from pipeline.datasets.store import empty
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.table import (
    DASH,
    Cell,
    Magnitude,
    Panel,
    Row,
    Table,
    TableColumn,
    Text,
    WholeNumbers,
)
from pipeline.exhibits.words.language import say

_TITLES = {
    BEFORE_FIRST_ENTRY: "summary_statistics.before_first_entry",
    FROM_FIRST_ENTRY: "summary_statistics.from_first_entry",
}
_STATISTICS = ("mean", "std_dev", "p50")


def summary_statistics_table(results: StudyResults) -> list[Table]:
    """Return one panel a scope, one row a numeric column; none where nobody ever entered."""
    profile = numeric_profile(results)
    panels = [
        Panel(_title(scope, rows), tuple(_rows(results, rows)))
        for scope in _TITLES
        if len(rows := profile[profile["scope"] == scope])
    ]
    if not panels:
        return []
    groups = (say("column.treated"), say("column.comparison"))
    heads = (say("column.mean"), say("column.std_dev"), say("column.median"))
    return [
        Table(
            columns=tuple(TableColumn(head, spanner=group) for group in groups for head in heads),
            panels=tuple(panels),
            notes=_notes(results, panels),
            source=results.settings.exhibit.source,
        )
    ]


def numeric_profile(results: StudyResults) -> pd.DataFrame:
    """Return the rows of PROFILE that speak of columns with a unit."""
    profile = results.profile
    if profile is None:
        return empty(PROFILE)
    return profile[profile["unit"].notna()]


def _title(scope: str, rows: pd.DataFrame) -> str:
    first, last = rows["first_year"].iloc[0], rows["last_year"].iloc[0]
    span = str(first) if first == last else f"{first}\u2013{last}"
    return say(_TITLES[scope], years=span)


def _rows(results: StudyResults, rows: pd.DataFrame) -> list[Row]:
    found = {str(name): _row(group) for name, group in rows.groupby("column")}
    return [*(found[name] for name in in_order(results, list(found))), _firm_years(rows)]


def in_order(results: StudyResults, columns: list[str]) -> list[str]:
    """Return columns in the order of the outcomes that they are of, then the others by name."""
    of_outcomes = [o.column for o in results.settings.outcomes.root.values() if o.column in columns]
    first = [*dict.fromkeys(column for column in of_outcomes if column is not None)]
    return [*first, *(column for column in columns if column not in first)]


def _row(group: pd.DataFrame) -> Row:
    first = group.iloc[0]
    sides = {bool(row["treated"]): row for _, row in group.iterrows()}
    cells = [_cell(sides.get(side), name) for side in (True, False) for name in _STATISTICS]
    return Row(f"{first['label']} ({first['unit']})", tuple(cells))


def _cell(row: "pd.Series[Any] | None", name: str) -> Cell:
    if row is None or pd.isna(row[name]):
        return DASH
    if row["unit"] == CALENDAR and name != "std_dev":
        return Text(f"{row[name]:.0f}")
    return Magnitude(float(row[name]))


def _firm_years(rows: pd.DataFrame) -> Row:
    most = rows.groupby("treated")["n_rows"].max()
    cells: list[Cell] = []
    for side in (True, False):
        known = side in most.index and not pd.isna(most[side])
        cells += [WholeNumbers((int(most[side]),)) if known else DASH, None, None]
    return Row(say("row.rows"), tuple(cells))


def _notes(results: StudyResults, panels: list[Panel]) -> tuple[str, ...]:
    dashes = any(cell == DASH for p in panels for row in p.rows for cell in row.cells)
    return (
        say("summary_statistics.what_is_shown", firms=results.settings.exhibit.firms),
        *([say("summary_statistics.dash", firms=results.settings.exhibit.firms)] if dashes else []),
    )
