"""What stands behind an estimate, and whether that is enough for a standard error.

The residuals of a group sum to zero, all but exactly, wherever its effects are fitted. Where all
treated (or all comparison) firms lie in one cluster, that cluster's part in the clustered variance
is then nothing, however much its firms vary: the standard error would be silently too small.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.inference import n_groups

Flags = NDArray[np.bool_]
Codes = NDArray[np.intp]

ONE_CLUSTER = "no standard error: the sample has a single cluster"
LONE_CLUSTER = "no standard error: the treated firms lie in a single cluster"
LONE_COMPARISON = "no standard error: the comparison firms lie in a single cluster"
LONE_IN_COHORT = "no standard error: in every entry year the treated firms lie in a single cluster"
NO_VARIATION = "no standard error: the outcome is fitted exactly, no variation is left"
NO_FREEDOM = "no standard error: there are no more observations than parameters"
NEGATIVE = "no standard error: the variance clustered in two directions is negative"


@dataclass(frozen=True)
class Counts:
    """Count distinct treated and comparison firms, firm-years, clusters.

    `n_control_clusters` have comparison firms; `most_treated_clusters` is the largest number of
    clusters with treated firms in any one entry year, where each has effects of its own.
    """

    n_treated: int
    n_control: int
    n_obs: int
    n_clusters: int
    n_treated_clusters: int
    n_control_clusters: int
    most_treated_clusters: int

    @property
    def columns(self) -> dict[str, int]:
        """Return the columns of ESTIMATES."""
        names = ("n_treated", "n_control", "n_obs", "n_clusters", "n_treated_clusters")
        return {name: getattr(self, name) for name in names}

    @property
    def too_few(self) -> str | None:
        """Say why the clusters give no standard error; None where they do."""
        if self.n_clusters < 2:
            return ONE_CLUSTER
        if self.n_treated_clusters < 2:
            return LONE_CLUSTER
        if self.n_control_clusters < 2:
            return LONE_COMPARISON
        return LONE_IN_COHORT if self.most_treated_clusters < 2 else None

    def why_none(self, std_error: float, two_way: bool = False) -> str | None:
        """Say why there is no standard error, given the one computed; None where it stands."""
        if std_error > 0 or self.too_few is not None:
            return self.too_few
        if std_error == 0:
            return NO_VARIATION
        return NEGATIVE if two_way else NO_FREEDOM


def count_sample(
    kept: Flags,
    treated: Flags,
    firm: Codes,
    *clusters: Codes,
    entry: NDArray[np.int64] | None = None,
) -> Counts:
    """Count what the kept rows hold; all arrays have one entry per row.

    Clustered in two directions, the smaller number of clusters counts; treated clusters are those
    of the first. `entry` is the entry year where each has effects of its own, None where not.
    """
    treated, firm = treated[kept], firm[kept]
    groups = [cluster[kept] for cluster in clusters]
    n_treated_clusters = n_groups(groups[0][treated])
    return Counts(
        n_treated=n_groups(firm[treated]),
        n_control=n_groups(firm[~treated]),
        n_obs=len(firm),
        n_clusters=min(n_groups(group) for group in groups),
        n_treated_clusters=n_treated_clusters,
        n_control_clusters=n_groups(groups[0][~treated]),
        most_treated_clusters=n_treated_clusters
        if entry is None
        else _most_in_one(entry[kept][treated], groups[0][treated]),
    )


def _most_in_one(entry: NDArray[np.int64], cluster: Codes) -> int:
    """Return the largest number of clusters in one entry year."""
    pairs = np.unique(np.column_stack([entry, cluster]), axis=0)
    return int(np.unique(pairs[:, 0], return_counts=True)[1].max(initial=0))
