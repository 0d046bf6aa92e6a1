"""Exposure by distance: in which ring around a firm the nearest other participant is.

Neighbours come from scikit-learn's BallTree, on points in which the nearest by a straight line is
the nearest on the ground: for the earth those of the unit sphere, where a chord c spans the angle
2 arcsin(c / 2). Distances are then haversine ones. The tree's own haversine metric finds the same
neighbours in five times the time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats, Integers
from pipeline.selection.exposure_course import KM_DECIMALS, BaseFirms, Step

EARTH_RADIUS_KM = 6371.01
KM_PER_DEGREE = EARTH_RADIUS_KM * np.pi / 180  # of latitude

NO_PLACE = -1

# Few enough that a leaf is read faster than a further level of the tree.
_PLACES_IN_A_LEAF = 8


@dataclass(frozen=True)
class Metric:
    """Say how distances are taken between places (n, 2), latitude and longitude in degrees.

    `points` (n, d) are such that the nearest by a straight line is the nearest; `km` (n,) gives the
    distances of n pairs of places.
    """

    points: Callable[[Floats], Floats]
    km: Callable[[Floats, Floats], Floats]


def haversine_km(one: Floats, other: Floats) -> Floats:
    """Return the great-circle distance in km of pairs of places (n, 2) in degrees.

    2 R arcsin sqrt(sin^2(dlat / 2) + cos lat1 cos lat2 sin^2(dlon / 2)), R = 6371.01 km.
    """
    a, b = np.radians(one), np.radians(other)
    half = np.sin((b - a) / 2) ** 2
    chord = half[:, 0] + np.cos(a[:, 0]) * np.cos(b[:, 0]) * half[:, 1]
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(chord, 1))))


def on_unit_sphere(places: Floats) -> Floats:
    """Return places (n, 2) in degrees as points (n, 3) of the unit sphere."""
    latitude, longitude = np.radians(places).T
    across = np.cos(latitude)
    return np.column_stack(
        [across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)]
    )


EARTH = Metric(on_unit_sphere, haversine_km)


@dataclass(frozen=True)
class Places:
    """Hold the different places (n, 2), and which of them each firm is at, else NO_PLACE."""

    at: Floats
    of_firm: Codes


def distinct_places(coordinates: Floats) -> Places:
    """Return the different places among coordinates (firms, 2), missing ones in no place.

    Places near each other stand near each other, so that a tree is asked along a path.
    """
    known = ~np.isnan(coordinates).any(axis=1)
    rows = coordinates[known] + 0.0  # -0.0 and 0.0 are one place
    latitude, _ = pd.factorize(rows[:, 0])
    longitude, values = pd.factorize(rows[:, 1])
    code, first = _first_of_each(latitude * len(values) + longitude)
    tenth = np.floor(10 * rows[first])
    order = np.lexsort((tenth[:, 1], tenth[:, 0]))
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    of_firm = np.full(len(coordinates), NO_PLACE, dtype=np.intp)
    of_firm[known] = rank[code]
    return Places(rows[first][order], of_firm)


def _first_of_each(values: Integers) -> tuple[Codes, Codes]:
    """Return the code of each value, and where each different one is first."""
    code, distinct = pd.factorize(values)
    first = np.empty(len(distinct), dtype=np.intp)
    first[code[::-1]] = np.arange(len(code))[::-1]
    return code, first


def ring_steps(
    places: Places, firms: BaseFirms, edges_km: Sequence[float], metric: Metric = EARTH
) -> Iterator[Step]:
    """Yield for each entry year the distance in km to the nearest other participant, and its ring.

    Rings are closed on the right: the first is [0, r1], the next (r1, r2]. The first is the
    strongest; beyond the last is 0.
    """
    edges: Floats = np.asarray([round(edge, KM_DECIMALS) for edge in edges_km], dtype=np.float64)
    placed = np.flatnonzero(places.of_firm != NO_PLACE)
    place, cohort = places.of_firm[placed], firms.cohort[placed]
    nearest = np.full(len(firms.cohort), np.inf)
    within_reach = _within_reach(places, place[~np.isnan(cohort)], edges[-1], metric)
    for year in firms.entry_years:
        enter = cohort == year
        asked = np.zeros(len(places.at), dtype=np.bool_)
        asked[place[nearest[placed] > edges[0]]] = True
        found, other = _nearest(places.at, asked & within_reach, place[enter], metric)
        distance = np.where(enter, other[place], found[place])
        nearest[placed] = np.minimum(nearest[placed], distance)
        yield Step(year, ring_strength(nearest, edges), nearest.copy())


def ring_strength(km: Floats, edges: Floats) -> Integers:
    """Return the number of edges at or beyond each distance: the most in the first ring, 0 none."""
    return np.asarray(len(edges) - np.searchsorted(edges, km, side="left"))


def _within_reach(places: Places, source: Codes, farthest: float, metric: Metric) -> Flags:
    """Mark the places that have anybody who ever takes part within the last ring, itself too."""
    everywhere = np.ones(len(places.at), dtype=np.bool_)
    if not len(source):
        return ~everywhere
    return np.asarray(_nearest(places.at, everywhere, source, metric)[0] <= farthest)


def _nearest(at: Floats, asked: Flags, source: Codes, metric: Metric) -> tuple[Floats, Floats]:
    """Return the distance of the asked places to the nearest source, and to one of another firm.

    `source` has the place of each firm that enters. The second distance is that of a firm that
    enters at the place: zero where two do. Both are infinite for places that were not asked.
    """
    from sklearn.neighbors import BallTree

    found, other = np.full(len(at), np.inf), np.full(len(at), np.inf)
    there, n_there = np.unique(source, return_counts=True)
    if not len(there):
        return found, other
    points = metric.points(at[there])
    tree = BallTree(points, leaf_size=_PLACES_IN_A_LEAF)
    rows = np.flatnonzero(asked)
    if len(rows):
        _, which = tree.query(metric.points(at[rows]), k=1, sort_results=False)
        found[rows] = np.round(metric.km(at[rows], at[there[which[:, 0]]]), KM_DECIMALS)
    other[there[n_there > 1]] = 0.0
    alone = there[n_there == 1]
    if len(there) > 1 and len(alone):
        _, which = tree.query(points[n_there == 1], k=2)
        pair = np.round([metric.km(at[alone], at[there[which[:, k]]]) for k in (0, 1)], KM_DECIMALS)
        other[alone] = pair.max(axis=0)
    return found, other
