"""Where rows come from: file and row number of each row of a delivered table.

Yearly files are stacked and wide ones repeated, so that a position in the table is no row number
of any file. Messages give the file and the row that whoever delivered it sees.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import DataError, Refusal, RowsError

# Row numbers that a message shows before it says how many more there are.
_ROWS_SHOWN = 5


@dataclass(frozen=True)
class Segment:
    """Hold rows that follow each other: positions in the table, and rows of one file.

    `first_row` counts as the file's reader does: a header is row 1, a Stata file has none.
    """

    file: str
    position: int
    n_rows: int
    first_row: int


Origin = Sequence[Segment]


def file_origin(file: str, offsets: pd.Index, first_row: int) -> list[Segment]:
    """Return the segments of one file; `offsets` are its rows after the header, from 0."""
    at = offsets.to_numpy(np.int64)
    starts = np.flatnonzero(np.diff(at, prepend=-2) != 1)
    ends = np.append(starts[1:], len(at))
    return [
        Segment(file, int(start), int(end - start), first_row + int(at[start]))
        for start, end in zip(starts, ends, strict=True)
    ]


def stacked(origins: Sequence[Origin]) -> list[Segment]:
    """Return the segments of tables put one below the other."""
    segments, position = list[Segment](), 0
    for origin in origins:
        segments += [replace(segment, position=segment.position + position) for segment in origin]
        position += sum(segment.n_rows for segment in origin)
    return segments


@contextmanager
def located(origin: Origin) -> Iterator[None]:
    """Turn the positions of a refusal into files and rows; without an origin, row 1 is a header."""
    try:
        yield
    except RowsError as error:
        raise DataError(*_described(error.refusal, origin)) from None


def rows_error(refusal: Refusal) -> RowsError:
    """Return the error of rows in a table whose origin is not known here."""
    return RowsError(*_described(refusal, ()), refusal)


def _described(refusal: Refusal, origin: Origin) -> tuple[str, pd.DataFrame]:
    """Return the message, and the table for the private file."""
    places = _places(refusal.positions, origin)
    table = places.assign(rule=refusal.rule)
    if refusal.keys is not None:
        table = table.join(refusal.keys.reset_index(drop=True))
    count = f"{len(places)} rows; {refusal.remedy} {_shown(places)}"
    return f"{refusal.rule}: {count}", table


def _places(positions: NDArray[np.int64], origin: Origin) -> pd.DataFrame:
    """Return file (empty where unknown) and row of each position."""
    if not origin:
        return pd.DataFrame({"file": "", "row": positions + 2})
    starts = np.array([segment.position for segment in origin])
    within = np.searchsorted(starts, positions, side="right") - 1
    first = np.array([segment.first_row for segment in origin])
    files = np.array([segment.file for segment in origin], dtype=object)
    return pd.DataFrame({"file": files[within], "row": positions - starts[within] + first[within]})


def _shown(places: pd.DataFrame) -> str:
    """Return `row 3, 5 of a.csv, row 2 of b.csv and 7 more`."""
    first = places.head(_ROWS_SHOWN)
    parts = []
    for file, rows in first.groupby("file", sort=False)["row"]:
        numbers = ", ".join(map(str, rows))
        parts.append(f"row {numbers}" + (f" of {file!s}" if file else ""))
    more = len(places) - len(first)
    return ", ".join(parts) + (f" and {more} more" if more else "")
