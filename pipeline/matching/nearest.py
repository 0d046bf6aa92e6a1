"""Nearest-neighbour matching on a score, within exact cells and a caliper.

Comparison firms are sorted once by cell and score; every search is then a look-up in that
order. Rules that decide between equally good matches are stated at `match_nearest`, because
results depend on them.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipeline.errors import SupportError
from pipeline.matching.sets import Flags, Floats, MatchedSets, Positions, make_sets

Order = Literal["largest", "smallest", "data"]

# Tied pairs are stored one by one; beyond this many they no longer fit in memory.
MOST_PAIRS = 100_000_000


def match_nearest(
    score: Floats,
    treated: Flags,
    *,
    ratio: int,
    replacement: bool,
    caliper: float | None,
    cells: npt.NDArray[np.integer] | None,
    order: Order,
    tie_tolerance: float,
) -> MatchedSets:
    """Match each treated firm to its `ratio` nearest comparison firms on the score.

    `score`, `treated` and `cells` have one entry per firm; `caliper` and `tie_tolerance` are in
    score units; firms of different cells are never matched. A treated firm with no comparison
    firm within the caliper stays unmatched; one with fewer than `ratio` takes those there are.

    Without replacement: greedy. Treated firms choose in `order` of their score, equal scores in
    row order; of equally distant comparison firms the earlier row is taken. For `ratio` above 1
    everyone chooses once before anyone chooses again, as in MatchIt (Ho, Imai, King & Stuart
    2011, doi:10.18637/jss.v042.i08). `tie_tolerance` plays no part.
    With replacement: comparison firms no farther than the `ratio`-th nearest plus
    `tie_tolerance` share the weight equally (Abadie & Imbens 2006,
    doi:10.1111/j.1468-0262.2006.00655.x); `order` plays no part.

    Raises SupportError where ties would make more than `MOST_PAIRS` pairs.
    """
    pool = _sort_pool(score, treated, cells)
    width = np.inf if caliper is None else caliper
    if replacement:
        return _share_ties(pool, ratio, width, tie_tolerance)
    return _choose_in_turn(pool, ratio, width, order)


@dataclass(frozen=True)
class _Pool:
    """Hold treated firms in row order and comparison firms sorted by cell, score, row.

    `first` and `last` bound each treated firm's cell in the sorted comparison firms.
    """

    treated_row: Positions
    treated_score: Floats
    treated_cell: Positions
    control_row: Positions
    control_score: Floats
    control_cell: Positions
    first: Positions
    last: Positions


def _sort_pool(score: Floats, treated: Flags, cells: npt.NDArray[np.integer] | None) -> _Pool:
    cell = np.zeros(len(score), np.int64) if cells is None else cells.astype(np.int64)
    treated_row, control_row = np.flatnonzero(treated), np.flatnonzero(~treated)
    control_row = control_row[np.lexsort((score[control_row], cell[control_row]))]
    control_cell, treated_cell = cell[control_row], cell[treated_row]
    return _Pool(
        treated_row=treated_row,
        treated_score=score[treated_row],
        treated_cell=treated_cell,
        control_row=control_row,
        control_score=score[control_row],
        control_cell=control_cell,
        first=np.searchsorted(control_cell, treated_cell, side="left"),
        last=np.searchsorted(control_cell, treated_cell, side="right"),
    )


def _insertion(pool: _Pool, value: Floats) -> Positions:
    """Return the first comparison firm of each treated firm's cell that scores `value` or more."""
    levels = np.unique(pool.control_score)
    n_levels = len(levels) + 1
    control_key = pool.control_cell * n_levels + np.searchsorted(levels, pool.control_score)
    key = pool.treated_cell * n_levels + np.searchsorted(levels, value)
    return np.searchsorted(control_key, key, side="left")


def _share_ties(pool: _Pool, ratio: int, width: float, tolerance: float) -> MatchedSets:
    """Match with replacement; firms tied with the `ratio`-th nearest share the weight."""
    reach = np.minimum(_kth_distance(pool, ratio) + tolerance, width)
    # Rounding in score - reach may cut off the very firm that set the reach: look slightly
    # farther, then keep exactly the pairs whose computed distance is within reach.
    wider = reach + 1e-12 * (np.abs(pool.treated_score) + np.where(np.isfinite(reach), reach, 0))
    start = np.maximum(_insertion(pool, pool.treated_score - wider), pool.first)
    beyond = np.nextafter(pool.treated_score + wider, np.inf)
    stop = np.minimum(_insertion(pool, beyond), pool.last)
    count = np.maximum(stop - start, 0)
    _refuse_too_many(int(count.sum()))
    owner = np.repeat(np.arange(len(count)), count)
    control = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count - start, count)
    distance = np.abs(pool.control_score[control] - pool.treated_score[owner])
    kept = distance <= reach[owner]
    return make_sets(pool.treated_row[owner[kept]], pool.control_row[control[kept]], distance[kept])


