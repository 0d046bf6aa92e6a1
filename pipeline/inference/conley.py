"""Spatial errors: firms within a distance of each other may share shocks (Conley 1999).

V = sum_ij K(d_ij) psi_i psi_j', doi:10.1016/S0304-4076(98)00084-0, with psi_i the influence of firm
i and d_ij the great-circle distance (haversine, R = 6371.01 km). No small-sample factor. A firm's
influence is the sum over its years: errors of a firm, and of two firms that are near, may be
correlated over any number of years. The textbook's panel version (near firms in the same year,
one firm over some years) is narrower, and takes influences by firm and year.

- `uniform`: K = 1[d <= cutoff], by sums over a tree, without a list of pairs.
- `bartlett`: K = max(1 - d / cutoff, 0), which needs the distance of every pair in reach.

Neither is positive definite on a sphere: a variance may be negative, and is then missing.
"""

from functools import partial

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.errors import DataError, IdentificationError, Reason
from pipeline.inference.near_sums import Reach, most_pairs, near_sums
from pipeline.inference.place_tree import (
    CLOSE_KM,
    EARTH_RADIUS_KM,
    PlaceTree,
    chord_of,
    on_the_earth,
    place_tree,
)
from pipeline.params.inference import Conley

# Pairs of different places whose distances the Bartlett kernel takes: half a minute of a processor.
MOST_PAIRS = 2_000_000_000

NEGATIVE = Reason("negative_spatial_variance")


def conley_covariance(
    influence: Floats, latitude: Floats, longitude: Floats, asked: Conley
) -> Floats:
    """Return the covariance (k, k) of estimates, of influences (F, k) by firm and their places.

    `latitude` and `longitude` (F,) are in degrees, to 90 south and north, and 180 west to 360 east;
    those of firms without influence may be missing. Firms at one place are summed first. Raises
    DataError where a firm with influence has no place, IdentificationError where the Bartlett
    kernel has too many pairs.
    """
    counted = (influence != 0).any(axis=1)
    if not counted.any():
        return np.zeros((influence.shape[1], influence.shape[1]))
    _require_places(latitude[counted], longitude[counted])
    places, sums = _by_place(influence[counted], latitude[counted], longitude[counted])
    tree = place_tree(places)
    return near_sums(tree, sums, _reach(tree, asked))


def _require_places(latitude: Floats, longitude: Floats) -> None:
    """Raise DataError where a firm has no place on the earth."""
    placed = (np.abs(latitude) <= 90) & (longitude >= -180) & (longitude <= 360)
    if faulty := int(np.count_nonzero(~placed)):
        raise DataError(
            f"cluster: distance: {faulty} of {len(latitude)} firms that estimates rest on have no "
            "latitude from -90 to 90 and longitude from -180 to 360 in degrees, which distances "
            "need; complete them, leave these firms out, or use cluster: assignment"
        )


def _by_place(influence: Floats, latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    """Return the different places as points (p, 3), and sums of influences over each, (p, k).

    180 west is 180 east, and the poles have no longitude.
    """
    east = np.where(np.abs(latitude) == 90, 0.0, np.mod(longitude, 360.0))
    degrees = np.column_stack([latitude, east]) + 0.0  # -0.0 and 0.0 are one
    order = np.lexsort(degrees.T)
    in_order = degrees[order]
    is_new = np.ones(len(order), dtype=np.bool_)
    is_new[1:] = (in_order[1:] != in_order[:-1]).any(axis=1)
    starts = np.flatnonzero(is_new)
    points = on_the_earth(in_order[starts, 0], in_order[starts, 1])
    return points, np.add.reduceat(influence[order], starts, axis=0)


def _reach(tree: PlaceTree, asked: Conley) -> Reach:
    """Return how far and by what weight pairs count; refuse more than can be weighed one by one."""
    chord = chord_of(asked.cutoff_km)
    if asked.kernel == "uniform":
        return Reach(chord, partial(_uniform, chord), even=True)
    n_pairs = most_pairs(tree, chord)
    if n_pairs > MOST_PAIRS:
        raise IdentificationError(
            "cluster: distance: kernel: bartlett takes the distance of every pair of places within "
            f"{asked.cutoff_km:g} km, here of up to {n_pairs:,}, and of at most {MOST_PAIRS:,}; "
            "use kernel: uniform, which lists no pairs, or a smaller cutoff_km"
        )
    return Reach(chord, partial(_bartlett, asked.cutoff_km), even=False)


def _uniform(chord: float, one: Floats, other: Floats) -> Floats:
    """Return 1 where points (a, 3) and (b, 3) are within a chord, else 0, (a, b).

    |p - q|^2 <= c^2 as 2pq - |q|^2 >= |p|^2 - c^2: one product of matrices. Points that are farther
    from their origin than the chord is long are subtracted: of these the squares would round it.
    """
    from_origin = np.einsum("ij,ij->i", one, one)
    if (from_origin > chord**2).any():
        return np.asarray(_squared_chords(one, other) <= chord**2, dtype=np.float64)
    left = np.column_stack([2 * one, np.full(len(one), -1.0)])
    right = np.column_stack([other, np.einsum("ij,ij->i", other, other)])
    within = left @ right.T >= (from_origin - chord**2)[:, None]
    return np.asarray(within, dtype=np.float64)


def _bartlett(cutoff_km: float, one: Floats, other: Floats) -> Floats:
    """Return max(1 - d / cutoff, 0) of points (a, 3) and (b, 3), d on the ground, (a, b)."""
    half_chord = np.sqrt(_squared_chords(one, other)) / (2 * EARTH_RADIUS_KM)
    km = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(half_chord, 1.0))
    return np.asarray(np.maximum(1 - km / max(cutoff_km, CLOSE_KM), 0.0))


def _squared_chords(one: Floats, other: Floats) -> Floats:
    """Return the squared chords between points (a, 3) and (b, 3), (a, b)."""
    x, y, z = ((one[:, [axis]] - other[:, axis]) ** 2 for axis in range(3))
    return np.asarray(x + y + z)
