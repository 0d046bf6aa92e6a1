"""Samples of few firms: their means and sizes, and shares of firms observed that tell of few."""

import numpy as np
import pandas as pd

from pipeline.datasets.panel import YEAR
from pipeline.datasets.small_counts import small

_FIGURES = ["std_diff", "percent_bias", "variance_ratio", "ks_distance", "ess_control"]
_CELL = ["column", "year", "treated"]


def hide_paths(paths: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Hide means of OUTCOME_PATHS over few firms, and their numbers."""
    few = pd.Series(small(paths["n_firms"].to_numpy(float), minimum), index=paths.index)
    return paths.assign(
        mean=paths["mean"].mask(few), n_firms=paths["n_firms"].astype("Int64").mask(few)
    )


def hide_balance(balance: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Hide figures of BALANCE of which either group is few firms, and the numbers of these."""
    counts = balance[["n_treated", "n_control"]].to_numpy(float)
    few = pd.Series(small(counts, minimum).any(axis=1), index=balance.index)
    shown = balance.assign(
        n_treated=_without(balance["n_treated"], minimum),
        n_control=_without(balance["n_control"], minimum),
    )
    figures = ["mean_treated", "mean_control", *_FIGURES]
    shown[figures] = shown[figures].mask(few)
    return shown


def _without(counts: "pd.Series[int]", minimum: int) -> pd.Series:
    return counts.astype("Int64").mask(small(counts.to_frame().to_numpy(float)[:, 0], minimum))


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
        by_year = profile[profile["scope"] == YEAR].rename(columns={"first_year": "year"})
        gone = by_year[by_year["n_rows"].isna() | by_year["n_missing"].isna()]
        named = set(gone[_CELL].itertuples(index=False, name=None))
        cells = coverage[_CELL].itertuples(index=False, name=None)
        hidden |= np.array([cell in named for cell in cells], dtype=np.bool_)
    few = small(counts[:, 1], minimum)
    return coverage.assign(
        n_firms=coverage["n_firms"].astype("Int64").mask(few),
        n_observed=coverage["n_observed"].astype("Int64").mask(hidden | few),
        observed_share=coverage["observed_share"].mask(hidden | few),
    )