def _kth_distance(pool: _Pool, ratio: int) -> Floats:
    """Return each treated firm's distance to the `ratio`-th nearest firm of its cell.

    Where the cell has fewer firms it is the farthest of them; minus infinity where it has none.
    """
    at = _insertion(pool, pool.treated_score)[:, None]
    window = at + np.arange(-ratio, ratio)
    inside = (window >= pool.first[:, None]) & (window < pool.last[:, None])
    if not len(pool.control_row):
        return np.full(len(pool.treated_row), -np.inf)
    near = pool.control_score[np.clip(window, 0, len(pool.control_row) - 1)]
    distance = np.sort(np.where(inside, np.abs(near - pool.treated_score[:, None]), np.inf))
    kth = np.minimum(ratio, inside.sum(axis=1)) - 1
    found = distance[np.arange(len(kth)), np.maximum(kth, 0)]
    return np.where(kth >= 0, found, -np.inf)


def _refuse_too_many(pairs: int) -> None:
    if pairs > MOST_PAIRS:
        raise SupportError(
            f"ties make {pairs:,} matched pairs, more than {MOST_PAIRS:,}: many firms share a "
            "score; match without replacement, or add a covariate with more values to the score"
        )


def _choose_in_turn(pool: _Pool, ratio: int, width: float, order: Order) -> MatchedSets:
    """Match without replacement, one choice per treated firm and round."""
    free = _FreeFirms(pool)
    turns = _turns(pool.treated_score, order).tolist()
    treated: list[int] = []
    control: list[int] = []
    for _ in range(ratio):
        served = []
        for firm in turns:
            choice = free.take_nearest(firm, width)
            if choice >= 0:
                served.append(firm)
                control.append(choice)
        treated += served
        # Free firms only get fewer: whoever found none will find none in the next round.
        turns = served
    owner, chosen = np.array(treated, np.int64), np.array(control, np.int64)
    distance = np.abs(pool.control_score[chosen] - pool.treated_score[owner])
    return make_sets(pool.treated_row[owner], pool.control_row[chosen], distance)


def _turns(score: Floats, order: Order) -> Positions:
    if order == "data":
        return np.arange(len(score))
    return np.argsort(-score if order == "largest" else score, kind="stable")


class _FreeFirms:
    """Find and take the nearest free comparison firm, in nearly constant time.

    Firms of one cell and score form a group and leave it in row order. Once a group is empty,
    `below` and `above` point past it to the next group on that side (union-find with path
    halving), so that nobody walks over taken firms.
    """

    def __init__(self, pool: _Pool) -> None:
        n_firms = len(pool.control_row)
        changes = (np.diff(pool.control_score) != 0) | (np.diff(pool.control_cell) != 0)
        heads = np.flatnonzero(np.concatenate(([True], changes)) if n_firms else np.zeros(0, bool))
        n_groups = len(heads)
        self._row: list[int] = pool.control_row.tolist()
        self._group_score: list[float] = pool.control_score[heads].tolist()
        self._next: list[int] = heads.tolist()
        self._end: list[int] = np.append(heads[1:], n_firms).tolist()
        # Group g is at g + 1, so that 0 and n_groups + 1 are the ends of the line.
        self._below = list(range(n_groups + 2))
        self._above = list(range(n_groups + 2))
        group_from = np.searchsorted(heads, _insertion(pool, pool.treated_score))
        self._start: list[int] = group_from.tolist()
        self._first: list[int] = np.searchsorted(heads, pool.first).tolist()
        self._last: list[int] = np.searchsorted(heads, pool.last).tolist()
        self._score: list[float] = pool.treated_score.tolist()

    def take_nearest(self, firm: int, width: float) -> int:
        """Take the nearest free firm within `width` of treated firm `firm`; -1 if none is."""
        score, start = self._score[firm], self._start[firm]
        low = _find(self._below, start) - 1
        high = _find(self._above, start + 1) - 1
        below = score - self._group_score[low] if low >= self._first[firm] else np.inf
        above = self._group_score[high] - score if high < self._last[firm] else np.inf
        if min(below, above) > width or (below == above == np.inf):
            return -1
        if below == above:
            group = low if self._row[self._next[low]] < self._row[self._next[high]] else high
        else:
            group = low if below < above else high
        return self._take(group)

    def _take(self, group: int) -> int:
        taken = self._next[group]
        self._next[group] = taken + 1
        if taken + 1 == self._end[group]:
            self._below[group + 1] = group
            self._above[group + 1] = group + 2
        return taken


def _find(link: list[int], at: int) -> int:
    """Follow links to the group that points to itself, halving the path on the way."""
    while link[at] != at:
        link[at] = link[link[at]]
        at = link[at]
    return at
