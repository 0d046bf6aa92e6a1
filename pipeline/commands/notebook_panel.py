"""A DataFrame as a delivered table: any index, and columns of any type that holds plain values."""

from collections.abc import Collection

import pandas as pd

from pipeline.errors import DataError, told_columns

# What pandas calls columns of objects that are all numbers.
_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal", "boolean"}


def delivered_table(frame: pd.DataFrame, years: Collection[str]) -> pd.DataFrame:
    """Return a frame as a file would hold it; named levels of its index become columns.

    `years` names columns whose dates count by their year. Raises DataError where two columns share
    a name.
    """
    named = [name for name in frame.index.names if name is not None and name not in frame.columns]
    table = frame.reset_index(level=named).reset_index(drop=True) if named else frame
    table = table.reset_index(drop=True).set_axis([str(name) for name in table.columns], axis=1)
    repeated = sorted(set(table.columns[table.columns.duplicated()]))
    if repeated:
        raise DataError(f"the DataFrame has several columns called {', '.join(repeated)}")
    plain = {name: _plain(table[name], name in years) for name in table.columns}
    return pd.DataFrame(plain)


def require_delivered(
    table: pd.DataFrame, wanted: Collection[str], has_header: bool = True
) -> None:
    """Raise DataError where the table lacks a column.

    Its columns are told where they are known to be names, as one that was found says.
    """
    absent = [str(name) for name in wanted if name not in table.columns]
    if absent:
        named = list(table.columns)
        raise DataError(
            f"the DataFrame has no column {', '.join(absent)}; "
            f"{told_columns(named, named if has_header else wanted)}"
        )


def holds_numbers(table: pd.DataFrame, column: str) -> bool:
    """Say whether a column of a delivered table holds numbers."""
    return pd.api.types.is_numeric_dtype(table[column].dtype)


def is_indicator(table: pd.DataFrame, column: str) -> bool:
    """Say whether a column holds 0 and 1 only."""
    return holds_numbers(table, column) and bool(table[column].dropna().isin([0, 1]).all())


def _plain(values: pd.Series, is_year: bool) -> pd.Series:
    """Return numbers as int64 or float64, everything else as text; missing values stay missing."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if is_year and (
        isinstance(values.dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(values)
    ):
        values = values.dt.year
    if values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) in _NUMBERS:
        values = pd.to_numeric(values.astype("object"))
    if pd.api.types.is_numeric_dtype(values.dtype):
        whole = not pd.api.types.is_float_dtype(values.dtype) and values.notna().all()
        return values.astype("int64" if whole else "float64")
    return values.astype("str").where(values.notna(), None).astype("str")
