"""How delivered text files are written: encoding, delimiter, decimal mark."""

import csv
import re
from pathlib import Path
from typing import Literal

from pipeline.errors import DataError
from pipeline.params.data import FileFormat

_SAMPLE_BYTES = 1 << 20


def guess_format(path: Path) -> FileFormat:
    """Guess how a file is written; files that say so themselves have the default."""
    if path.suffix.lower() not in {".csv", ".txt"}:
        return FileFormat()
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    encoding = _encoding(sample)
    text = sample.decode(encoding, errors="ignore")
    if not text.strip():
        raise DataError(f"{path.name} is empty")
    delimiter = _delimiter(text)
    return FileFormat(encoding=encoding, delimiter=delimiter, decimal=_decimal(text, delimiter))


def _encoding(sample: bytes) -> str:
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


def _decimal(text: str, delimiter: str) -> Literal[".", ","]:
    """Return the comma where cells such as 12,5 exist and none such as 12.5."""
    cells = [
        cell for row in csv.reader(text.splitlines()[:1000], delimiter=delimiter) for cell in row
    ]
    commas = any(re.fullmatch(r"-?\d+,\d+", cell) for cell in cells)
    points = any(re.fullmatch(r"-?\d+\.\d+", cell) for cell in cells)
    return "," if commas and not points else "."
