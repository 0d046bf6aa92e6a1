"""What was delivered: how text files are written, which files are years of one table."""

import csv
import warnings
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.commands.start.labels import variable_labels
from pipeline.commands.start.marks import guess_marks
from pipeline.errors import DataError
from pipeline.panel.archives import plain_file
from pipeline.panel.delivered import YEAR_IN_NAME
from pipeline.panel.file_contents import refuse_other_content
from pipeline.panel.footers import n_footer_rows, without_footer
from pipeline.panel.readers import file_kind, read_table
from pipeline.panel.spreadsheets import guess_sheet
from pipeline.panel.text_files import as_it_says, encoding_told
from pipeline.params.written import FileFormat

_SAMPLE_BYTES = 1 << 20
_LARGEST_TABLE = 20_000_000
_NO_YEARS = pd.Series(dtype="int64")


@dataclass(frozen=True)
class Delivery:
    """Hold one delivered table: a file, or yearly files that `pattern` fits.

    `years` are those of the file names, by file, and `year` that of each row; `partial` lists
    columns that some files lack. `footers` counts the rows left out below the table, by file;
    `labels` are those of a Stata file's variables.
    """

    pattern: str
    written: FileFormat
    table: pd.DataFrame
    years: dict[str, int]
    year: pd.Series
    partial: list[str]
    footers: dict[str, int]
    labels: dict[str, str]


# Endings of files whose format is guessed; others say it themselves, or are not read.
_GUESSED = {".xlsx", ".xlsm", ".csv", ".txt"}


def deliveries(files: list[Path]) -> list[Delivery]:
    """Read files, those whose names differ in a year alone as one table; the largest first.

    Raises DataError where a file cannot be read.
    """
    groups: dict[str, list[Path]] = {}
    for file in sorted(files):
        groups.setdefault(YEAR_IN_NAME.sub("*", file.name), []).append(file)
    found = [_delivery(name, group) for name, group in groups.items()]
    return sorted(found, key=lambda delivery: -len(delivery.table))


def _delivery(pattern: str, files: list[Path]) -> Delivery:
    written = guess_format(files[0])
    tables = {file.name: read_table(file, written, _LARGEST_TABLE) for file in files}
    labels = variable_labels(files[0])
    footers = {name: n for name, table in tables.items() if (n := n_footer_rows(table))}
    if footers:
        written = written.model_copy(update={"footer": "leave_out"})
        tables = {name: without_footer(table) for name, table in tables.items()}
    columns = [{str(name) for name in table.columns} for table in tables.values()]
    partial = sorted(set[str]().union(*columns) - columns[0].intersection(*columns))
    if len(files) == 1:
        table = tables[files[0].name].reset_index(drop=True)
        return Delivery(files[0].name, written, table, {}, _NO_YEARS, [], footers, labels)
    years = {name: int(YEAR_IN_NAME.findall(name)[0]) for name in tables}
    stacked = pd.concat([table.astype("str") for table in tables.values()], ignore_index=True)
    year = pd.Series([years[name] for name, table in tables.items() for _ in range(len(table))])
    return Delivery(pattern, written, stacked, years, year, partial, footers, labels)


def guess_format(path: Path) -> FileFormat:
    """Guess how a file is written; files that say so themselves have the default."""
    if not path.is_file():
        raise DataError(f"{path} cannot be read: No such file")
    with plain_file(path) as plain:
        if plain.suffix.lower() in _GUESSED:
            refuse_other_content(plain, file_kind(path), path.name, FileFormat().encoding)
        if plain.suffix.lower() in {".xlsx", ".xlsm"}:
            with warnings.catch_warnings():
                # of the library, which quote cells
                warnings.simplefilter("ignore")
                sheet, header_row, header_rows = guess_sheet(plain)
            return FileFormat(sheet=sheet, header_row=header_row, header_rows=header_rows)
        return _guess_text(plain) if plain.suffix.lower() in {".csv", ".txt"} else FileFormat()


def _guess_text(path: Path) -> FileFormat:
    try:
        with path.open("rb") as file:
            sample = file.read(_SAMPLE_BYTES)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    encoding = _encoding(sample)
    told = as_it_says(path, FileFormat(encoding=encoding))
    text = sample.decode(encoding, errors="ignore")
    if not text.strip():
        raise DataError(f"{path.name} is empty")
    separated = told.header_row > 1
    delimiter = told.delimiter if separated else _delimiter(text)
    decimal, thousands = guess_marks(text.splitlines()[told.header_row - 1 :], delimiter)
    return FileFormat(encoding=encoding, delimiter=delimiter, decimal=decimal, thousands=thousands)


def _encoding(sample: bytes) -> str:
    told = encoding_told(sample)
    if told is not None:
        return told
    try:
        sample[: len(sample) - 4].decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _delimiter(text: str) -> str:
    """Return the mark that splits the first lines into the same number of cells, over one."""
    lines = text.splitlines()[:20]
    counts = {
        mark: {len(cells) for cells in csv.reader(lines, delimiter=mark) if cells}
        for mark in (";", "\t", "|", ",")
    }
    even = [mark for mark, found in counts.items() if len(found) == 1 and max(found) > 1]
    return even[0] if even else ","
