"""Counts too small to show, and the further cells that would tell them by subtraction.

Threshold rule: a count of one to `minimum - 1` firms is not shown; zero tells of nobody. Secondary
suppression hides one more cell of each line whose total is known. Hundepool et al. (2012),
"Statistical Disclosure Control", doi:10.1002/9781118348239, chapters 4 and 6.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Flags, Floats


def small(counts: Floats | NDArray[np.int64], minimum: int) -> Flags:
    """Mark counts of one to `minimum - 1`; a missing one is not small."""
    return np.asarray((counts > 0) & (counts < minimum))


def protected(counts: Floats, minimum: int) -> Flags:
    """Mark the cells of a table (rows, columns) to hide, all row and column totals being known.

    First the small ones; then, in every row and column with a single hidden cell, the smallest
    other one (one that its crossing line needs too comes first, zeros last), until no line has a
    single one. A line of one cell cannot be protected.
    """
    hidden = small(counts, minimum)
    while True:
        chosen = next((cell for cell in _single_cells(counts, hidden)), None)
        if chosen is None:
            return hidden
        hidden[chosen] = True


def _single_cells(counts: Floats, hidden: Flags) -> list[tuple[int, int]]:
    """Return, for each line with a single hidden cell, the cell to hide beside it."""
    rows, columns = hidden.sum(axis=1) == 1, hidden.sum(axis=0) == 1
    found = []
    for row in np.flatnonzero(rows):
        if counts.shape[1] > 1:
            found.append((int(row), _smallest(counts[row], hidden[row], columns)))
    for column in np.flatnonzero(columns):
        if counts.shape[0] > 1:
            found.append((_smallest(counts[:, column], hidden[:, column], rows), int(column)))
    return found


def _smallest(counts: Floats, hidden: Flags, needed: Flags) -> int:
    """Return the cell to hide: needed by its crossing line, then above zero, then the smallest."""
    return int(np.lexsort((counts, counts == 0, ~needed, hidden))[0])


def step_runs(losses: Floats, minimum: int) -> list[range]:
    """Divide steps into runs whose joint losses are no small count, (steps, groups).

    A step alone is a run of its own where that suffices; a last run that is too small joins the
    one before it.
    """
    runs: list[range] = []
    start = 0
    for end in range(1, len(losses) + 1):
        if not small(losses[start:end].sum(axis=0), minimum).any():
            runs.append(range(start, end))
            start = end
    if start < len(losses):
        while runs and small(losses[start:].sum(axis=0), minimum).any():
            start = runs.pop().start
        runs.append(range(start, len(losses)))
    return runs
