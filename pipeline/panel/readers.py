"""Read one delivered file as a table: CSV, Parquet, Stata or Excel.

CSV cells stay text, so that nothing is guessed. Whatever is wrong with a file ends in DataError:
the libraries below raise nearly anything at a damaged or hostile one.
"""

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

import pandas as pd

from pipeline.errors import DataError
from pipeline.panel.archives import PACKED, inner_name, is_of_the_machine, plain_file
from pipeline.panel.exact_codes import is_exact
from pipeline.panel.file_contents import refuse_other_content
from pipeline.panel.footers import without_footer
from pipeline.panel.headings import column_name, refuse_repeated
from pipeline.panel.parquet_files import read_parquet
from pipeline.panel.spreadsheets import read_spreadsheet
from pipeline.panel.text_files import DELIMITERS, read_text, why_unreadable
from pipeline.params.written import FileFormat

_PADDED = re.compile(r"%0(\d+)\.0[fg]")

Reader = Callable[[Path, FileFormat, int], pd.DataFrame]


def read_table(path: Path, written: FileFormat, max_rows: int) -> pd.DataFrame:
    """Read a file by its ending; `written` says how, `max_rows` bounds what may be in it.

    The index is a row's place after the header, from 0.

    Raises DataError where the file is missing, empty, larger than allowed, of no known kind, or
    unreadable, and where two columns share a name.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist")
    reader = _READERS.get(file_kind(path))
    if reader is None:
        raise DataError(
            f"{path.name}: files end in {' or '.join(_READERS)}, packed or not "
            f"({', '.join(PACKED)} with one file); convert it first"
        )
    with plain_file(path) as plain, warnings.catch_warnings():
        # of libraries, which quote cells
        warnings.simplefilter("ignore")
        try:
            refuse_other_content(plain, file_kind(path), path.name, written.encoding)
            frame = reader(plain, written, max_rows)
        except DataError:
            raise
        except Exception as error:
            if is_of_the_machine(error):
                raise
            # never the library's own words, which quote cells
            raise _why_unreadable(plain, written, error) from None
    frame.columns = pd.Index([column_name(name) for name in frame.columns])
    _refuse_unusable(frame, path.name, max_rows)
    return without_footer(frame) if written.footer == "leave_out" else frame


def file_kind(path: Path) -> str:
    """Return the ending that says how a file is read: of an archive, that of what it holds."""
    return PurePosixPath(inner_name(path)).suffix.lower()


def first_row(path: Path, written: FileFormat) -> int:
    """Return how a file numbers its first row of values: after the header, or 1 without one."""
    return 1 if file_kind(path) in {".parquet", ".dta"} else written.header_row + 1


def _why_unreadable(path: Path, written: FileFormat, error: Exception) -> DataError:
    kind, fault = path.suffix.lower(), type(error).__name__
    if kind in DELIMITERS:
        return why_unreadable(path, written, error)
    return DataError(
        f"{path.name} cannot be read as a {kind} file ({fault}): open it, save it anew and "
        "deliver that"
    )


def _refuse_unusable(frame: pd.DataFrame, file: str, max_rows: int) -> None:
    if len(frame) > max_rows:
        raise DataError(f"{file} holds more than data.max_rows {max_rows} rows")
    if frame.empty:
        raise DataError(f"{file} holds no rows: deliver the file again")
    refuse_repeated(list(frame.columns), file)


def _read_stata(path: Path, written: FileFormat, max_rows: int) -> pd.DataFrame:
    """Read codes, or their value labels where declared; a code without a label stays a code."""
    labels = written.value_labels
    if labels:
        _refuse_ambiguous_labels(path)
    with pd.read_stata(path, chunksize=max_rows + 1, convert_categoricals=labels) as reader:
        frame = next(iter(reader), pd.DataFrame())
        # the library keeps formats to itself
        formats = dict(zip(vars(reader)["_varlist"], vars(reader)["_fmtlist"], strict=True))
    frame = frame.assign(**_padded(frame, formats))
    labelled = {
        name: frame[name].astype("str").where(frame[name].notna(), None)
        for name in frame.columns
        if isinstance(frame[name].dtype, pd.CategoricalDtype)
    }
    return frame.assign(**labelled)


def _padded(frame: pd.DataFrame, formats: dict[str, str]) -> dict[str, pd.Series]:
    """Return columns that a format shows with zeros in front (%06.0f), as text that has them."""
    found = {name: _PADDED.fullmatch(formats[name]) for name in map(str, frame.columns)}
    return {
        name: _with_zeros(frame[name], int(width[1]))
        for name, width in found.items()
        if width is not None and is_exact(frame[name]) and (frame[name].dropna() % 1 == 0).all()
    }


def _with_zeros(values: pd.Series, width: int) -> pd.Series:
    return values.astype("Int64").astype("str").where(values.notna(), None).str.zfill(width)


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
    **dict.fromkeys(DELIMITERS, read_text),
    ".parquet": read_parquet,
    ".dta": _read_stata,
    ".xlsx": read_spreadsheet,
    ".xlsm": read_spreadsheet,
}
