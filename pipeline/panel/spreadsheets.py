"""Read one sheet of an Excel workbook, without its formulas and within bounds."""

import datetime
import zipfile
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import DataError
from pipeline.params.written import FileFormat

# A sheet packs about 10 to 1; far beyond that, or beyond this size, it is made to exhaust memory.
_LARGEST_BYTES = 1 << 30
_LARGEST_RATIO = 200
_SMALL_BYTES = 1 << 20
# Titles above a header take fewer rows than this.
_HEADER_ROWS = 30


def read_spreadsheet(path: Path, written: FileFormat, max_rows: int) -> pd.DataFrame:
    """Read the named sheet, or the only visible one; numbers stay numbers, other cells become text.

    Raises DataError where a sheet is absent or ambiguous, holds formulas (their value is not
    stored reliably), or unpacks to more than a workbook can need.
    """
    from openpyxl import load_workbook

    _refuse_bomb(path)
    workbook = load_workbook(path, read_only=True, data_only=False, keep_links=False)
    try:
        sheet = workbook[_sheet_name(workbook, written.sheet, path.name)]
        rows = sheet.iter_rows(min_row=written.header_row)
        cells = [list(row) for row in islice(rows, max_rows + 2)]
    finally:
        workbook.close()
    if not cells:
        return pd.DataFrame()
    _refuse_formulas(cells, path.name, written.header_row)
    return _table([[cell.value for cell in row] for row in cells], path.name)


def guess_sheet(path: Path) -> tuple[str | None, int]:
    """Return the visible sheet with most rows (None for an only one) and the row of its header.

    The header is the first of the uppermost rows that fills as many cells as any of them: titles
    above it fill fewer. Raises DataError where the file is no workbook, or made to exhaust memory.
    """
    from openpyxl import load_workbook

    try:
        _refuse_bomb(path)
        workbook = load_workbook(path, read_only=True, keep_links=False)
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{path.name} cannot be read as a workbook ({type(error).__name__}): open it, save it "
            "anew, deliver that"
        ) from None
    try:
        shown = _visible(workbook)
        largest = max((workbook[name] for name in shown), key=lambda sheet: sheet.max_row or 0)
        top = list(largest.iter_rows(max_row=_HEADER_ROWS, values_only=True))
        only = len(shown) == 1
        title = str(largest.title)
    finally:
        workbook.close()
    filled = [sum(cell is not None for cell in row) for row in top]
    return None if only else title, filled.index(max(filled)) + 1 if filled else 1


def _refuse_bomb(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
        packed = sum(part.compress_size for part in archive.infolist())
    ratio = unpacked / max(packed, 1)
    if unpacked > _LARGEST_BYTES or (unpacked > _SMALL_BYTES and ratio > _LARGEST_RATIO):
        raise DataError(
            f"{path.name} unpacks to {unpacked / 1e6:.0f} MB, {ratio:.0f} times its size: no "
            "ordinary workbook does; deliver it as CSV"
        )


def _visible(workbook: Any) -> list[str]:
    """Return the sheets that whoever opens the workbook sees; all where none is visible."""
    shown = [sheet.title for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    return shown or list(workbook.sheetnames)


def _sheet_name(workbook: Any, wanted: str | None, file: str) -> str:
    """Return the sheet that is named, hidden or not, or else the only one that is visible."""
    if wanted in workbook.sheetnames:
        return str(wanted)
    shown = _visible(workbook)
    if wanted is None and len(shown) == 1:
        return shown[0]
    raise DataError(f"{file}: name one of its sheets in `sheet`: {', '.join(shown)}")


def _refuse_formulas(cells: list[list[Any]], file: str, header_row: int) -> None:
    formulas = [
        number
        for number, row in enumerate(cells, header_row)
        if any(cell.data_type == "f" for cell in row)
    ]
    if formulas:
        raise DataError(
            f"{file} holds formulas in {len(formulas)} rows, the first in row {formulas[0]}: copy "
            "the sheet and paste it as values"
        )


def _table(values: list[list[Any]], file: str) -> pd.DataFrame:
    header, *rows = values
    width = max((i for i, name in enumerate(header, 1) if name is not None), default=0)
    unnamed = [i for i, name in enumerate(header[:width], 1) if name is None]
    beyond = any(cell is not None for row in rows for cell in row[width:])
    if unnamed or beyond:
        raise DataError(f"{file}: a column has cells but no name in the header row")
    # The index keeps a row's place in the sheet, blank rows counted, for messages.
    place = [i for i, row in enumerate(rows) if any(cell is not None for cell in row)]
    columns = zip(*(rows[i] + [None] * (width - len(rows[i])) for i in place), strict=False)
    named = zip(header, columns, strict=False)
    # A repeated name must survive until it is refused, so columns are joined, not keyed.
    series = [
        pd.Series(_column(list(cells)), index=place, name=str(name).strip())
        for name, cells in named
    ]
    return pd.concat(series, axis=1) if series else pd.DataFrame()


def _column(cells: list[Any]) -> list[Any]:
    """Return numbers where all cells are numbers, else text; dates are written 2009-10-31."""
    numbers = all(cell is None or isinstance(cell, int | float) for cell in cells)
    return cells if numbers else [_text(cell) for cell in cells]


def _text(cell: Any) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
