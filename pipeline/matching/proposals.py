"""Greedy matching all at once: treated firms propose, comparison firms keep the first in turn.

Choosing in turn is a serial dictatorship, the one stable matching when every comparison firm
prefers whoever chooses earlier. Deferred acceptance (Gale & Shapley 1962,
doi:10.1080/00029890.1962.11989827) therefore finds the same pairs, in vectorised rounds.
"""

import numpy as np

from pipeline.datasets.arrays import Integers
from pipeline.matching.pool import ComparisonPool, Pairs

# Where treated firms crowd, rounds are many and small, and choosing one by one is faster.
MOST_ROUNDS = 200


def choose_by_proposals(
    pool: ComparisonPool, turns: Integers, gap: Integers, width: float
) -> Pairs | None:
    """Return each treated firm's nearest firm left to it, as in `choose_in_turn` for one each.

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
