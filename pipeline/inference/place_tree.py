"""Places on the earth as a tree of boxes, and the pairs of boxes that lie within a reach.

A straight line through the earth, the chord, grows with the great-circle distance: what is within
d km on the ground is within 2R sin(d / 2R) km of chord, so that boxes in three dimensions decide.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats

EARTH_RADIUS_KM = 6371.01

# Distances that differ by no more than a micrometre differ by rounding.
CLOSE_KM = 1e-9

# Few enough that a leaf's edge is thin, many enough that products of matrices are worth a call.
_PLACES_IN_A_LEAF = 32
# Pairs of boxes compared at a time: what they need stays in the processor's cache.
_PAIRS_AT_ONCE = 4096

Pairs = tuple[Codes, Codes]


@dataclass(frozen=True)
class PlaceTree:
    """Hold p places as a complete binary tree of m boxes: children of box i are 2i + 1, 2i + 2.

    `points` (p, 3) in km are in the tree's order, `order` (p,) says which place each is. Box i has
    the points from `first` (m,) up to `last` (m,), between the corners `low` and `high` (m, 3).
    """

    points: Floats
    order: Codes
    first: Codes
    last: Codes
    low: Floats
    high: Floats

    @property
    def first_leaf(self) -> int:
        """Return the number of the first box without children; all after it have none."""
        return len(self.first) // 2

    @property
    def sizes(self) -> Codes:
        """Return the number of places in each box, (m,)."""
        return self.last - self.first


@dataclass(frozen=True)
class NearBoxes:
    """Hold pairs of boxes: `inside`, all whose places are in reach; `edge`, of leaves, some may be.

    No pair of places is in two pairs of boxes; two different places are in one order only.
    """

    inside: Pairs
    edge: Pairs


def chord_of(km: float) -> float:
    """Return the chord in km of a great-circle distance; infinite from half the earth's girth on.

    2R sin(d / 2R), and a micrometre for rounding: distances that equal `km` are within it.
    """
    half_angle = km / (2 * EARTH_RADIUS_KM)
    if half_angle >= np.pi / 2:
        return np.inf
    return float(2 * EARTH_RADIUS_KM * np.sin(half_angle)) + CLOSE_KM


def on_the_earth(latitude: Floats, longitude: Floats) -> Floats:
    """Return places in degrees (p,) as points in km from the earth's centre, (p, 3)."""
    north, east = np.radians(latitude), np.radians(longitude)
    across = np.cos(north)
    unit = np.column_stack([across * np.cos(east), across * np.sin(east), np.sin(north)])
    return EARTH_RADIUS_KM * unit


def place_tree(points: Floats) -> PlaceTree:
    """Return the tree of points (p, 3), p at least 1, by scikit-learn's KDTree.

    Axes are turned to those along which places vary most, least and between: the boxes of a
    country, which is nearly flat, are then thin.
    """
    from sklearn.neighbors import KDTree

    centred = points - points.mean(axis=0)
    turned = centred @ np.linalg.eigh(centred.T @ centred)[1]
    tree = KDTree(turned, leaf_size=_PLACES_IN_A_LEAF)
    _, order, boxes, corners = (np.array(part) for part in tree.get_arrays())
    order = order.astype(np.intp)
    first, last = boxes["idx_start"].astype(np.intp), boxes["idx_end"].astype(np.intp)
    return PlaceTree(turned[order], order, first, last, corners[0], corners[1])


def near_boxes(tree: PlaceTree, chord: float, *, whole: bool = True) -> Iterator[NearBoxes]:
    """Yield every pair of boxes with places within a chord of each other, level by level.

    Where not `whole`, no pair counts as inside: all that is near is found among pairs of leaves.
    Memory is that of some thousand pairs a level, whatever their number.
    """
    root = np.zeros(1, dtype=np.intp)
    none = (root[:0], root[:0])
    waiting: list[Pairs] = [(root, root)]
    while waiting:
        first, second = waiting.pop()
        if len(first) > _PAIRS_AT_ONCE:
            waiting.append((first[_PAIRS_AT_ONCE:], second[_PAIRS_AT_ONCE:]))
            first, second = first[:_PAIRS_AT_ONCE], second[:_PAIRS_AT_ONCE]
        near, all_in = _reached(tree, first, second, chord)
        all_in &= whole
        open_ = near & ~all_in
        edge = first[open_], second[open_]
        at_leaves = bool(first[0] >= tree.first_leaf)
        yield NearBoxes((first[all_in], second[all_in]), edge if at_leaves else none)
        if len(edge[0]) and not at_leaves:
            waiting.append(_children(*edge))


def _reached(tree: PlaceTree, first: Codes, second: Codes, chord: float) -> tuple[Flags, Flags]:
    """Say of pairs of boxes whether their nearest corners, and farthest ones, are in reach."""
    one, other = tree.high[second] - tree.low[first], tree.high[first] - tree.low[second]
    farthest = np.maximum(one, other)
    nearest = np.maximum(-np.minimum(one, other), 0.0)
    return _within(nearest, chord), _within(farthest, chord)


def _within(sides: Floats, chord: float) -> Flags:
    return np.asarray(np.einsum("ij,ij->i", sides, sides) <= chord**2)


def _children(first: Codes, second: Codes) -> Pairs:
    """Return the pairs of the children of pairs of boxes, by the first of them.

    A box with itself has three, not four: its two children are a pair once.
    """
    firsts = 2 * first[:, None] + np.array([1, 1, 2, 2])
    seconds = 2 * second[:, None] + np.array([1, 2, 2, 1])
    kept = np.ones(firsts.shape, dtype=np.bool_)
    kept[first == second, 3] = False
    ones, others = firsts[kept], seconds[kept]
    order = np.argsort(ones, kind="stable")
    return ones[order], others[order]
