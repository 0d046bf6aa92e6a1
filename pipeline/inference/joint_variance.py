"""The variance of a sum over results that share clusters, or places of firms near each other."""

from collections.abc import Iterable

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.effects.kept import Kept
from pipeline.inference.conley import conley_covariance
from pipeline.params.inference import SpatialErrors


def joint_variance(influence: Floats, names: Iterable[str], results: Iterable[Kept]) -> float:
    """Return sum_g psi_g^2, of influences psi (G,) by cluster, or by place, where pairs count.

    `results` say where places are: sum_ab K(d_ab) psi_a psi_b, which may be negative.
    """
    every = list(results)
    asked = every[0].label.cluster
    if not isinstance(asked, SpatialErrors):
        return float((influence**2).sum())
    at: dict[str, list[float]] = {}
    for kept in every:
        assert kept.places is not None, "of places"
        at |= zip(kept.names.tolist(), kept.places.tolist(), strict=True)
    latitude, longitude = np.array([at[str(name)] for name in names]).T
    own = influence[:, None]
    return float(conley_covariance(own, latitude, longitude, asked)[0, 0])
