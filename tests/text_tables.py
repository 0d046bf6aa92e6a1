"""Small tables written as text, so that a test shows its input and its expected output."""

from io import StringIO

import pandas as pd

from pipeline.exhibits.tables.table import Table


def table(text: str, **dtypes: str) -> pd.DataFrame:
    """Read a whitespace-separated table; `-` is a missing value."""
    return pd.read_csv(StringIO(text.strip()), sep=r"\s+", na_values="-", dtype=dtypes or None)


def panel(text: str) -> pd.DataFrame:
    """Read a table in the types of PANEL."""
    frame = table(text, firm_id="str", cluster="str", year="Int64", cohort="Int64")
    numbers = frame.select_dtypes("integer").columns.difference(["year", "cohort"])
    return frame.astype(dict.fromkeys(numbers, "float64"))


def lines(shown: Table) -> list[tuple[str, ...]]:
    """Return what a reader sees of an exhibit's table: label, cells."""
    return [
        (row.label, *("" if cell is None else cell.plain() for cell in row.cells))
        for row in shown.rows()
    ]
