"""Identifiers and codes of more digits than their file holds: refused, since firms became one.

A number of double precision has every whole number up to 2^53, one of single precision up to
2^24, a spreadsheet 15 digits; text that a spreadsheet saved may be shortened to 1.23457E+11, and
a code such as 3-12 be a date.
"""

from collections.abc import Iterable

import pandas as pd

from pipeline.panel.identifiers import is_rounded, texts
from pipeline.panel.values import refuse_rows

_SHEETS = frozenset({".xlsx", ".xlsm"})
_OF_A_SHEET = 10**15
# First whole number that another one may have become, by the type of number.
_NOT_EXACT = {"float64": 2**53, "float32": 2**24}

# As date cells are written.
_DATE = r"\d{4}-\d{2}-\d{2}"


def refuse_inexact(table: pd.DataFrame, codes: Iterable[str], kind: str) -> None:
    """Raise RowsError where a column of codes holds numbers that its file cannot hold exactly.

    `kind` is the ending of the file; columns that it lacks are none of its faults.
    """
    for name in dict.fromkeys(codes):
        if name in table.columns:
            _refuse_column(table[name].reset_index(drop=True), name, kind)


def is_exact(values: pd.Series) -> bool:
    """Say whether a column of numbers holds whole numbers as they were before they were stored."""
    bound = _NOT_EXACT.get(str(values.dtype))
    return bound is None or bool((values.dropna().abs() < bound).all())


def _refuse_column(values: pd.Series, name: str, kind: str) -> None:
    told = {
        _OF_A_SHEET: "a spreadsheet keeps 15 digits of a number",
        _NOT_EXACT["float64"]: "double precision keeps whole numbers up to 2^53",
        _NOT_EXACT["float32"]: "single precision (float) keeps whole numbers up to 2^24",
    }
    bound = _OF_A_SHEET if kind in _SHEETS else _NOT_EXACT.get(str(values.dtype))
    if bound is not None:
        far = pd.to_numeric(values, errors="coerce").abs() >= bound
        # text of digits alone is exact wherever it stands
        as_number = values.map(lambda cell: not isinstance(cell, str)) if _is_text(values) else True
        refuse_rows(
            far.fillna(False).astype(bool) & as_number,
            f"column {name}: a code has more digits than the file holds: {told[bound]}",
            "deliver the column as text; see",
        )
    if kind in _SHEETS and _is_text(values):
        dates = values.str.fullmatch(_DATE).fillna(False).astype(bool)
        refuse_rows(
            dates & bool((values.notna() & ~dates).any()),
            f"column {name}: a code is a date, as spreadsheets make of 3-12",
            "format the column as text and write the code; see",
        )
    refuse_rows(
        _shortened(values),
        f"column {name}: a code is shortened to a power of ten, as spreadsheets show it, and the "
        "digits left out are lost",
        "deliver the column as text; see",
    )


def _is_text(values: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(values.dtype)


def _shortened(values: pd.Series) -> pd.Series:
    """Flag texts such as 1.23457E+11: fewer digits than the number has."""
    none = pd.Series(False, index=values.index)
    if not pd.api.types.is_string_dtype(values.dtype):
        return none
    powers = values[values.str.contains(r"[eE]", regex=True).fillna(False).astype(bool)]
    lost = pd.Series(is_rounded(texts(powers.str.strip())), index=powers.index, dtype=bool)
    return lost.reindex(values.index, fill_value=False)
