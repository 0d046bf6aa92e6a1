"""Read one sheet of an Excel workbook as whoever opens it sees it, within bounds."""

import datetime
import zipfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import DataError
from pipeline.panel.headings import joined_names
from pipeline.panel.sheet_formats import (
    has_padded,
    padded,
    refuse_mixed_percent,
    years_in_date_cells,
)
from pipeline.panel.sheet_layout import SheetLayout, Span, sheet_layout
from pipeline.params.written import FileFormat

# A sheet packs about 10 to 1; far beyond that, or beyond this size, it is made to exhaust memory.
_LARGEST_BYTES = 1 << 30
_LARGEST_RATIO = 200
_SMALL_BYTES = 1 << 20
# Of a longer number a spreadsheet keeps 15 digits, so no more are written.
_MOST_DIGITS = 10**15
# Titles above a header take fewer rows than this.
_HEADER_ROWS = 30


def read_spreadsheet(path: Path, written: FileFormat, max_rows: int) -> pd.DataFrame:
    """Read the named sheet, or the only visible one; numbers stay numbers, other cells become text.

    Of formulas the value is read that the workbook stores. Raises DataError where a sheet is absent
    or ambiguous, a formula has no value, rows or columns are hidden and params do not say what
    then, cells are merged below the header, or the file unpacks to more than a workbook can need.
    """
    from openpyxl import load_workbook

    _refuse_bomb(path)
    workbook = load_workbook(path, read_only=True, data_only=True, keep_links=False)
    try:
        sheet = workbook[_sheet_name(workbook, written.sheet, path.name)]
        layout = _layout(path, sheet)
        most = max_rows + written.header_rows + 1
        cells = _cells(sheet, written.header_row, most, as_shown=has_padded(workbook))
        refuse_mixed_percent(workbook, sheet, path.name, written.header_row + written.header_rows)
    finally:
        workbook.close()
    if not cells:
        return pd.DataFrame()
    _refuse_formulas(layout, path.name, written.header_row)
    return _table(cells, path.name, written, layout, workbook.epoch)


def _cells(sheet: Any, first: int, most: int, *, as_shown: bool = False) -> list[list[Any]]:
    """Return rows of a sheet from one on, all as wide, whatever size the file says it has.

    `as_shown` looks for numbers that their format shows with zeros in front.
    """
    sheet.reset_dimensions()
    found = islice(sheet.iter_rows(min_row=first, values_only=not as_shown), most)
    rows = [[padded(cell) for cell in row] if as_shown else list(row) for row in found]
    width = max(map(len, rows), default=0)
    return [row + [None] * (width - len(row)) for row in rows]


def _layout(path: Path, sheet: Any) -> SheetLayout:
    with zipfile.ZipFile(path) as archive:
        return sheet_layout(archive.read(sheet._worksheet_path))


def guess_sheet(path: Path) -> tuple[str | None, int, int]:
    """Return the visible sheet with most rows (None for an only one), and the rows of its header.

    The header's first row, and over how many it goes on: it is the first of the uppermost rows that
    fills as many cells as any of them, merged ones counted: titles above it fill fewer. Raises
    DataError where the file is no workbook, or made to exhaust memory.
    """
    try:
        _refuse_bomb(path)
        title, top, merged = _top_of_largest(path)
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{path.name} cannot be read as a workbook ({type(error).__name__}): open it, save it "
            "anew, deliver that"
        ) from None
    filled = [_n_filled(row) for row in _with_merged(top, merged, 1)]
    first = filled.index(max(filled)) + 1 if filled else 1
    return title, first, _height(first, merged)


def _top_of_largest(path: Path) -> tuple[str | None, list[list[Any]], Sequence[Span]]:
    """Return the name, uppermost rows and merged cells of the visible sheet with most rows."""
    from openpyxl import load_workbook

    workbook = load_workbook(path, read_only=True, keep_links=False)
    try:
        shown = _visible(workbook)
        largest = max((workbook[name] for name in shown), key=lambda sheet: _n_rows(path, sheet))
        top = _cells(largest, 1, _HEADER_ROWS)
        return None if len(shown) == 1 else str(largest.title), top, _layout(path, largest).merged
    finally:
        workbook.close()


