"""Summary statistics of the panel's numbers, by treatment and period, that may be published.

The two periods are those before and from the first entry of anybody, the same calendar years for
both groups. What rests on fewer than `minimum` values is suppressed, as in the profile.
"""

from typing import Any

import pandas as pd

from pipeline.datasets.panel import CALENDAR, SUMMARY
from pipeline.params.data import DataSection, NumberColumn
from pipeline.profile import suppressed, three_digits

_GROUP = ["period", "treated"]


def summary_statistics(panel: pd.DataFrame, data: DataSection, minimum: int) -> pd.DataFrame:
    """Return SUMMARY: one row a numeric column, period and group; empty where nobody entered."""
    entry = panel["cohort"].min()
    if pd.isna(entry):
        return pd.DataFrame(columns=list(SUMMARY.columns))
    later = panel["year"] >= entry
    groups = panel.assign(
        period=later.map({False: "before", True: "from"}), treated=panel["cohort"].notna()
    ).groupby(_GROUP)
    columns = {n: c for n, c in data.columns.items() if isinstance(c, NumberColumn)}
    years = groups["year"].agg(first_year="min", last_year="max").reset_index()
    parts = [_statistics(groups, name, column, minimum) for name, column in columns.items()]
    if not parts:
        return pd.DataFrame(columns=list(SUMMARY.columns))
    table = pd.concat(parts, ignore_index=True).merge(years, on=_GROUP)
    return table.reindex(columns=list(SUMMARY.columns))


def _statistics(groups: Any, name: str, column: NumberColumn, minimum: int) -> pd.DataFrame:
    values = groups[name]
    rows, observed = values.size(), values.count()
    enough = observed >= minimum
    # Three digits of a calendar year say nothing.
    shorten = pd.Series.round if column.unit == CALENDAR else three_digits
    table = pd.DataFrame(
        {
            "n_rows": suppressed(rows, minimum),
            "n_observed": suppressed(observed, minimum),
            "n_zero": suppressed(values.agg(lambda one: int((one == 0).sum())), minimum).where(
                enough
            ),
            "mean": shorten(values.mean().where(enough)),
            "std_dev": three_digits(values.std().where(enough)),
            # A median is some firm's value: as many values must lie on each side of it.
            "p50": shorten(values.median().where(observed >= 2 * minimum)),
        }
    )
    return table.reset_index().assign(column=name, label=column.label, unit=column.unit)
