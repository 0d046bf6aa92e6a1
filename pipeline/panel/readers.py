"""Read one delivered file as a table: CSV, Parquet, Stata or Excel.

CSV cells stay text, so that nothing is guessed. Whatever is wrong with a file ends in DataError:
the libraries below raise nearly anything at a damaged or hostile one.
"""

import csv
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from pipeline.errors import DataError
from pipeline.panel.spreadsheets import read_spreadsheet
from pipeline.params.written import FileFormat

_BLOCK_BYTES = 1 << 24

# Of text files by their ending; None is as declared.
_DELIMITERS = {".csv": None, ".txt": None, ".tsv": "\t"}

Reader = Callable[[Path, FileFormat, int], pd.DataFrame]


def read_table(path: Path, written: FileFormat, max_rows: int) -> pd.DataFrame:
    """Read a file by its ending; `written` says how, `max_rows` bounds what may be in it.

    The index is a row's place after the header, from 0.

    Raises DataError where the file is missing, empty, larger than allowed, of no known kind, or
    unreadable, and where two columns share a name.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path.name}: files end in {' or '.join(_READERS)}; convert it first")
    try:
        with warnings.catch_warnings():
            # of libraries, which quote cells
            warnings.simplefilter("ignore")
            frame = reader(path, written, max_rows)
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except Exception as error:
        # never the library's own words, which quote cells
        raise DataError(f"{path.name} cannot be read{_hint(path, written, error)}") from None
    _refuse_unusable(frame, path.name, max_rows)
    return frame


def first_row(path: Path, written: FileFormat) -> int:
    """Return how a file numbers its first row of values: after the header, or 1 without one."""
    return 1 if path.suffix.lower() in {".parquet", ".dta"} else written.header_row + 1


def _refuse_unusable(frame: pd.DataFrame, file: str, max_rows: int) -> None:
    if len(frame) > max_rows:
        raise DataError(f"{file} holds more than data.max_rows {max_rows} rows")
    if frame.empty:
        raise DataError(f"{file} holds no rows: deliver the file again")
    names = pd.Index([str(name) for name in frame.columns])
    # Positions, no names: the first row may be no header but a firm's values.
    repeated = np.flatnonzero(names.duplicated(keep=False)) + 1
    if len(repeated):
        listed = ", ".join(map(str, repeated))
        raise DataError(f"{file} has several columns of one name: rename columns {listed}")


def _hint(path: Path, written: FileFormat, error: Exception) -> str:
    """Return what to look at; raise DataError where a row of text has too many or few cells."""
    kind, fault = path.suffix.lower(), type(error).__name__
    if kind not in _DELIMITERS:
        return f" as a {kind} file ({fault}): open it, save it anew and deliver that"
    text = _text_format(kind, written)
    refuse_ragged(path, text)
    return (
        f" with encoding {text.encoding}, delimiter {text.delimiter!r} ({fault}): declare "
        "data.source.format, or correct the file"
    )


def _text_format(kind: str, written: FileFormat) -> FileFormat:
    delimiter = _DELIMITERS[kind]
    return written if delimiter is None else written.model_copy(update={"delimiter": delimiter})


def _read_csv(path: Path, written: FileFormat, max_rows: int) -> pd.DataFrame:
    """Read text cells; a row with more or fewer cells than the header is an error."""
    names = _open_csv(path, written, {}).schema.names
    batches, n_rows = [], 0
    with _open_csv(path, written, dict.fromkeys(names, pa.string())) as reader:
        for batch in reader:
            batches.append(batch)
            n_rows += batch.num_rows
            if n_rows > max_rows:
                break
    return pd.DataFrame(pa.Table.from_batches(batches, reader.schema).to_pandas())


def _open_csv(
    path: Path, written: FileFormat, types: dict[str, pa.DataType]
) -> arrow_csv.CSVStreamingReader:
    return arrow_csv.open_csv(
        path,
        arrow_csv.ReadOptions(
            encoding=written.encoding, skip_rows=written.header_row - 1, block_size=_BLOCK_BYTES
        ),
        arrow_csv.ParseOptions(delimiter=written.delimiter, newlines_in_values=True),
        arrow_csv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""]),
    )


def _read_tsv(path: Path, written: FileFormat, max_rows: int) -> pd.DataFrame:
    return _read_csv(path, _text_format(".tsv", written), max_rows)


def _read_parquet(path: Path, _: FileFormat, max_rows: int) -> pd.DataFrame:
    n_rows = parquet.ParquetFile(path).metadata.num_rows
    if n_rows > max_rows:
        raise DataError(f"{path.name} holds {n_rows} rows, more than data.max_rows {max_rows}")
    return pd.read_parquet(path).reset_index(drop=True)


def _read_stata(path: Path, written: FileFormat, max_rows: int) -> pd.DataFrame:
    """Read codes, or their value labels where declared; a code without a label stays a code."""
    labels = written.value_labels
    if labels:
        _refuse_ambiguous_labels(path)
    with pd.read_stata(path, chunksize=max_rows + 1, convert_categoricals=labels) as reader:
        frame = next(iter(reader), pd.DataFrame())
    labelled = {
        name: frame[name].astype("str").where(frame[name].notna(), None)
        for name in frame.columns
        if isinstance(frame[name].dtype, pd.CategoricalDtype)
    }
    return frame.assign(**labelled)


def _refuse_ambiguous_labels(path: Path) -> None:
    """Raise DataError with each column whose value labels give several codes one text."""
    with pd.read_stata(path, iterator=True, convert_categoricals=False) as reader:
        listed = reader.value_labels()
        names = list(reader.variable_labels())
    twice = sorted({text for labels in listed.values() for text in _repeated(labels.values())})
    if not twice:
        return
    columns = ", ".join(name for name in names if not _has_clear_labels(path, name))
    if columns:
        raise DataError(
            f"{path.name}: column {columns}: several codes have one value label "
            f"({', '.join(twice)}): make labels differ, or read the codes "
            "(data.source.format.value_labels: false)"
        )


def _repeated(texts: Iterable[str]) -> set[str]:
    return {text for text, n in Counter(texts).items() if n > 1}


def _has_clear_labels(path: Path, column: str) -> bool:
    try:
        next(iter(pd.read_stata(path, columns=[column], chunksize=1)), None)
    except ValueError:  # of labels that repeat; what else a file lacks, reading it tells
        return False
    return True


_READERS: dict[str, Reader] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".txt": _read_csv,
    ".parquet": _read_parquet,
    ".dta": _read_stata,
    ".xlsx": read_spreadsheet,
}


def refuse_ragged(path: Path, written: FileFormat) -> None:
    """Raise DataError with the number of the first row that has not as many cells as the header."""
    above = written.header_row - 1
    with path.open(encoding=written.encoding, errors="replace", newline="") as file:
        rows = csv.reader(islice(file, above, None), delimiter=written.delimiter)
        found = list[str]()
        # what is no text at all has no rows either
        with suppress(csv.Error):
            header = next(rows, [])
            found = next((row for row in rows if row and len(row) != len(header)), [])
    if found:
        raise DataError(
            f"{path.name}: row {rows.line_num + above} has {len(found)} cells, the header "
            f"{len(header)}; correct it, or declare data.source.format"
        )
