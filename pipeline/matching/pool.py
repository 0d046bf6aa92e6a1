"""Comparison firms sorted by cell and score, so that every search is a look-up in that order."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.errors import Reason, SupportError

# Pairs are stored one by one; beyond this many they no longer fit in memory.
MOST_PAIRS = 100_000_000


@dataclass(frozen=True)
class ComparisonPool:
    """Hold treated firms in row order and comparison firms sorted by cell, score, row.

    `first` and `last` bound each treated firm's cell in the sorted comparison firms.
    """

    treated_row: Integers
    treated_score: Floats
    treated_cell: Integers
    control_row: Integers
    control_score: Floats
    control_cell: Integers
    first: Integers
    last: Integers


@dataclass(frozen=True)
class Pairs:
    """Hold pairs of a pool: positions among its treated and comparison firms, and distances."""

    owner: Integers
    control: Integers
    distance: Floats


def sort_pool(
    score: Floats, treated: Flags, cells: npt.NDArray[np.integer] | None
) -> ComparisonPool:
    """Sort the comparison firms; arrays have one entry per firm, `cells` None for one cell."""
    cell = np.zeros(len(score), np.int64) if cells is None else cells.astype(np.int64)
    treated_row, control_row = np.flatnonzero(treated), np.flatnonzero(~treated)
    control_row = control_row[_by_cell_and_score(cell[control_row], score[control_row])]
    control_cell, treated_cell = cell[control_row], cell[treated_row]
    return ComparisonPool(
        treated_row=treated_row,
        treated_score=score[treated_row],
        treated_cell=treated_cell,
        control_row=control_row,
        control_score=score[control_row],
        control_cell=control_cell,
        first=np.searchsorted(control_cell, treated_cell, side="left"),
        last=np.searchsorted(control_cell, treated_cell, side="right"),
    )


def _by_cell_and_score(cell: Integers, score: Floats) -> Integers:
    """Return the order by cell, then score, then position.

    The quick sort does not keep equal scores in order, so their runs are sorted once more; the
    cells, whole numbers, are sorted in time proportional to their number where 16 bits hold them.
    """
    order = np.argsort(score)
    new = np.diff(score[order]) != 0
    tied = np.flatnonzero(np.append(~new, False) | np.insert(~new, 0, False))
    run = np.cumsum(np.insert(new, 0, False))[tied] if len(tied) else tied
    order[tied] = order[tied][np.lexsort((order[tied], run))]
    narrow = cell.astype(np.int16) if cell.max(initial=0) < 2**15 else cell
    return np.asarray(order[np.argsort(narrow[order], kind="stable")])


def insertion(pool: ComparisonPool, value: Floats) -> Integers:
    """Return the first comparison firm of each treated firm's cell that scores `value` or more.

    All treated firms halve the part of their cell that may hold it, at once.
    """
    low, high = pool.first.copy(), pool.last.copy()
    while (low < high).any():
        middle = (low + high) // 2
        open_end = low < high
        below = np.zeros(len(low), dtype=np.bool_)
        below[open_end] = pool.control_score[middle[open_end]] < value[open_end]
        low = np.where(open_end & below, middle + 1, low)
        high = np.where(open_end & ~below, middle, high)
    return low


def window(pool: ComparisonPool, reach: Floats) -> tuple[Integers, Integers]:
    """Return where each treated firm's comparison firms within `reach` begin and how many they are.

    Rounding in score - reach may cut off the very firm that set the reach, so the window is
    slightly wider; `pairs_within` keeps exactly those whose computed distance is within reach.
    """
    wider = reach + 1e-12 * (np.abs(pool.treated_score) + np.where(np.isfinite(reach), reach, 0))
    start = np.maximum(insertion(pool, pool.treated_score - wider), pool.first)
    beyond = np.nextafter(pool.treated_score + wider, np.inf)
    stop = np.minimum(insertion(pool, beyond), pool.last)
    return start, np.maximum(stop - start, 0)


def pairs_within(pool: ComparisonPool, reach: Floats) -> Pairs:
    """Return every pair no farther apart than the treated firm's `reach`, shape (treated,).

    Raises SupportError where there are more than `MOST_PAIRS`.
    """
    start, count = window(pool, reach)
    if count.sum() > MOST_PAIRS:
        raise SupportError(
            f"ties or a wide caliper make {count.sum():,} matched pairs, more than {MOST_PAIRS:,}: "
            "match without replacement, narrow the caliper, use method: kernel (which keeps no "
            "pairs), or add a covariate with more values to the score",
            reason=Reason("too_many_pairs", {"n": int(count.sum()), "most": MOST_PAIRS}),
        )
    pairs = list_pairs(pool, np.arange(len(count)), start, count)
    kept = pairs.distance <= reach[pairs.owner]
    return Pairs(pairs.owner[kept], pairs.control[kept], pairs.distance[kept])


def list_pairs(pool: ComparisonPool, owner: Integers, start: Integers, count: Integers) -> Pairs:
    """List the pairs of treated firms `owner` with `count` comparison firms from `start` on."""
    repeated = np.repeat(owner, count)
    control = np.arange(len(repeated)) - np.repeat(np.cumsum(count) - count - start, count)
    distance = np.abs(pool.control_score[control] - pool.treated_score[repeated])
    return Pairs(repeated, control, distance)
