"""Shares of firms observed that tell of few: of those observed, or of those who are not."""

import numpy as np
import pandas as pd

from pipeline.datasets.small_counts import small

_CELL = ["column", "year", "treated"]


def hide_coverage(
    coverage: pd.DataFrame, profile: pd.DataFrame | None, minimum: int
) -> pd.DataFrame:
    """Hide what COVERAGE tells of few firms, and of years that the profile of the panel hides.

    Where PROFILE hides rows, or values missing among them, the number observed would tell them.
    """
    counts = coverage[["n_observed", "n_firms"]].to_numpy(float)
    absent = counts[:, 1] - counts[:, 0]
    hidden = small(counts[:, 0], minimum) | small(absent, minimum)
    if profile is not None:
        gone = profile[profile["n_rows"].isna() | profile["n_missing"].isna()]
        named = set(gone[gone["year"].notna()][_CELL].itertuples(index=False, name=None))
        cells = coverage[_CELL].itertuples(index=False, name=None)
        hidden |= np.array([cell in named for cell in cells], dtype=np.bool_)
    few = small(counts[:, 1], minimum)
    return coverage.assign(
        n_firms=coverage["n_firms"].astype("Int64").mask(few),
        n_observed=coverage["n_observed"].astype("Int64").mask(hidden | few),
        observed_share=coverage["observed_share"].mask(hidden | few),
    )
