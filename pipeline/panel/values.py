"""Values of raw columns: text, identifiers, years and numbers, refused where they are not."""

import re

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes
from pipeline.errors import Refusal
from pipeline.panel.origin import rows_error
from pipeline.panel.scale import LARGEST, SMALLEST
from pipeline.params.clean import Identifier
from pipeline.params.data import NumberColumn

# Calendar years, or numbered waves; beyond are typing errors and dates or serial numbers of a
# spreadsheet.
_PLAUSIBLE_YEARS = (0, 9999)


def text(values: pd.Series) -> pd.Series:
    """Return codes as text: trimmed, leading zeros kept, empty cells missing.

    Whole numbers that a spreadsheet stored with decimals lose the trailing `.0`.
    """
    if pd.api.types.is_float_dtype(values.dtype) and _whole(values):
        values = values.astype("Int64")
    if values.dtype == object:  # 1 and True are one Python object, and two texts
        values = values.astype("str").where(values.notna(), None).astype("str")
    code, distinct = distinct_values(values)
    written = distinct.astype("str").str.strip()
    written = written.str.replace(r"^(\d+)\.0$", r"\1", regex=True)
    written = written.where(written != "", None).astype("str")
    # Clean text is not held in memory twice.
    if values.dtype == written.dtype and written.equals(distinct):
        return values
    return pd.Series(written.array.take(code, allow_fill=True), values.index, name=values.name)


def is_formula(values: pd.Series) -> pd.Series:
    """Flag text that a spreadsheet would run: =1+1, @SUM(A1), +cmd|' /C calc'!A0."""
    code, distinct = distinct_values(values)
    runs = distinct.str.match(r"[=@]|[+-].*[(|!]").to_numpy(bool)
    return pd.Series(np.append(runs, False)[code], values.index)


def distinct_values(values: pd.Series) -> tuple[Codes, pd.Series]:
    """Return the place of each value among the different ones, -1 where missing, and these.

    What is done to texts is done to far fewer than there are firm-years.
    """
    code, distinct = pd.factorize(values)
    return np.asarray(code, dtype=np.intp), pd.Series(distinct)


def firm_identifier(values: pd.Series, column: str, written: Identifier | None = None) -> pd.Series:
    """Return firm identifiers as text, written as declared.

    Raises DataError where one is missing or longer than the declared width.
    """
    identifier = text(values)
    if written is not None and written.cut_at:
        identifier = identifier.str.split(written.cut_at, n=1, regex=False).str[0].astype("str")
    if written is not None and written.remove:
        identifier = identifier.str.replace(f"[{re.escape(written.remove)}]", "", regex=True)
        identifier = identifier.where(identifier != "", None)
    refuse_rows(
        identifier.isna(), f"column {column}: a firm identifier is missing", "delete or fill"
    )
    return (
        identifier
        if written is None or written.width is None
        else _padded(identifier, column, written.width)
    )


def _padded(identifier: pd.Series, column: str, width: int) -> pd.Series:
    refuse_rows(
        identifier.str.len() > width,
        f"column {column}: an identifier is longer than clean.identifier.width {width}",
        "declare the width, or characters to remove; see",
    )
    return identifier.str.zfill(width)


def calendar_year(values: pd.Series, column: str) -> pd.Series:
    """Return years as integers; raise DataError where one is missing or not a whole number."""
    years = pd.to_numeric(values, errors="coerce")
    faulty = years.isna() | (years % 1 != 0) | ~years.between(*_PLAUSIBLE_YEARS)
    refuse_rows(
        faulty, f"column {column}: a year is missing, no whole number or implausible", "correct"
    )
    return years.astype("Int64")


def years_of(values: pd.Series, date_format: str | None = None) -> pd.Series:
    """Return years as delivered, or those of dates (2009-10-31, or in the format given)."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pd.Series(values.dt.year)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values
    written = values.astype("str").str.strip()
    if date_format is not None:
        dates = pd.to_datetime(written, format=date_format, errors="coerce")
        return pd.Series(dates.dt.year.astype("Int64").astype("str").where(dates.notna(), written))
    return pd.Series(written.str.extract(r"^(\d{4})-\d{2}-\d{2}(?:[ T].*)?$")[0].fillna(written))


def numeric(values: pd.Series, column: NumberColumn) -> pd.Series:
    """Return a numeric column; raise DataError at text, infinity, or values out of bounds."""
    numeric = pd.to_numeric(values, errors="coerce").astype("float64")
    faulty = (numeric.isna() & values.notna()) | np.isinf(numeric)
    refuse_rows(faulty, f"column {column.column}: a value is no number", "correct, or empty")
    refuse_rows(
        numeric.abs() > LARGEST,
        f"column {column.column}: a value is beyond {LARGEST:g}, which variances cannot take",
        "correct, or empty",
    )
    refuse_rows(
        (numeric != 0) & (numeric.abs() < SMALLEST),
        f"column {column.column}: a value is nearer to zero than {SMALLEST:g}, which variances "
        "cannot take",
        "correct, or empty",
    )
    if column.minimum is not None:
        refuse_rows(
            numeric < column.minimum,
            f"column {column.column}: a value is below its minimum {column.minimum:g}",
            "correct, or declare another minimum for",
        )
    return numeric


def refuse_rows(
    faulty: pd.Series, rule: str, remedy: str, keys: pd.DataFrame | None = None
) -> None:
    """Raise RowsError with the faulty rows; the index of `faulty` is the position in its table."""
    if faulty.any():
        at = faulty.to_numpy(bool)
        positions = faulty.index[at].to_numpy(np.int64)
        raise rows_error(Refusal(rule, remedy, positions, None if keys is None else keys[at]))


def _whole(values: pd.Series) -> bool:
    present = values.dropna()
    return bool((present % 1 == 0).all())
