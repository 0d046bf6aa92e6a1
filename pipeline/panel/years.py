"""Years of raw columns: numbers, two digits, or dates of any declared form."""

import numpy as np
import pandas as pd

from pipeline.panel.values import distinct_values, refuse_rows
from pipeline.params.written import SERIAL, YearsWritten

# Calendar years, or numbered waves; beyond are typing errors.
_PLAUSIBLE_YEARS = (0, 9999)

# 2009-10-31, 2009/10/31 with or without a time, or 31/10/2009 whichever comes first, day or month:
# the year is beyond doubt.
_YEAR_FIRST = r"^(\d{4})([-/.])\d{1,2}\2\d{1,2}(?:[ T].*)?$"
_YEAR_LAST = r"^\d{1,2}([-/.])\d{1,2}\1(\d{4})(?:[ T].*)?$"
_ANY_DATE = r"\d{1,4}(?:[./-]\d{1,2}[./-]|[/-])\d{1,4}\b"

# What a spreadsheet's day 0 is, and the days of years that a panel may have (1938 to 2064).
_DAY_0 = pd.Timestamp("1899-12-30")
_SERIALS = (14_000, 60_000)
# Years of the days 1900 to 2100 in a spreadsheet, and what is near them.
_SHOWN, _NEAR_SHOWN = (1905, 1909), (1880, 1935)
_COMPACT = (19_000_101, 20_991_231)

# Waves are numbered from 1 without gaps; years of two digits begin late or leap over a century.
_WIDEST_GAP = 50

_AS_DELIVERED = YearsWritten()


def calendar_year(
    values: pd.Series, column: str, written: YearsWritten = _AS_DELIVERED
) -> pd.Series:
    """Return years as integers, those of dates too.

    Raises DataError where one is missing, no whole number, or a date whose form is not declared.
    """
    given = years_of(values, written)
    _refuse_shown_as_dates(values, given, column)
    years = pd.to_numeric(given, errors="coerce")
    if pd.api.types.is_bool_dtype(given.dtype):
        years = years.astype("float64").mask(years.notna())
    faulty = years.isna() | (years % 1 != 0) | ~years.between(*_PLAUSIBLE_YEARS)
    if faulty.any():
        _refuse_dates(given[faulty], column, written)
    refuse_rows(
        faulty, f"column {column}: a year is missing, no whole number or implausible", "correct"
    )
    return years.astype("Int64")


def years_of(values: pd.Series, written: YearsWritten = _AS_DELIVERED) -> pd.Series:
    """Return years as delivered, or those of dates; what is neither stays as it is."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pd.Series(values.dt.year)
    if written.date_format is not None:
        dates = dates_of(values, written)
        years = dates.dt.year.astype("Int64")
        if dates.notna().all():
            return pd.Series(years)
        text = values.astype("str").where(values.notna(), None)
        return pd.Series(years.astype("str").where(dates.notna(), text))
    if pd.api.types.is_numeric_dtype(values.dtype):
        return _four_digits(values, written)
    code, distinct = distinct_values(values)
    text = _plain(distinct)
    found = text.str.extract(_YEAR_FIRST)[0].fillna(text.str.extract(_YEAR_LAST)[1]).fillna(text)
    years = _four_digits(found, written)
    return pd.Series(years.array.take(code, allow_fill=True), values.index, name=values.name)


def dates_of(values: pd.Series, written: YearsWritten = _AS_DELIVERED) -> pd.Series:
    """Return dates in the declared form, else 2009-10-31; missing where a value is none."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pd.Series(values)
    text = _as_text(values)
    if written.date_format == SERIAL:
        days = pd.to_numeric(text, errors="coerce")
        possible = days.where(days.between(1, 2_958_465)).floordiv(1)
        dates = _DAY_0 + pd.to_timedelta(possible, unit="D")
        return pd.Series(dates.fillna(pd.to_datetime(text, errors="coerce", format="ISO8601")))
    dates = pd.to_datetime(text, errors="coerce", format=written.date_format or "ISO8601")
    if "%y" in (written.date_format or ""):
        year = _in_century(dates.dt.year % 100, written)
        parts = {"year": year, "month": dates.dt.month, "day": dates.dt.day}
        dates = pd.to_datetime(pd.DataFrame(parts), errors="coerce")
    return pd.Series(dates)


