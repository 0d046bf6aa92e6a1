"""Which firms hang together because one exposes the other, straight or through further firms.

Firms of one cell, place or link share what reaches them. Those that nobody exposes stay alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.selection.exposure_cells import NO_CELL
from pipeline.selection.exposure_course import KM_DECIMALS
from pipeline.selection.exposure_links import LinkedFirms
from pipeline.selection.exposure_rings import (
    EARTH_RADIUS_KM,
    NO_PLACE,
    Places,
    haversine_km,
    on_unit_sphere,
)

# Pairs of places that are held at once.
_PAIRS_AT_ONCE = 5_000_000


@dataclass(frozen=True)
class Joined:
    """Hold pairs of nodes that hang together: firm codes, then those of `n_hubs` cells or places.

    A hub of number h is the node F + h, with F firms.
    """

    first: Codes
    second: Codes
    n_hubs: int


# Joins firms, given who takes part and who may be exposed, (F,) each.
Joins = Callable[[Flags, Flags], Joined]


def joined_by_cell(cell: Codes, takes_part: Flags, asked: Flags) -> Joined:
    """Join participants and those who may be exposed in each cell that has both; `cell` is (F,)."""
    placed, n_cells = cell != NO_CELL, int(cell.max(initial=NO_CELL)) + 1
    has_both = np.ones(n_cells, dtype=np.bool_)
    for kind in (takes_part, asked):
        has_both &= np.bincount(cell[placed & kind], minlength=n_cells) > 0
    firms = np.flatnonzero(placed & (takes_part | asked))
    firms = firms[has_both[cell[firms]]]
    return Joined(firms, len(cell) + cell[firms], n_cells)


def joined_by_link(linked: LinkedFirms, takes_part: Flags, asked: Flags) -> Joined:
    """Join firms that may be exposed with the linked ones that take part."""
    used = takes_part[linked.by] & asked[linked.exposed]
    return Joined(linked.exposed[used], linked.by[used], 0)


def joined_by_ring(places: Places, farthest_km: float, takes_part: Flags, asked: Flags) -> Joined:
    """Join participants with those who may be exposed up to `farthest_km` away, place by place."""
    place, n_firms, n_places = places.of_firm, len(places.of_firm), len(places.at)
    there = place != NO_PLACE
    sources = np.unique(place[there & takes_part])
    targets = np.unique(place[there & asked])
    tree = np.arange(n_places)  # each place's representative so far
    in_reach = np.zeros(n_places, dtype=np.bool_)
    for first, second in _near(places.at, sources, targets, farthest_km):
        in_reach[first] = in_reach[second] = True
        tree = _representatives(
            np.concatenate([np.arange(n_places), first]), np.concatenate([tree, second]), n_places
        )
    firms = np.flatnonzero(there & (takes_part | asked))
    firms = firms[in_reach[place[firms]]]
    own = np.flatnonzero(in_reach)
    nodes = np.concatenate([firms, n_firms + own])
    return Joined(nodes, n_firms + np.concatenate([place[firms], tree[own]]), n_places)


def _near(
    at: Floats, sources: Codes, targets: Codes, farthest_km: float
) -> Iterator[tuple[Codes, Codes]]:
    """Yield pairs of source and target places in reach, some at a time."""
    from sklearn.neighbors import BallTree

    if not len(sources) or not len(targets):
        return
    tree, points = BallTree(on_unit_sphere(at[targets])), on_unit_sphere(at[sources])
    # a chord a little longer than that of the reach: pairs are measured on the ground below
    chord = 2 * np.sin(min(farthest_km / EARTH_RADIUS_KM, np.pi) / 2) * (1 + 1e-9) + 1e-12
    counts = tree.query_radius(points, chord, count_only=True)
    part = np.cumsum(counts) // _PAIRS_AT_ONCE
    for number in np.unique(part):
        own = np.flatnonzero(part == number)
        found = tree.query_radius(points[own], chord)
        first = sources[own].repeat([len(near) for near in found])
        second = targets[np.concatenate(found).astype(np.intp)]
        km = np.round(haversine_km(at[first], at[second]), KM_DECIMALS)
        within = km <= round(farthest_km, KM_DECIMALS)
        yield first[within], second[within]


def _representatives(first: Codes, second: Codes, n: int) -> Codes:
    """Return, for each of n nodes, the first node that pairs join it with."""
    component = connected(first, second, n)
    found = np.full(n, n, dtype=np.intp)
    np.minimum.at(found, component, np.arange(n))
    return np.asarray(found[component])


def connected(first: Codes, second: Codes, n: int) -> Codes:
    """Return the component of each of n nodes, given pairs that hang together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(n, n))
    return np.asarray(connected_components(pairs.tocsr(), directed=False)[1], dtype=np.intp)
