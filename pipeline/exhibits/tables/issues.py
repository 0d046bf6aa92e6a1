"""What cleaning found in the data, and what it did about it."""

from typing import Any

import pandas as pd

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.table import (
    DASH,
    HIDDEN,
    Cell,
    Panel,
    Row,
    Table,
    TableColumn,
    Text,
    WholeNumbers,
)
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.steps import issue_words


def issues_table(results: StudyResults) -> list[Table]:
    """Return one row a finding, in the order of cleaning; none where nothing was found."""
    issues = results.issues.sort_values("issue")
    if issues.empty:
        return []
    rows = tuple(_row(row) for _, row in issues.iterrows())
    firms = results.settings.exhibit.firms
    return [
        Table(
            columns=(
                TableColumn(say("row.rows")),
                TableColumn(capitalised(firms)),
                TableColumn(say("issues.years")),
            ),
            panels=(Panel("", rows),),
            notes=(say("issues.what_is_shown", firms=firms),),
            source=results.settings.exhibit.source,
        )
    ]


def _row(row: "pd.Series[Any]") -> Row:
    rule, action = issue_words(row)
    label = say("issues.row", column=row["column"], rule=rule, action=action)
    return Row(label, (_count(row, "count"), _count(row, "firms"), _years(row)))


def _count(row: "pd.Series[Any]", name: str) -> Cell:
    """Return a count; a missing number of firms is one that is not of firms, unless all is."""
    if pd.isna(row["count"]):
        return HIDDEN
    return DASH if pd.isna(row[name]) else WholeNumbers((int(row[name]),))


def _years(row: "pd.Series[Any]") -> Cell:
    if pd.isna(row["count"]):
        return HIDDEN
    first, last = row["first_year"], row["last_year"]
    if pd.isna(first):
        return DASH
    return Text(f"{first}" if first == last else f"{first}\u2013{last}")
