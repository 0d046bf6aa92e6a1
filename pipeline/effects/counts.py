"""What stands behind an estimate, and whether that is enough for a standard error.

The residuals of a group sum to zero, all but exactly, wherever its effects are fitted. Where all
treated (or all comparison) firms lie in one cluster, that cluster's part in the clustered variance
is then nothing, however much its firms vary: the standard error would be silently too small.
"""

from dataclasses import dataclass
from typing import Any

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
ADJUSTED = "negative eigenvalues of the covariance clustered in two directions are set to zero"


@dataclass(frozen=True)
class Counts:
    """Count distinct treated and comparison firms, firm-years, clusters.

    `n_control_clusters` have comparison firms. Where each of `n_entry_years` has effects of its
    own, `lone_entry_years` are those with treated firms in a single cluster. `adjusted` is that of
    the fit, see `Fit`.
    """

    n_treated: int
    n_control: int
    n_obs: int
    n_clusters: int
    n_treated_clusters: int
    n_control_clusters: int
    n_entry_years: int = 0
    lone_entry_years: tuple[int, ...] = ()
    adjusted: bool = False

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
        alone = 0 < self.n_entry_years == len(self.lone_entry_years)
        return LONE_IN_COHORT if alone else None

    @property
    def left_out(self) -> str | None:
        """Say which entry years a standard error does not see; None where it sees all."""
        if self.too_few is not None or not self.lone_entry_years:
            return None
        years = ", ".join(map(str, self.lone_entry_years))
        return f"the standard error leaves out entry years with a single treated cluster: {years}"

    @property
    def cautions(self) -> tuple[str | None, str | None]:
        """Say what standard errors leave out, and what was done to their covariance."""
        return self.left_out, ADJUSTED if self.adjusted else None

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
    return Counts(
        n_treated=n_groups(firm[treated]),
        n_control=n_groups(firm[~treated]),
        n_obs=len(firm),
        n_clusters=min(n_groups(group) for group in groups),
        n_treated_clusters=n_groups(groups[0][treated]),
        n_control_clusters=n_groups(groups[0][~treated]),
        **({} if entry is None else _entry_years(entry[kept][treated], groups[0][treated])),
    )


def _entry_years(entry: NDArray[np.int64], cluster: Codes) -> dict[str, Any]:
    """Count entry years, and name those with a single cluster."""
    pairs = np.unique(np.column_stack([entry, cluster]), axis=0)
    years, n_clusters = np.unique(pairs[:, 0], return_counts=True)
    lone = tuple(int(year) for year in years[n_clusters == 1])
    return {"n_entry_years": len(years), "lone_entry_years": lone}