def _n_rows(path: Path, sheet: Any) -> int:
    """Count the rows of a sheet; the size that the file says it has may be an older one."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(sheet._worksheet_path).count(b"<row")


def _n_filled(row: list[Any]) -> int:
    """Count the cells of a row that are filled; one name over all of them is a title."""
    filled = [cell for cell in row if cell is not None]
    return len(filled) if len(set(filled)) > 1 else len(set(filled))


def _height(first: int, merged: Sequence[Span]) -> int:
    """Return over how many rows a header goes on: a merged name stands above others."""
    of_header = [span for span in merged if span.top <= first <= span.bottom]
    wide = any(span.right > span.left for span in of_header)
    return max([1 + wide, *(span.bottom - first + 1 for span in of_header)])


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


def _refuse_formulas(layout: SheetLayout, file: str, header_row: int) -> None:
    formulas = [row for row in layout.without_values if row >= header_row]
    if formulas:
        raise DataError(
            f"{file} holds formulas without values in {len(formulas)} rows, the first in row "
            f"{formulas[0]}: open it, save it anew, or paste the sheet as values"
        )


def _table(
    cells: list[list[Any]],
    file: str,
    written: FileFormat,
    layout: SheetLayout,
    epoch: datetime.datetime,
) -> pd.DataFrame:
    first, below = written.header_row, written.header_row + written.header_rows
    header = _with_merged(cells[: written.header_rows], layout.merged, first)
    names, rows = joined_names(header), cells[written.header_rows :]
    named = _named_columns(names, rows, file)
    _refuse_merged(layout, file, below, max(named, default=-1) + 1)
    # A row's place in the sheet, blank rows counted, for messages.
    place = [i for i, row in enumerate(rows) if any(cell is not None for cell in row)]
    hidden = {i for i in place if i + below in layout.hidden_rows}
    unseen = [at for at in named if at + 1 in layout.hidden_columns]
    if written.hidden == "refuse":
        _refuse_hidden(hidden, unseen, file, below)
    if written.hidden == "leave_out":
        place = [i for i in place if i not in hidden]
    else:
        unseen = []
    # A repeated name must survive until it is refused, so columns are joined, not keyed.
    series = [
        pd.Series(
            _column([rows[i][at] for i in place], written.decimal, epoch),
            index=[i + written.header_rows - 1 for i in place],
            name=names[at],
        )
        for at in named
        if at not in unseen
    ]
    return pd.concat(series, axis=1) if series else pd.DataFrame()


def _named_columns(
    names: Sequence[str | None], rows: Sequence[Sequence[Any]], file: str
) -> list[int]:
    """Return the places of columns with a name; one without may hold nothing, left of others too.

    Raises DataError where a column without a name has cells.
    """
    width = max((len(row) for row in rows), default=0)
    unnamed = [at for at in range(width) if at >= len(names) or names[at] is None]
    if any(row[at] is not None for row in rows for at in unnamed):
        raise DataError(
            f"{file}: a column has cells but no name in the header row: name it, or declare "
            "data.source.format.header_row, and header_rows where names stand in several"
        )
    return [at for at, name in enumerate(names) if name is not None]


def _with_merged(rows: list[list[Any]], merged: Sequence[Span], first: int) -> list[list[Any]]:
    """Return the uppermost rows with the value of merged cells in each of them.

    A name that goes on downwards is that of the column, and stands once.
    """
    filled = [list(row) for row in rows]
    for span in merged:
        top, left = span.top - first, span.left - 1
        if not 0 <= top < len(rows) or left >= len(rows[top]):
            continue
        for i in range(top, min(span.bottom - first + 1, len(rows))):
            filled[i][left : span.right] = [rows[top][left]] * len(filled[i][left : span.right])
    return filled


def _refuse_merged(layout: SheetLayout, file: str, below: int, width: int) -> None:
    merged = [span.top for span in layout.merged if span.bottom >= below and span.left <= width]
    if merged:
        raise DataError(
            f"{file} has cells merged below its header in {len(merged)} places, the first in row "
            f"{min(merged)}: part them and fill each, or declare data.source.format.header_rows"
        )


def _refuse_hidden(rows: set[int], columns: list[int], file: str, below: int) -> None:
    if rows or columns:
        where = f", the first in row {min(rows) + below}" if rows else ""
        raise DataError(
            f"{file} has {len(rows)} hidden rows and {len(columns)} hidden columns{where}: show or "
            "delete them, or declare data.source.format.hidden (read, leave_out)"
        )


def _column(cells: list[Any], decimal: str, epoch: datetime.datetime) -> list[Any]:
    """Return numbers where all cells are numbers, else text; dates are written 2009-10-31."""
    cells = years_in_date_cells(cells, epoch)
    numbers = all(cell is None or isinstance(cell, int | float) for cell in cells)
    return cells if numbers else [_text(cell, decimal) for cell in cells]


def _text(cell: Any, decimal: str) -> str | None:
    """Return a cell as text; a number beside text with the decimal mark that text has."""
    if cell is None:
        return None
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, int | float) and abs(cell) >= _MOST_DIGITS:
        return f"{cell:.14e}".replace(".", decimal)
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).replace(".", decimal) if isinstance(cell, float) else str(cell)
