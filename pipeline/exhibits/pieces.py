"""Split a table of many columns into pieces that fit a page side by side."""

import itertools
import math
from collections.abc import Callable

from pipeline.exhibits.latex import fits
from pipeline.exhibits.table import Table

_MOST_COLUMNS = 4


def in_pieces(names: list[str], make: Callable[[list[str], int], Table]) -> list[Table]:
    """Return tables of at most four columns, fewer where their numbers are wide.

    `make(names, start)` returns the table of some columns, the first of them numbered `start`.
    """
    pieces = max(1, math.ceil(len(names) / _MOST_COLUMNS))
    while True:
        tables = [make(chosen, start) for start, chosen in _split(names, pieces)]
        if pieces >= len(names) or all(fits(table) for table in tables):
            return tables
        pieces += 1


def _split(names: list[str], pieces: int) -> list[tuple[int, list[str]]]:
    """Return (number of the first column, names) of each piece, sizes differing by one."""
    size, extra = divmod(len(names), pieces)
    starts = [i * size + min(i, extra) for i in range(pieces + 1)]
    return [(first + 1, names[first:last]) for first, last in itertools.pairwise(starts)]
