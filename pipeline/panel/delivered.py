"""From delivered files to one table: yearly files, renames, wide layouts, number formats."""

import re
from pathlib import Path

import pandas as pd

from pipeline.datasets.panel import CALENDAR
from pipeline.errors import DataError, told_columns
from pipeline.panel.exact_codes import refuse_inexact
from pipeline.panel.number_marks import plain_numbers
from pipeline.panel.origin import Segment, file_origin, located, stacked
from pipeline.panel.readers import file_kind, first_row, read_table
from pipeline.panel.values import refuse_rows
from pipeline.params.data import DataSection, FileSource, NumberColumn, Wide
from pipeline.params.written import FileFormat, key_columns

# Spaces of any kind (no-break, narrow, thin, wide) and apostrophes that part thousands.
_SPACES = r"\s"
_APOSTROPHES = "'\u2019\u02bc\u00b4`"

# How many different numbers tell marks between thousands from decimals; so many are tried first.
_FEWEST_MARKED, _FIRST = 30, 1000

# A calendar year in a file name, not part of a longer number.
YEAR_IN_NAME = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")


def read_panel(
    source: FileSource, data: DataSection, folder: Path
) -> tuple[pd.DataFrame, list[Segment]]:
    """Read the panel file, or all files of a pattern one below the other, in long layout.

    Returns the table and where its rows come from.

    Raises DataError where no file fits the pattern, a rename finds no column, or numbers are
    not written as declared.
    """
    paths = delivered_files(folder, source.panel)
    if not paths:
        raise DataError(f"no file in {folder.as_posix()} fits data.source.panel {source.panel}")
    tables, origins, left = list[pd.DataFrame](), list[list[Segment]](), data.max_rows
    for path in paths:
        table, origin = _read_one(path, source, data, left)
        tables.append(table)
        origins.append(origin)
        left -= len(table)
    panel = tables[0].reset_index(drop=True) if len(tables) == 1 else stacked_tables(tables)
    origin = stacked(origins)
    if source.wide is not None:
        years = len(wide_years(source.wide))
        if len(panel) * years > data.max_rows:
            raise DataError(
                f"{source.panel} holds {len(panel)} rows of {years} years, more than data.max_rows "
                f"{data.max_rows} firm-years"
            )
        panel = long_layout(panel, source.wide, data.year)
        origin = stacked([origin] * years)
    numbers = [c for c in data.delivered.values() if isinstance(c, NumberColumn)]
    calendar = {data.year, *(c.column for c in numbers if c.unit == CALENDAR)}
    with located(origin):
        pointed = point_decimals(panel, {c.column for c in numbers} - calendar, source.format)
        return point_years(pointed, calendar, source.format), origin


def _read_one(
    path: Path, source: FileSource, data: DataSection, most: int
) -> tuple[pd.DataFrame, list[Segment]]:
    """Read one file with the names of params, and where its rows come from."""
    table = _renamed(read_table(path, source.format, most), source.rename, path.name)
    origin = file_origin(path.name, table.index, first_row(path, source.format))
    with located(origin):
        refuse_inexact(table, _codes(data, source.wide), file_kind(path))
    if source.year_in_name:
        table = _with_year(table, path.name, data.year)
    return table, origin


def _codes(data: DataSection, wide: Wide | None) -> list[str]:
    """Return the columns of identifiers and codes, as files have them."""
    texts = [c.column for c in data.delivered.values() if not isinstance(c, NumberColumn)]
    codes = [*key_columns(data.firm_id), *texts]
    by_year = wide.columns if wide is not None else {}
    return [name for code in codes for name in by_year.get(code, {0: code}).values()]


def delivered_files(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a pattern in name order; the order of the disk never matters.

    A file of that very name comes first: brackets in it are no pattern then. What spreadsheets and
    systems leave beside files (~$firms.xlsx, ._firms.csv) is none of them.
    """
    if (folder / pattern).is_file():
        return [folder / pattern]
    found = (path for path in folder.glob(pattern) if not path.name.startswith(("~$", ".")))
    return sorted(path for path in found if path.is_file())


def stacked_tables(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put yearly tables one below the other; a column that is text in one year is text in all."""
    names = dict.fromkeys(name for table in tables for name in table.columns)
    mixed = {
        name
        for name in names
        if len({_is_number(table[name]) for table in tables if name in table.columns}) > 1
    }
    texts = [
        table.assign(**{name: table[name].astype("str") for name in mixed & set(table.columns)})
        for table in tables
    ]
    return pd.concat(texts, ignore_index=True)


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype)


def _renamed(table: pd.DataFrame, rename: dict[str, dict[str, str]], file: str) -> pd.DataFrame:
    names = rename.get(file, {})
    absent = [name for name in names if name not in table.columns]
    if absent:
        raise DataError(
            f"data.source.rename: {file} has no column {', '.join(absent)}; "
            f"{told_columns(list(table.columns), names)}"
        )
    renamed = table.rename(columns=names)
    twice = renamed.columns[renamed.columns.duplicated()]
    if len(twice):
        raise DataError(
            f"data.source.rename: {file} has {', '.join(twice)} already, or two columns become "
            "it: rename that one too"
        )
    return renamed


def _with_year(table: pd.DataFrame, file: str, column: str) -> pd.DataFrame:
    years = YEAR_IN_NAME.findall(file)
    if len(years) != 1:
        raise DataError(f"{file}: data.source.year_in_name needs one year in the file name")
    if column in table.columns and (pd.to_numeric(table[column], "coerce") != int(years[0])).any():
        raise DataError(
            f"{file} has a column {column} with other years than its name: name that column in "
            "data.year without data.source.year_in_name, or another in data.year"
        )
    return table.assign(**{column: int(years[0])})


