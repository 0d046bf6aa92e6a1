"""Single figures of the tables that stand beside estimates."""

import pandas as pd

from pipeline.datasets.store import Dataset
from pipeline.effects.collected import Results


def rows_with(results: Results, table: Dataset, **part) -> pd.DataFrame:
    """Return the rows that agree with a part of the key; None is a missing part."""
    rows = results.details[table.name]
    for name, value in part.items():
        rows = rows[rows[name].isna() if value is None else rows[name] == value]
    return rows


def figure(results: Results, table: Dataset, column: str, **part) -> float:
    """Return the figure of the only row that agrees with a part of the key."""
    (value,) = rows_with(results, table, **part)[column]
    return float(value)
