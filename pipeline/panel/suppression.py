"""Which cells of a table of counts must stay hidden, so that none can be worked out from totals.

Primary cells are small themselves. Others are hidden with them until no hidden cell follows from
the sums that are published, and until what is hidden beside a published total is not small either
(complementary cell suppression; Willenborg & de Waal 2001, doi:10.1007/978-1-4613-0121-9).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Flags, Integers
from pipeline.datasets.small_counts import small


@dataclass(frozen=True)
class Sum:
    """Hold one published sum by cell numbers: parts, and their total where it is a cell too."""

    parts: tuple[int, ...]
    total: int | None = None

    @property
    def cells(self) -> tuple[int, ...]:
        """Return every cell that takes part."""
        return self.parts if self.total is None else (*self.parts, self.total)


def hidden_cells(primary: Flags, counts: Integers, sums: Sequence[Sum], minimum: int) -> Flags:
    """Return the primary cells and those that must be hidden with them.

    `counts` (kinds, cells) are what cells show: values observed and values missing, say. The
    next cell to hide is the one with the smallest positive count of the first kind.
    """
    hidden = primary.copy()
    while True:
        open_sums = [s for s in sums if _tells(s, hidden, counts, minimum)]
        open_sums += _revealing(hidden, sums)
        candidates = [c for s in open_sums for c in s.cells if not hidden[c]]
        if not candidates:
            return hidden
        size = counts[0]
        hidden[min(candidates, key=lambda cell: (size[cell] == 0, size[cell], cell))] = True


def _tells(published: Sum, hidden: Flags, counts: Integers, minimum: int) -> bool:
    """Say whether what is hidden beside a published total is small when added up."""
    if published.total is not None and hidden[published.total]:
        return False
    parts = [cell for cell in published.parts if hidden[cell]]
    return bool(small(counts[:, parts].sum(axis=1), minimum).any())


def _revealing(hidden: Flags, sums: Sequence[Sum]) -> list[Sum]:
    """Return the sums with a hidden cell that all sums together determine."""
    cells = np.flatnonzero(hidden)
    place = {int(cell): i for i, cell in enumerate(cells)}
    matrix = np.zeros((len(sums), len(cells)))
    for row, published in enumerate(sums):
        for cell in published.cells:
            if hidden[cell]:
                matrix[row, place[cell]] = -1.0 if cell == published.total else 1.0
    determined = {int(cell) for cell in cells[_determined(matrix)]}
    return [s for s in sums if determined & set(s.cells)]


def _determined(matrix: NDArray[np.float64]) -> Flags:
    """Flag unknowns that linear equations fix: those with no part in the null space."""
    _, sizes, directions = np.linalg.svd(matrix, full_matrices=True)
    rank = int((sizes > 1e-9).sum())
    return np.asarray((np.abs(directions[rank:]) < 1e-9).all(axis=0))
