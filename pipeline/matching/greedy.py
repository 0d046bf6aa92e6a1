"""Matching without replacement: treated firms choose the nearest firm still free, in turn."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Protocol

import numpy as np

from pipeline.datasets.arrays import Integers
from pipeline.matching.pool import ComparisonPool, Pairs, insertion
from pipeline.matching.proposals import choose_by_proposals


def choose_in_turn(pool: ComparisonPool, turns: Integers, ratio: Integers, width: float) -> Pairs:
    """Let treated firms choose in the order of `turns`, one firm each per round.

    `turns` are positions among the pool's treated firms, `ratio` how many each may choose.
    """
    if ratio.max(initial=0) == 1 and len(pool.control_row):
        found = choose_by_proposals(pool, turns, insertion(pool, pool.treated_score), width)
        if found is not None:
            return found
    free = _FreeFirms(pool)
    treated: list[int] = []
    control: list[int] = []
    waiting = turns.tolist()
    for chosen_before in range(int(ratio.max(initial=0))):
        served = []
        for firm in waiting:
            choice = free.take_nearest(firm, width)
            if choice >= 0:
                served.append(firm)
                control.append(choice)
        treated += served
        # Free firms only get fewer: whoever found none will find none in the next round.
        waiting = [firm for firm in served if ratio[firm] > chosen_before + 1]
    return _pairs(pool, treated, control)


def choose_closest_first(pool: ComparisonPool, ratio: Integers, width: float) -> Pairs:
    """Make the closest pair that is left, again and again; one firm each per round."""
    waiting = list(range(len(pool.treated_row)))
    made = list(closest_pairs(_FreeFirms(pool), waiting, ratio, width))
    return _pairs(pool, [firm for firm, _ in made], [control for _, control in made])


class Free(Protocol):
    """Comparison firms that are still free, as seen from a treated firm."""

    def nearest(self, firm: int) -> tuple[float, int]:
        """Return distance and place of the nearest free firm; infinity where none is free."""

    def take(self, place: int) -> int:
        """Take the firm in this place; return its number."""


def closest_pairs(
    free: Free, firms: list[int], ratio: Integers, width: float
) -> Iterator[tuple[int, int]]:
    """Yield pairs, the closest one left within `width` first; one per treated firm and round.

    `ratio` is how many firms each number in `firms` may choose. A treated firm's nearest free firm
    only gets farther, so that a pair that is still at the distance under which it was queued is
    the closest one left; of equally close pairs the earlier treated firm's comes first.
    """
    waiting = firms
    for chosen_before in range(int(ratio[waiting].max(initial=0))):
        queue = [(free.nearest(firm)[0], firm) for firm in waiting]
        heapify(queue)
        served = []
        while queue and queue[0][0] <= width and queue[0][0] < np.inf:
            queued, firm = heappop(queue)
            distance, place = free.nearest(firm)
            if distance > queued:
                heappush(queue, (distance, firm))
                continue
            yield firm, free.take(place)
            served.append(firm)
        waiting = sorted(firm for firm in served if ratio[firm] > chosen_before + 1)


def _pairs(pool: ComparisonPool, treated: list[int], control: list[int]) -> Pairs:
    owner, chosen = np.array(treated, np.int64), np.array(control, np.int64)
    distance = np.abs(pool.control_score[chosen] - pool.treated_score[owner])
    return Pairs(owner, chosen, distance)


class _FreeFirms:
    """Find and take the nearest free comparison firm, in nearly constant time.

    Firms of one cell and score form a group and leave it in row order. Once a group is empty,
    `below` and `above` point past it to the next group on that side (union-find with path
    halving), so that nobody walks over taken firms.
    """

    def __init__(self, pool: ComparisonPool) -> None:
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
        group_from = np.searchsorted(heads, insertion(pool, pool.treated_score))
        self._start: list[int] = group_from.tolist()
        self._first: list[int] = np.searchsorted(heads, pool.first).tolist()
        self._last: list[int] = np.searchsorted(heads, pool.last).tolist()
        self._score: list[float] = pool.treated_score.tolist()

    def nearest(self, firm: int) -> tuple[float, int]:
        """Return distance and group of the nearest free firm; infinity where none is free."""
        score, start = self._score[firm], self._start[firm]
        low = _find(self._below, start) - 1
        high = _find(self._above, start + 1) - 1
        below = score - self._group_score[low] if low >= self._first[firm] else np.inf
        above = self._group_score[high] - score if high < self._last[firm] else np.inf
        if below == above:
            if below == np.inf:
                return np.inf, -1
            group = low if self._row[self._next[low]] < self._row[self._next[high]] else high
            return below, group
        return (below, low) if below < above else (above, high)

    def take_nearest(self, firm: int, width: float) -> int:
        """Take the nearest free firm within `width` of treated firm `firm`; -1 if none is."""
        distance, group = self.nearest(firm)
        return -1 if group < 0 or distance > width else self.take(group)

    def take(self, group: int) -> int:
        """Take the first free firm of a group."""
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
