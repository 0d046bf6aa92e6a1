"""Sums over pairs of near places of products of what they hold, without a list of pairs.

Where all places of two boxes are within reach, the boxes' sums are multiplied, once; only pairs of
leaves that lie across the edge of reach are looked at place by place (dual-tree sums: Gray & Moore
2000, "N-body" problems in statistical learning). Nothing is approximated. Of p places spread over
an area the pairs looked at grow as p^1.5, and with the reach, not its square.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Codes, Floats
from pipeline.inference.place_tree import NearBoxes, Pairs, PlaceTree, near_boxes

# Gives the weights (a, b) of pairs, of points (a, 3) and (b, 3) in km from a common origin.
Kernel = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True)
class Reach:
    """Hold up to which chord in km pairs count, and by what weight.

    `even` says that the weight of all pairs in reach is 1.
    """

    chord: float
    kernel: Kernel
    even: bool


@dataclass(frozen=True)
class _Held:
    """Hold a tree, what its places hold in its order (p, k), and the sums of its boxes (m, k)."""

    tree: PlaceTree
    values: Floats
    sums: Floats


def near_sums(tree: PlaceTree, values: Floats, reach: Reach) -> Floats:
    """Return sum_ab K(a, b) v_a v_b' over all pairs of places in both orders, (k, k).

    `values` (p, k) are by place. The pair of a place with itself counts once.
    """
    in_order = values[tree.order]
    held = _Held(tree, in_order, _box_sums(tree, in_order))
    found = np.zeros((values.shape[1], values.shape[1]))
    for near in near_boxes(tree, reach.chord, whole=reach.even):
        first, second = near.inside
        found += held.sums[first].T @ (_orders(first, second)[:, None] * held.sums[second])
        for leaf, others in _by_first(near.edge):
            found += _edge_sums(held, leaf, others, reach)
    return (found + found.T) / 2


def most_pairs(tree: PlaceTree, chord: float) -> int:
    """Return how many pairs of different places may be in reach, each in one order.

    All pairs of places of two leaves across the edge count, though not all are in reach: they are
    weighed one by one where weights differ.
    """
    return sum(_n_pairs(tree, near) for near in near_boxes(tree, chord))


def _n_pairs(tree: PlaceTree, near: NearBoxes) -> int:
    first, second = (np.concatenate(parts) for parts in zip(near.inside, near.edge, strict=True))
    one, other = tree.sizes[first], tree.sizes[second]
    return int(np.where(first == second, one * (one - 1) // 2, one * other).sum())


def _orders(first: Codes, second: Codes) -> Floats:
    """Return in how many orders the places of two boxes are pairs that `near_boxes` gives once."""
    return np.where(first == second, 1.0, 2.0)


def _box_sums(tree: PlaceTree, values: Floats) -> Floats:
    """Return the sums of values in tree order (p, k) over every box, (m, k), from the leaves up."""
    levels = [np.add.reduceat(values, tree.first[tree.first_leaf :], axis=0)]
    while len(levels[-1]) > 1:
        levels.append(levels[-1][::2] + levels[-1][1::2])
    return np.concatenate(levels[::-1])


def _by_first(pairs: Pairs) -> Iterator[tuple[int, Codes]]:
    """Yield each first box with those that it is paired with; `pairs` are by first box."""
    first, second = pairs
    if not len(first):
        return
    starts = np.flatnonzero(np.diff(first, prepend=-1))
    for start, others in zip(starts, np.split(second, starts[1:]), strict=True):
        yield int(first[start]), others


def _edge_sums(held: _Held, leaf: int, others: Codes, reach: Reach) -> Floats:
    """Return the sums over pairs of a leaf's places and those of other leaves, (k, k).

    Other places count with the whole leaf where its box is in reach, or not at all where it is out
    of it; those that are left are weighed one by one.
    """
    tree = held.tree
    own = slice(tree.first[leaf], tree.last[leaf])
    middle = (tree.low[leaf] + tree.high[leaf]) / 2
    rows, orders = _places_in(tree, others), _orders(np.array(leaf), others)
    weight = orders.repeat(tree.sizes[others])
    points = tree.points[rows] - middle
    half = (tree.high[leaf] - tree.low[leaf]) / 2
    away = np.abs(points)
    nearest, farthest = np.maximum(away - half, 0.0), away + half
    near = np.einsum("ij,ij->i", nearest, nearest) <= reach.chord**2
    all_in = np.einsum("ij,ij->i", farthest, farthest) <= reach.chord**2
    all_in &= reach.even
    some = near & ~all_in
    kernel = reach.kernel(tree.points[own] - middle, points[some])
    around = kernel @ (weight[some, None] * held.values[rows[some]])
    around += weight[all_in] @ held.values[rows[all_in]]
    return np.asarray(held.values[own].T @ around)


def _places_in(tree: PlaceTree, boxes: Codes) -> Codes:
    """Return the places, as the tree has them in order, of several boxes, one after the other."""
    sizes = tree.sizes[boxes]
    ends = sizes.cumsum()
    starts = tree.first[boxes] - ends + sizes
    return np.asarray(np.arange(ends[-1]) + starts.repeat(sizes), dtype=np.intp)