def long_layout(table: pd.DataFrame, wide: Wide, year: str) -> pd.DataFrame:
    """Turn one row per firm into one per firm and year; other columns repeat in every year.

    Raises DataError where a named column is absent, or a new name is taken.
    """
    moved = {name for by_year in wide.columns.values() for name in by_year.values()}
    absent = sorted(moved - set(table.columns))
    if absent:
        raise DataError(f"data.source.wide names {', '.join(absent)}, which the file lacks")
    new = {*wide.columns, year, *([wide.number_rows] if wide.number_rows else [])}
    taken = sorted(new & (set(table.columns) - moved))
    if taken:
        raise DataError(f"data.source.wide: the file has a column {', '.join(taken)} already")
    fixed = table.drop(columns=list(moved))
    if wide.number_rows is not None:
        fixed = fixed.assign(**{wide.number_rows: range(1, len(table) + 1)})
    parts = []
    for at in wide_years(wide):
        values = {
            name: table[by_year[at]] for name, by_year in wide.columns.items() if at in by_year
        }
        parts.append(fixed.assign(**{year: at}, **values))
    return pd.concat(parts, ignore_index=True)


def wide_years(wide: Wide) -> list[int]:
    """Return the years of a wide layout, ascending."""
    return sorted({at for by_year in wide.columns.values() for at in by_year})


def point_decimals(table: pd.DataFrame, numbers: set[str], written: FileFormat) -> pd.DataFrame:
    """Write the numbers of the named columns with a point and without thousands marks.

    Raises DataError where a text cell has marks in other places than declared: 1.5 is no number
    where the point marks thousands; and where what is declared, or taken, as the decimal mark
    seems to part thousands.
    """
    texts = [name for name in sorted(numbers & set(table.columns)) if not _is_number(table[name])]
    if written.thousands is None:
        for name in texts:
            _refuse_doubtful(table[name], written.decimal)
        if written.decimal == ".":
            return table
    return table.assign(**{name: _pointed(table[name], written) for name in texts})


def _refuse_doubtful(values: pd.Series, decimal: str) -> None:
    """Raise DataError where each decimal mark stands before three digits, and 1000 is never whole.

    1.234 beside 56 is then 1234: decimals of three digits end in 0, which is not written, in one of
    ten numbers.
    """
    cells = values.dropna().astype("str").str.strip()
    marked = cells[cells.str.contains(decimal, regex=False)]
    shape = rf"[+-]?[1-9]\d{{0,2}}{re.escape(decimal)}\d{{3}}"
    if not _match(marked.iloc[:_FIRST], shape).all() or not _match(marked, shape).all():
        return
    whole = cells[_match(cells, r"[+-]?\d+")]
    if marked.nunique() < _FEWEST_MARKED or whole.empty or whole.str.len().max() > len("+999"):
        return
    other = "," if decimal == "." else "."
    refuse_rows(
        values.index.to_series().isin(marked.index),
        f"column {values.name}: every {decimal!r} stands before three digits, as between thousands",
        f"declare data.source.format: thousands {decimal!r} with decimal {other!r}, or thousands "
        f"{other!r} where these are decimals; see",
    )


def point_years(table: pd.DataFrame, years: set[str], written: FileFormat) -> pd.DataFrame:
    """Write years as numbers with a point; what is none, such as 31.12.2010, stays for `clean`."""
    texts = [name for name in sorted(years & set(table.columns)) if not _is_number(table[name])]
    if written.decimal == "." and written.thousands is None:
        return table
    return table.assign(**{name: _where_they_fit(table[name], written)[0] for name in texts})


def mark_pattern(mark: str) -> str:
    """Return a pattern of a mark between thousands, of whichever kind a space or apostrophe is."""
    kinds = {" ": f"[{_SPACES}]", "'": f"[{_APOSTROPHES}]"}
    return kinds.get(mark, re.escape(mark))


def _pointed(values: pd.Series, written: FileFormat) -> pd.Series:
    pointed, fits = _where_they_fit(values, written)
    looks = rf"[+-]?\d[\d.,{_SPACES}{_APOSTROPHES}]*"
    refuse_rows(
        _match(plain_numbers(values, ~fits), looks).reindex(fits.index, fill_value=False),
        f"column {values.name}: a number is not written with decimal {written.decimal!r} and "
        f"thousands {written.thousands!r}",
        "declare data.source.format, or correct",
    )
    return pointed


def _where_they_fit(values: pd.Series, written: FileFormat) -> tuple[pd.Series, pd.Series]:
    """Return values, written with a point where they are numbers as declared, and where so."""
    decimal = re.escape(written.decimal)
    thousands = mark_pattern(written.thousands) if written.thousands else None
    whole = rf"(?:\d{{1,3}}(?:{thousands}\d{{3}})+|\d+)" if thousands else r"\d+"
    number = rf"[+-]?{whole}(?:{decimal}\d*)?(?:[eE][+-]?\d+|\s?%)?"
    cells = values.astype("str").str.strip()
    fits = _match(cells, number)
    if not fits.all():
        # the few that are typed with other signs
        cells = cells.where(fits, plain_numbers(values, ~fits).reindex(cells.index))
        fits |= _match(cells[~fits], number).reindex(fits.index, fill_value=False)
    plain = cells.str.replace(thousands, "", regex=True) if thousands else cells
    return values.where(~fits, plain.str.replace(written.decimal, ".", regex=False)), fits


def _match(cells: pd.Series, pattern: str) -> pd.Series:
    return pd.Series(cells.str.fullmatch(pattern).fillna(False).astype(bool))
