"""Missingness: which columns have no value, by treatment and side of the first entry."""

from typing import Any

import pandas as pd

from pipeline.datasets.panel import BEFORE_FIRST_ENTRY, FROM_FIRST_ENTRY
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.summary_statistics import in_order, numeric_profile
from pipeline.exhibits.tables.table import DASH, Cell, Number, Panel, Row, Table, TableColumn
from pipeline.exhibits.words.language import say

_SPANNERS = {BEFORE_FIRST_ENTRY: "period.earlier", FROM_FIRST_ENTRY: "period.later"}
_DECIMALS = 1


def missingness_table(results: StudyResults) -> list[Table]:
    """Return the percent of rows without a value, one row a column; none where none lacks any.

    Nor is there one where nobody entered.
    """
    profile = numeric_profile(results)
    chosen = profile[profile["scope"].isin(list(_SPANNERS))]
    if chosen.empty:
        return []
    rows = {str(name): _row(group) for name, group in chosen.groupby("column")}
    if not any(isinstance(cell, Number) and cell.value for r in rows.values() for cell in r.cells):
        return []
    return [
        Table(
            columns=tuple(
                TableColumn(group, spanner=say(spanner))
                for spanner in _SPANNERS.values()
                for group in (say("column.treated"), say("column.comparison"))
            ),
            panels=(Panel("", tuple(rows[name] for name in in_order(results, list(rows)))),),
            notes=_notes(results, list(rows.values())),
            source=results.settings.exhibit.source,
        )
    ]


def _row(group: pd.DataFrame) -> Row:
    sides = {(row["scope"], bool(row["treated"])): row for _, row in group.iterrows()}
    cells = [_cell(sides.get((scope, side))) for scope in _SPANNERS for side in (True, False)]
    return Row(str(group["label"].iloc[0]), tuple(cells))


def _cell(row: "pd.Series[Any] | None") -> Cell:
    if row is None or pd.isna(row["missing_share"]):
        return DASH
    return Number(100 * float(row["missing_share"]), _DECIMALS)


def _notes(results: StudyResults, rows: list[Row]) -> tuple[str, ...]:
    dashes = any(cell == DASH for row in rows for cell in row.cells)
    return (
        say("missingness.what_is_shown", firms=results.settings.exhibit.firms),
        *([say("missingness.dash")] if dashes else []),
    )
