"""Rows of a text file with more or fewer cells than its header, told by their number alone."""

import csv
from contextlib import suppress
from itertools import islice
from pathlib import Path

from pipeline.errors import DataError
from pipeline.params.data import FileFormat


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
