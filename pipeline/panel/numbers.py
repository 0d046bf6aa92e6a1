"""Numbers of raw columns, and truth values in words; refused where a value is neither."""

import unicodedata

import numpy as np
import pandas as pd

from pipeline.datasets.panel import CALENDAR
from pipeline.panel.number_marks import has_currency, plain_numbers
from pipeline.panel.scale import LARGEST, SMALLEST
from pipeline.panel.values import distinct_values, is_sheet_error, refuse_rows
from pipeline.panel.years import refuse_day_numbers, years_of
from pipeline.params.data import NumberColumn
from pipeline.params.written import YearsWritten

# 1 and 0 as spreadsheets and people write them, in small letters; no word is in both.
_TRUE = {"true", "t", "verdadero", "verdadera", "verdadeiro", "verdadeira", "v", "vrai", "vero",
         "wahr", "yes", "y", "sí", "si", "s", "sim", "oui", "sì", "ja"}  # fmt: skip
_FALSE = {"false", "f", "falso", "falsa", "faux", "falsch", "no", "n", "não", "nao", "non",
          "nein"}  # fmt: skip

_MARKED = r"[+-]?\d[\d.,'\u2019\s]*"
_PERCENT = r"[+-]?[\d.,'\u2019\s]*\d[.,]?\s?%"


def numeric(
    values: pd.Series, column: NumberColumn, written: YearsWritten | None = None
) -> pd.Series:
    """Return a numeric column: years of dates where its unit is the year, 1 and 0 of true, false.

    Values are in the column's unit: as delivered, times its factor where it has one. Percent signs
    are left out where every number has one and the factor says what a percent is.

    Raises DataError at text, other dates, infinity, or values out of bounds.
    """
    name, calendar = column.column, column.unit == CALENDAR
    written = written or YearsWritten()
    given = years_of(values, written) if calendar else values
    refuse_rows(
        given.notna() & _is_time(given),
        f"column {name}: a value is a date",
        "declare unit: year where its year is meant, or correct",
    )
    numeric = pd.to_numeric(_as_one_and_zero(given), errors="coerce").astype("float64")
    faulty = (numeric.isna() & values.notna()) | np.isinf(numeric)
    if faulty.any():
        plain = plain_numbers(given, faulty)
        if column.factor is not None:
            plain = _without_percent(plain, numeric[~faulty])
        numeric = numeric.where(~faulty, pd.to_numeric(plain, errors="coerce").astype("float64"))
        _refuse_no_numbers(numeric, plain, name)
    if calendar:
        refuse_day_numbers(numeric, name, written)
    if column.factor is not None:
        numeric = numeric * column.factor
    _refuse_out_of_bounds(numeric, column)
    return numeric


def _is_time(values: pd.Series) -> bool:
    kind = values.dtype
    return bool(
        pd.api.types.is_datetime64_any_dtype(kind) or pd.api.types.is_timedelta64_dtype(kind)
    )


def _without_percent(plain: pd.Series, others: pd.Series) -> pd.Series:
    """Return numbers without percent signs where all have one, zeros apart."""
    signed = plain.str.fullmatch(_PERCENT).fillna(False)
    if not signed.all() or (others.fillna(0) != 0).any():
        return plain
    return plain.str.rstrip("%").str.strip()


def _refuse_no_numbers(numeric: pd.Series, plain: pd.Series, name: str) -> None:
    """Raise DataError where what looked like no number still is none, by what it is instead."""
    at = numeric.loc[plain.index]
    faulty = at.isna() | np.isinf(at)
    refuse_rows(
        faulty & is_sheet_error(plain),
        f"column {name}: a value is an error of a spreadsheet (#N/A and its kin)",
        "correct or empty it, or list it in clean.missing_codes; see",
    )
    refuse_rows(
        faulty & plain.str.fullmatch(_PERCENT).fillna(False).astype(bool),
        f"column {name}: a number has a percent sign",
        "where all have it, declare the column's factor (1: its unit is percent, 0.01: it is a "
        "share), else correct; see",
    )
    refuse_rows(
        faulty & has_currency(plain),
        f"column {name}: numbers have marks of several currencies, or some have none",
        "write all in one; see",
    )
    refuse_rows(
        faulty & plain.str.fullmatch(_MARKED).fillna(False).astype(bool),
        f"column {name}: a number has marks between its digits",
        "declare data.source.format.decimal and thousands, or correct",
    )
    refuse_rows(
        faulty,
        f"column {name}: a value is no number",
        "correct or empty it, or list it in clean.missing_codes; see",
    )


def _refuse_out_of_bounds(numeric: pd.Series, column: NumberColumn) -> None:
    name = column.column
    refuse_rows(
        numeric.abs() > LARGEST,
        f"column {name}: a value is beyond {LARGEST:g}, which variances cannot take",
        "correct, or empty",
    )
    refuse_rows(
        (numeric != 0) & (numeric.abs() < SMALLEST),
        f"column {name}: a value is nearer to zero than {SMALLEST:g}, which variances cannot take",
        "correct, or empty",
    )
    if column.minimum is not None:
        refuse_rows(
            numeric < column.minimum,
            f"column {name}: a value is below its minimum {column.minimum:g}",
            "correct, or declare another minimum for",
        )


def _as_one_and_zero(values: pd.Series) -> pd.Series:
    """Return 1 and 0 where every value is a word for true or false; else as given."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values
    first = values.loc[values.notna()].iloc[:1].astype("str").map(_small)
    if not first.isin(_TRUE | _FALSE).any():  # as of nearly all columns
        return values
    code, distinct = distinct_values(values)
    words = distinct.astype("str").map(_small)
    if not words.isin(_TRUE | _FALSE).all():
        return values
    numbers = np.append(words.isin(_TRUE).to_numpy(float), np.nan)
    return pd.Series(numbers[code], values.index)


def _small(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()
