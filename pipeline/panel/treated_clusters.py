"""When the programme reached a cluster: the first entry of a participant seen in it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Floats


def cluster_entry(panel: pd.DataFrame) -> pd.Series:
    """Return the first year in which a participant of each row's cluster entered, else missing."""
    code, clusters = pd.factorize(panel["cluster"])
    cohort = panel["cohort"].to_numpy(dtype=np.float64, na_value=np.nan)
    first = first_entries(panel["year"].to_numpy(), cohort, code, len(clusters))
    return pd.Series(np.append(first, np.nan)[code], index=panel.index).astype("Int64")


def first_entries(
    year: NDArray[np.int64], cohort: Floats, cluster: Codes, n_clusters: int
) -> Floats:
    """Return by cluster code the first entry year of its participants, missing without one.

    Arrays have one entry per firm-year; `cohort` is missing for firms that never enter. A
    participant belongs to the clusters in which it is seen from the year before its entry on. Every
    participant counts, also one that a later rule leaves out of the sample: its neighbours may be
    affected all the same.
    """
    participant = year >= cohort - 1
    first = np.full(n_clusters, np.inf)
    np.minimum.at(first, cluster[participant], cohort[participant])
    return np.where(np.isfinite(first), first, np.nan)