def _refuse_shown_as_dates(values: pd.Series, years: pd.Series, column: str) -> None:
    """Raise DataError where dates of 1905, or 1909, stand alone: 2010 in a cell of dates.

    A spreadsheet shows its day 2010 as 1905-07-02, and as 1909-07-03 in the calendar of old Macs.
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return
    found = pd.to_numeric(years, errors="coerce")
    shown = found.isin(_SHOWN) & ~values.astype("str").isin([str(year) for year in _SHOWN])
    others = found[~found.isin(_SHOWN)].dropna()
    refuse_rows(
        shown & (others.empty or not others.between(*_NEAR_SHOWN).any()),
        f"column {column}: a year is a date of 1905 or 1909, far from all others, as spreadsheets "
        "show the number 2010 in a cell of dates",
        "format such cells as numbers; see",
    )


def refuse_two_digits(values: pd.Series, years: pd.Series, column: str) -> None:
    """Raise DataError where years of a panel have two digits and params do not say of which."""
    found = np.unique(years.to_numpy())
    if not len(found) or found.max() > 99:
        return
    padded = not pd.api.types.is_numeric_dtype(values.dtype) and bool(
        values.astype("str").str.strip().str.fullmatch(r"0\d").any()
    )
    gap = np.diff(found).max(initial=0)
    refuse_rows(
        pd.Series(gap > _WIDEST_GAP or found.min() >= _WIDEST_GAP or (padded and found.min() != 1),
                  index=values.index),
        f"column {column}: years have two digits",
        "declare data.two_digit_years_from (1950: 50 is 1950, 49 is 2049); see",
    )  # fmt: skip


def refuse_day_numbers(numbers: pd.Series, column: str, written: YearsWritten) -> None:
    """Raise DataError where what is meant as a year counts a spreadsheet's days, or is a date."""
    refuse_rows(
        numbers.between(*_SERIALS),
        f"column {column}: a year is the number of a day, as spreadsheets write dates",
        f"declare {written.section}.date_format: {SERIAL}; see",
    )
    refuse_rows(
        numbers.between(*_COMPACT),
        f"column {column}: a year is a date of eight digits",
        f"declare {written.section}.date_format, '%Y%m%d' say; see",
    )


def _refuse_dates(faulty: pd.Series, column: str, written: YearsWritten) -> None:
    """Raise DataError where a value that is no year is a date in a form that is not declared."""
    refuse_day_numbers(pd.to_numeric(faulty, errors="coerce"), column, written)
    dates = faulty.astype("str").str.strip().str.match(_ANY_DATE).fillna(False).astype(bool)
    form = written.date_format
    refuse_rows(
        dates,
        f"column {column}: a year is written as a date"
        + (f", and not as {form}" if form else ""),
        f"declare {written.section}.date_format ('%d/%m/%Y' is 31/10/2009, '%Y-%m' is 2009-10), "
        "or write the year, in",
    )  # fmt: skip


def _as_text(values: pd.Series) -> pd.Series:
    """Return values as text; a whole number without decimals (20091031)."""
    if pd.api.types.is_float_dtype(values.dtype) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return _plain(values.astype("str").where(values.notna(), None))


def _plain(values: pd.Series) -> pd.Series:
    """Return text without blanks around it and the apostrophe that marks a cell as text."""
    return values.astype("str").str.strip().str.lstrip("'\u2019").str.strip()


def _four_digits(years: pd.Series, written: YearsWritten) -> pd.Series:
    """Return years with those of two digits in the declared century; others as they are."""
    if written.two_digit_years_from is None:
        return years
    numbers = pd.to_numeric(years, errors="coerce")
    short = numbers.between(0, 99) & (numbers % 1 == 0)
    full = _in_century(numbers, written).astype("Int64")
    return pd.Series(years.mask(short, full if _is_number(years) else full.astype("str")))


def _in_century(years: pd.Series, written: YearsWritten) -> pd.Series:
    first = written.two_digit_years_from or 0
    return pd.Series(first + (years - first) % 100)


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values.dtype)
