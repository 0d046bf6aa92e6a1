"""Nearest-neighbour matching on several covariates by their Mahalanobis distance.

Distances are Euclidean in whitened coordinates, so that scikit-learn's k-d tree finds neighbours
without looking at every comparison firm. The tree proposes; ties and turns are decided here, and
more is asked for until nobody beyond what was asked can matter. A score caliper, where there is
one, rules out neighbours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.errors import DataError, Reason, SupportError
from pipeline.matching.greedy import closest_pairs
from pipeline.matching.sets import MatchedSets, make_sets
from pipeline.selection.design_matrix import expanded_columns, group_sizes

# Distances that differ by less are the same on another machine, and so are ties.
DISTANCE_DECIMALS = 10

# Neighbour distances held in memory at once.
NEIGHBOURS_AT_ONCE = 5_000_000


# Neighbours of each treated firm looked up in advance, where firms are taken one by one.
NEIGHBOURS_AHEAD = 8

# Of 1,000,000 firms on five covariates faster than scikit-learn's default of 40.
FIRMS_IN_A_LEAF = 16


@dataclass(frozen=True)
class Space:
    """Hold firms as points: whitened coordinates (n, k), score (n,), and the score caliper.

    Without a caliper it is infinite, and the score plays no part.
    """

    points: Floats
    score: Floats
    caliper: float

    def allows(self, treated: Integers, control: Integers) -> Flags:
        """Say which pairs are within the score caliper; shapes broadcast."""
        if np.isinf(self.caliper):
            return np.ones(np.broadcast(treated, control).shape, dtype=np.bool_)
        return np.asarray(np.abs(self.score[treated] - self.score[control]) <= self.caliper)


def whiten(covariates: pd.DataFrame, treated: Flags, pooled: bool) -> Floats:
    """Return coordinates (n, k) whose Euclidean distance is the Mahalanobis distance.

    d(i, j)^2 = (x_i - x_j)' S^-1 (x_i - x_j), S the covariance (n-1) of all firms, or pooled
    within groups as in MatchIt: ((n1 - 1) S1 + (n0 - 1) S0) / (n - 2). Categories enter as
    indicators; collinear columns count once. Raises DataError where a value is missing,
    SupportError where a group is empty or two firms are all there is.
    """
    if len(treated) < 3 or treated.all() or not treated.any():
        raise SupportError(
            f"no Mahalanobis distance: {int(treated.sum())} treated and {int((~treated).sum())} "
            "comparison firms are too few for a covariance; widen the comparison pool "
            "(controls_from, support of its score model; treatment.comparison)",
            reason=Reason("no_covariance", group_sizes(treated)),
        )
    missing = int(covariates.isna().any(axis=1).sum())
    if missing:
        raise DataError(
            f"covariates of the Mahalanobis distance are missing for {missing} of "
            f"{len(covariates)} firms; put them in the score model, whose rule for missing values "
            "then applies"
        )
    columns = np.column_stack([values for *_, values in expanded_columns(covariates)])
    spread = columns.std(axis=0)
    standard = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    covariance = _pooled(standard, treated) if pooled else np.cov(standard, rowvar=False)
    values, vectors = np.linalg.eigh(np.atleast_2d(covariance))
    kept = values > 1e-10 * values.max()
    return np.asarray(standard @ (vectors[:, kept] / np.sqrt(values[kept])))


def _pooled(columns: Floats, treated: Flags) -> Floats:
    deviations = columns.copy()
    for group in (treated, ~treated):
        deviations[group] -= columns[group].mean(axis=0)
    return np.asarray(deviations.T @ deviations / (len(columns) - 2))


def share_nearest(
    space: Space, treated: Integers, control: Integers, ratio: int, tolerance: float
) -> MatchedSets:
    """Match with replacement; comparison firms tied with the `ratio`-th nearest share the weight.

    `treated` and `control` are rows of the space; ties are within `tolerance`.
    """
    found: list[tuple[Integers, Integers, Floats]] = []
    pending, asked = treated, 2 * ratio + 2
    tree = _tree(space, control)
    while len(pending) and len(control):
        asked = min(asked, len(control))
        unsettled = []
        for firms in _portions(pending, asked):
            distance, neighbour = _ask(tree, space, control, firms, asked)
            open_end = distance[:, -1]
            distance = np.where(space.allows(firms[:, None], neighbour), distance, np.inf)
            reach = _kth(distance, ratio) + tolerance
            settled = (reach < open_end) | (asked == len(control))
            row, column = np.nonzero((distance <= reach[:, None]) & np.isfinite(distance))
            row, column = row[settled[row]], column[settled[row]]
            found.append((firms[row], neighbour[row, column], distance[row, column]))
            unsettled.append(firms[~settled])
        pending, asked = np.concatenate(unsettled), 4 * asked
    if not found:
        found = [(treated[:0], control[:0], np.zeros(0))]
    return make_sets(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _kth(distance: Floats, ratio: int) -> Floats:
    """Return the `ratio`-th smallest distance of each row; infinite where fewer are finite."""
    if distance.shape[1] < ratio:
        return np.full(len(distance), np.inf)
    return np.asarray(np.partition(distance, ratio - 1, axis=1)[:, ratio - 1])


def choose_nearest(space: Space, turns: Integers, control: Integers, ratio: int) -> MatchedSets:
    """Match without replacement: treated firms choose in turn, one firm each per round.

    `turns` are rows of treated firms in the order in which they choose. Of equally distant
    firms the earlier row is taken.
    """
    free = _FreeNeighbours(space, turns, control)
    pairs: list[tuple[int, int]] = []
    waiting = turns.tolist()
    for _ in range(ratio):
        served = []
        for firm in waiting:
            _, choice = free.nearest(firm)
            if choice >= 0:
                pairs.append((firm, free.take(choice)))
                served.append(firm)
        waiting = served
    return _sets(space, pairs)


def choose_closest(space: Space, treated: Integers, control: Integers, ratio: int) -> MatchedSets:
    """Match without replacement: the closest pair left is made first, one per firm and round."""
    allowed = np.full(len(space.points), ratio)
    free = _FreeNeighbours(space, treated, control)
    return _sets(space, list(closest_pairs(free, treated.tolist(), allowed, np.inf)))


def _sets(space: Space, pairs: list[tuple[int, int]]) -> MatchedSets:
    owner, chosen = np.array(pairs, np.int64).reshape(-1, 2).T
    distance = np.linalg.norm(space.points[owner] - space.points[chosen], axis=1)
    return make_sets(owner, chosen, np.round(distance, DISTANCE_DECIMALS))


class _FreeNeighbours:
    """Find the nearest free comparison firm of a treated firm, and take it.

    The nearest few of every treated firm are looked up at once. Where all of those are taken or out
    of reach, more are looked up in a tree that is built anew once half of its firms are taken.
    """

    def __init__(self, space: Space, treated: Integers, control: Integers) -> None:
        self._space = space
        self._free = np.zeros(len(space.points), dtype=np.bool_)
        self._free[control] = True
        self._plant(control)
        self._asked, self._n_control = min(NEIGHBOURS_AHEAD, len(control)), len(control)
        self._place = np.zeros(len(space.points), dtype=np.intp)
        self._place[treated] = np.arange(len(treated))
        self._distance = np.empty((len(treated), self._asked))
        self._neighbour = np.empty((len(treated), self._asked), dtype=np.intp)
        first = 0
        for firms in _portions(treated, self._asked) if len(control) else ():
            rows = slice(first, first := first + len(firms))
            found = _ask(self._tree, space, control, firms, self._asked)
            self._distance[rows], self._neighbour[rows] = found

    def _plant(self, control: Integers) -> None:
        self._planted = control
        self._taken = 0
        self._tree = _tree(self._space, control) if len(control) else None

    def nearest(self, firm: int) -> tuple[float, int]:
        """Return distance and row of the nearest free firm within the caliper; infinity and -1."""
        owner, place = np.array([firm]), self._place[firm]
        distance, neighbour = self._distance[place], self._neighbour[place]
        asked, among = self._asked, self._n_control
        while asked:
            usable = self._free[neighbour] & self._space.allows(owner, neighbour)
            complete = asked >= among
            if usable.any():
                order = np.lexsort((neighbour, distance))
                best = order[usable[order]][0]
                if distance[best] < distance[-1] or complete:
                    return float(distance[best]), int(neighbour[best])
            if complete or self._tree is None:
                break
            among = len(self._planted)
            asked = min(4 * asked, among)
            found = _ask(self._tree, self._space, self._planted, owner, asked)
            distance, neighbour = found[0][0], found[1][0]
        return np.inf, -1

    def take(self, control: int) -> int:
        """Take a comparison firm."""
        self._free[control] = False
        self._taken += 1
        if 2 * self._taken > len(self._planted):
            self._plant(self._planted[self._free[self._planted]])
        return control


def _tree(space: Space, control: Integers) -> Any:
    from sklearn.neighbors import KDTree

    return KDTree(space.points[control], leaf_size=FIRMS_IN_A_LEAF)


def _ask(
    tree: Any, space: Space, control: Integers, firms: Integers, asked: int
) -> tuple[Floats, Integers]:
    """Return distances and rows of the `asked` nearest comparison firms, shape (firms, asked)."""
    distance, position = tree.query(space.points[firms], k=asked)
    return np.round(distance, DISTANCE_DECIMALS), control[position]


def _portions(firms: Integers, asked: int) -> Iterator[Integers]:
    size = max(1, NEIGHBOURS_AT_ONCE // asked)
    for first in range(0, len(firms), size):
        yield firms[first : first + size]
