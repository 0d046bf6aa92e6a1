"""Read a file of text cells: written as it says itself, else as declared."""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as arrow_csv

from pipeline.errors import DataError
from pipeline.panel.headings import column_name, filled_right, joined_names
from pipeline.params.written import FileFormat

_BLOCK_BYTES = 1 << 24
_SAMPLE_BYTES = 1 << 12

# Of text files by their ending; None is as declared.
DELIMITERS = {".csv": None, ".tsv": "\t", ".txt": None}

# First bytes that say how a file is encoded; longer ones first, since one begins like another.
_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8",
}
# What a spreadsheet writes above the header to say which mark parts cells.
_SEPARATOR = re.compile(r"\ufeff?\"?sep=(.)\"?\r?(?:\n|$)", re.IGNORECASE)


def read_text(path: Path, written: FileFormat, max_rows: int) -> pd.DataFrame:
    """Read text cells; a row with more or fewer cells than the header is an error.

    The index is a row's place after the header's first line as declared, from 0.
    """
    told = as_it_says(path, written)
    named = [name or "" for name in _names(path, told)] if told.header_rows > 1 else None
    names = named or _open(path, told, None, {}).schema.names
    batches, n_rows = [], 0
    with _open(path, told, named, dict.fromkeys(names, pa.string())) as reader:
        for batch in reader:
            batches.append(batch)
            n_rows += batch.num_rows
            if n_rows > max_rows:
                break
    table = pa.Table.from_batches(batches, reader.schema)
    # by position: a repeated name must survive until it is refused
    columns = [_unwrapped(column) for column in table.columns]
    frame = pd.DataFrame(pa.Table.from_arrays(columns, names=table.column_names).to_pandas())
    _refuse_open_quote(path, frame)
    frame.index += told.header_row + told.header_rows - 1 - written.header_row
    return _without_blank(frame)


def as_it_says(path: Path, written: FileFormat) -> FileFormat:
    """Return a format with the encoding and separator that the file itself tells, if any."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    encoding = encoding_told(sample) or written.encoding
    separator = _SEPARATOR.match(sample.decode(encoding, errors="ignore"))
    fixed = DELIMITERS.get(path.suffix.lower()) or written.delimiter
    return written.model_copy(
        update={
            "encoding": encoding,
            "delimiter": separator[1] if separator else fixed,
            "header_row": max(written.header_row, 2) if separator else written.header_row,
        }
    )


def encoding_told(sample: bytes) -> str | None:
    """Return the encoding that the first bytes tell: by a mark, or by zeros beside letters."""
    for mark, encoding in _MARKS.items():
        if sample.startswith(mark):
            return encoding
    even, odd = sample[0::2], sample[1::2]
    for zeros, letters, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros.count(0) > 0.5 * len(zeros) and not letters.count(0):
            return encoding
    return None


def why_unreadable(path: Path, written: FileFormat, error: Exception) -> DataError:
    """Return the message for a file that the library cannot read: a ragged row, or the format."""
    told = as_it_says(path, written)
    ragged = None
    with suppress(UnicodeError):
        ragged = _ragged_row(path, told)
    if ragged is not None:
        return DataError(
            f"{path.name}: {ragged}; correct it (delete it where it is a note below the table), or "
            "declare data.source.format (delimiter, header_row)"
        )
    return DataError(
        f"{path.name} cannot be read with encoding {told.encoding}, delimiter {told.delimiter!r} "
        f"({type(error).__name__}): declare data.source.format (encoding: cp1252 where accents "
        "are of Windows), or correct the file"
    )


def _open(
    path: Path, told: FileFormat, names: list[str] | None, types: dict[str, pa.DataType]
) -> arrow_csv.CSVStreamingReader:
    above = told.header_row - 1 + (told.header_rows if names else 0)
    return arrow_csv.open_csv(
        path,
        arrow_csv.ReadOptions(
            encoding=told.encoding, skip_rows=above, block_size=_BLOCK_BYTES, column_names=names
        ),
        arrow_csv.ParseOptions(delimiter=told.delimiter, newlines_in_values=True),
        arrow_csv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""]),
    )


def _rows(path: Path, told: FileFormat) -> Iterator[tuple[int, list[str]]]:
    """Yield rows of cells from the header on, with the number of their last line."""
    above = told.header_row - 1
    with path.open(encoding=told.encoding, errors="replace", newline="") as file:
        rows = csv.reader(islice(file, above, None), delimiter=told.delimiter)
        # what is no text at all has no rows either
        with suppress(csv.Error):
            for row in rows:
                yield rows.line_num + above, row


def _names(path: Path, told: FileFormat) -> list[str | None]:
    header = [row for _, row in islice(_rows(path, told), told.header_rows)]
    return joined_names([*map(filled_right, header[:-1]), *header[-1:]])


def _ragged_row(path: Path, told: FileFormat) -> str | None:
    """Name the first row that has not as many cells as the header."""
    rows = _rows(path, told)
    _, header = next(rows, (0, []))
    for number, row in rows:
        if row and len(row) != len(header):
            return f"row {number} has {len(row)} cells, the header {len(header)}"
    return None


def _unwrapped(column: Any) -> Any:
    """Return ="0501", which makes a spreadsheet keep text as it is, as 0501."""
    if not compute.any(compute.starts_with(column, '="')).as_py():
        return column
    return compute.replace_substring_regex(column, r'^="([^"]*)"$', r"\1")


def _refuse_open_quote(path: Path, frame: pd.DataFrame) -> None:
    """Raise DataError where the last cell swallowed rows: its quotation mark is never closed."""
    last = frame.iat[-1, -1] if frame.size else None
    if not isinstance(last, str) or "\n" not in last:
        return
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _SAMPLE_BYTES, 0))
        end = file.read().rstrip(b"\r\n\t \x00")
    if not end.endswith(b'"'):
        raise DataError(f"{path.name}: a quotation mark is opened and never closed: correct it")


def _without_blank(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table without columns that have neither name nor cells, and rows without cells.

    Spreadsheets write marks for all that was ever touched: `;;;` below a table, or at each end.
    """
    named = [
        bool(column_name(name)) or not frame.iloc[:, at].isna().all()
        for at, name in enumerate(frame.columns)
    ]
    found = frame if all(named) else frame.loc[:, named]
    first = found.iloc[:, 0].isna() if found.shape[1] > 1 else pd.Series(False, found.index)
    blank = found[first].isna().all(axis=1)
    return found if not blank.any() else found.drop(index=blank.index[blank])
