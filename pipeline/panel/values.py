"""Values of raw columns: text, identifiers, years and numbers, refused where they are not."""

import re

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes
from pipeline.datasets.panel import CALENDAR
from pipeline.errors import Refusal
from pipeline.panel.origin import rows_error
from pipeline.panel.scale import LARGEST, SMALLEST
from pipeline.params.clean import Identifier
from pipeline.params.data import NumberColumn

# Calendar years, or numbered waves; beyond are typing errors and dates or serial numbers of a
# spreadsheet.
_PLAUSIBLE_YEARS = (0, 9999)

# 1 and 0 as spreadsheets and people write them, in small letters.
_TRUE_FALSE = (
    ("true", "false"),
    ("verdadero", "falso"),
    ("verdadeiro", "falso"),
    ("vrai", "faux"),
    ("yes", "no"),
    ("sí", "no"),
    ("si", "no"),
    ("sim", "não"),
    ("sim", "nao"),
)

# #N/A, #VALUE!, #¡DIV/0!, #NAME?: what spreadsheets of any language write where a formula failed.
_SHEET_ERROR = r"#(?:N/A|N/D|N/DISP|NV|[¡¿]?[A-ZÀ-Ý/0]+[!?])"


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


def is_sheet_error(values: pd.Series) -> pd.Series:
    """Flag text that a spreadsheet shows where a formula failed: #N/A, #REF!."""
    code, distinct = distinct_values(values)
    failed = distinct.astype("str").str.fullmatch(_SHEET_ERROR).fillna(False).to_numpy(bool)
    return pd.Series(np.append(failed, False)[code], values.index)


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
        identifier.isna() | is_sheet_error(identifier),
        f"column {column}: a firm identifier is missing",
        "delete or fill",
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
    """Return years as integers, those of dates too.

    Raises DataError where one is missing, no whole number, or a date in another form than
    2009-10-31.
    """
    years = pd.to_numeric(years_of(values), errors="coerce")
    faulty = years.isna() | (years % 1 != 0) | ~years.between(*_PLAUSIBLE_YEARS)
    refuse_rows(
        faulty & _looks_like_date(values),
        f"column {column}: a year is written as a date",
        "write the year, or dates as 2009-10-31, in",
    )
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


def _looks_like_date(values: pd.Series) -> pd.Series:
    written = values.astype("str").str.strip()
    return written.str.match(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}").fillna(False).astype(bool)


def numeric(values: pd.Series, column: NumberColumn) -> pd.Series:
    """Return a numeric column: years of dates where its unit is the year, 1 and 0 of true, false.

    Raises DataError at text, other dates, infinity, or values out of bounds.
    """
    given = years_of(values) if column.unit == CALENDAR else values
    refuse_rows(
        given.notna() & pd.api.types.is_datetime64_any_dtype(given.dtype),
        f"column {column.column}: a value is a date",
        "declare unit: year where its year is meant, or correct",
    )
    numeric = pd.to_numeric(_as_one_and_zero(given), errors="coerce").astype("float64")
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


def _as_one_and_zero(values: pd.Series) -> pd.Series:
    """Return 1 and 0 where every value is one of two words for true and false, else as given."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values
    code, distinct = distinct_values(values)
    words = distinct.astype("str").str.strip().str.lower()
    for pair in _TRUE_FALSE:
        if len(words) and words.isin(pair).all():
            numbers = np.append((words == pair[0]).to_numpy(float), np.nan)
            return pd.Series(numbers[code], values.index)
    return values


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
