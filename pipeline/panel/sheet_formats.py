"""Numbers that a sheet's formats show otherwise: years as dates, percent, zeros in front."""

import datetime
import re
from collections import Counter
from typing import Any

from pipeline.errors import DataError

# Days of a spreadsheet that are years instead, where no other date of the column is.
_YEARS = range(1900, 2101)
_PADDED = re.compile("0{2,}")


def years_in_date_cells(cells: list[Any], epoch: datetime.datetime) -> list[Any]:
    """Return a column with years for dates, where every date in it is the day of a year's number.

    2010 in a cell formatted as a date is shown as 1905-07-02, or 1909-07-03 counted from 1904. A
    column that has other dates stays.
    """
    from openpyxl.utils.datetime import to_excel

    dates = [cell for cell in cells if isinstance(cell, datetime.datetime)]
    if not dates or any(to_excel(date, epoch) not in _YEARS for date in dates):
        return cells
    return [int(to_excel(c, epoch)) if isinstance(c, datetime.datetime) else c for c in cells]


def has_padded(workbook: Any) -> bool:
    """Say whether a workbook has a format that shows 34 as 000034."""
    return any(_PADDED.fullmatch(name) for name in _formats(workbook))


def padded(cell: Any) -> Any:
    """Return a cell's value, with the zeros in front that its format shows."""
    value = cell.value
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
    if whole and _PADDED.fullmatch(cell.number_format):
        return f"{int(value):0{len(cell.number_format)}d}"
    return value


def refuse_mixed_percent(workbook: Any, sheet: Any, file: str, first: int) -> None:
    """Raise DataError where a column has numbers shown in percent, and others beside zero.

    12% is 0.12 in its cell, and a 12 beside it is not; `first` is the first row of values.
    """
    if not any("%" in name for name in _formats(workbook)):
        return
    shown, plain = Counter[int](), Counter[int]()
    for row in sheet.iter_rows(min_row=first):
        for cell in row:
            if isinstance(cell.value, int | float) and cell.value:
                (shown if "%" in cell.number_format else plain)[cell.column] += 1
    both = sorted(shown.keys() & plain.keys())
    if both:
        raise DataError(
            f"{file}: column {both[0]} has {shown[both[0]]} numbers in percent (12% is 0.12) and "
            f"{plain[both[0]]} that are not: write all alike"
        )


def _formats(workbook: Any) -> list[str]:
    """Return the formats of numbers that a workbook's cells may have."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

    own = list(workbook._number_formats)
    used = {style.numFmtId for style in workbook._cell_styles}
    return [
        own[number - BUILTIN_FORMATS_MAX_SIZE]
        if number >= BUILTIN_FORMATS_MAX_SIZE
        else BUILTIN_FORMATS.get(number, "")
        for number in used
        if number < BUILTIN_FORMATS_MAX_SIZE + len(own)
    ]
