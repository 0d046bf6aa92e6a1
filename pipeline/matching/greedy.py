"""Matching without replacement: treated firms choose the nearest firm still free, in turn."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Protocol

import numpy as np

from pipeline.datasets.arrays import Integers
from pipeline.matching.pool import ComparisonPool, Pairs, insertion

# Where treated firms crowd, rounds are many and small, and choosing one by one is faster.
MOST_ROUNDS = 200


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


def choose_by_proposals(
    pool: ComparisonPool, turns: Integers, gap: Integers, width: float
) -> Pairs | None:
    """Return each treated firm's nearest firm left to it, as in `choose_in_turn` for one each.

    Choosing in turn is a serial dictatorship, the one stable matching when every comparison firm
    prefers whoever chooses earlier. Deferred acceptance (Gale & Shapley 1962,
    doi:10.1080/00029890.1962.11989827) therefore finds the same pairs, in vectorised rounds.
    `gap` is where each treated firm's score would stand among the comparison firms. None where
    `MOST_ROUNDS` do not settle the matter.
    """
    ask = _Proposals(pool, gap)
    rank = np.empty(len(turns), np.int64)
    rank[turns] = np.arange(len(turns))
    nobody = len(turns)
    holder = np.full(len(pool.control_row), nobody)
    active = np.arange(len(turns))
    for _ in range(MOST_ROUNDS):
        target, active = ask.nearest(active, width)
        if not len(active):
            return _held(pool, turns, holder)
        before = holder[target]
        np.minimum.at(holder, target, rank[active])
        kept = holder[target]
        refused = active[kept != rank[active]]
        # A target asked twice in a round has one former holder, who leaves it once.
        left = np.unique(before[(before < nobody) & (before != kept)])
        active = np.concatenate([refused, turns[left]])
    return None


def _held(pool: ComparisonPool, turns: Integers, holder: Integers) -> Pairs:
    control = np.flatnonzero(holder < len(turns))
    owner = turns[holder[control]]
    distance = np.abs(pool.control_score[control] - pool.treated_score[owner])
    return Pairs(owner, control, distance)


class _Proposals:
    """Let each treated firm ask outwards from its own score, nearest firms first.

    Equally distant firms are asked by row. Equal scores lie in row order, so that those below are
    read through `mirror`, which reverses each run of them.
    """

    def __init__(self, pool: ComparisonPool, gap: Integers) -> None:
        self._pool = pool
        self._below, self._above = gap - 1, gap.copy()
        n = len(pool.control_row)
        new = (np.diff(pool.control_score) != 0) | (np.diff(pool.control_cell) != 0)
        heads = np.flatnonzero(np.insert(new, 0, True))
        length = np.diff(np.append(heads, n))
        self._mirror = np.repeat(2 * heads + length - 1, length) - np.arange(n)

    def nearest(self, firms: Integers, width: float) -> tuple[Integers, Integers]:
        """Return whom firms ask next, and which of them have somebody within `width` to ask."""
        pool, low, high = self._pool, self._below[firms], self._above[firms]
        has_lower, has_higher = low >= pool.first[firms], high < pool.last[firms]
        lower, higher = self._mirror[np.where(has_lower, low, 0)], np.where(has_higher, high, 0)
        score = pool.treated_score[firms]
        down = np.where(has_lower, score - pool.control_score[lower], np.inf)
        up = np.where(has_higher, pool.control_score[higher] - score, np.inf)
        earlier = pool.control_row[lower] < pool.control_row[higher]
        downwards = (down < up) | ((down == up) & earlier)
        self._below[firms] = low - downwards
        self._above[firms] = high + ~downwards
        distance = np.minimum(down, up)
        able = (distance <= width) & np.isfinite(distance)
        return np.where(downwards, lower, higher)[able], firms[able]
