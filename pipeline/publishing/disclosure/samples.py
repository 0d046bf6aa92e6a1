"""Means that tell of few firms: over few, or of two samples that differ by few.

From the means of 57 firms and of 56 of them anyone can work out the one left out. Where two
published samples differ by one to `minimum - 1` firms, only the first keeps its mean.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags
from pipeline.datasets.panel import YEAR
from pipeline.datasets.small_counts import small

# The sample that keeps its means, before those that follow from it.
_SAMPLES = ("before", "on_support", "after")
# What one row of BALANCE is on; a number has no category.
_TERM = ("covariate", "category")
_FIGURES = ["std_diff", "percent_bias", "variance_ratio", "ks_distance", "ess_control"]
_CELL = ["column", "year", "treated"]


def too_near(sizes: Iterable[float], minimum: int) -> Flags:
    """Mark samples, in order of preference, whose size is near one that is shown.

    Sizes that agree are the same firms and tell nothing more.
    """
    shown: list[float] = []
    marks = []
    for size in sizes:
        near = any(0 < abs(size - other) < minimum for other in shown)
        marks.append(near)
        if not near:
            shown.append(size)
    return np.array(marks, dtype=np.bool_)


def hide_paths(paths: pd.DataFrame, preferred: list[str], minimum: int) -> pd.DataFrame:
    """Hide means of OUTCOME_PATHS over few firms, and near those of a preferred design."""
    order = {design: place for place, design in enumerate(preferred)}
    ranked = paths.assign(rank=paths["design"].map(order).fillna(len(order)))
    few = pd.Series(small(paths["n_firms"].to_numpy(float), minimum), index=paths.index)
    hidden = few.copy()
    for _, group in ranked.groupby(["outcome", "treated", "event_time"]):
        ordered = group.sort_values(["rank", "design"])
        hidden[ordered.index] |= too_near(ordered["n_firms"].astype(float), minimum)
    return paths.assign(
        mean=paths["mean"].mask(hidden), n_firms=paths["n_firms"].astype("Int64").mask(few)
    )


def hide_balance(
    balance: pd.DataFrame, lost: set[tuple[str, str]], minimum: int
) -> tuple[pd.DataFrame, set[tuple[str, str, str]]]:
    """Hide means of BALANCE that tell of few firms; return it and (design, stack, covariate).

    `lost` names (design, stack) where few treated firms are lost for some reason. Only the sample
    before matching keeps its means there: standardised differences stay, from which no mean can be
    told without the other. What holds in one stack holds in all together.
    """
    near = _near_samples(balance, minimum)
    near |= {
        (design, stack, str(name))
        for design, stack in lost
        for name in balance.loc[balance["design"] == design, "covariate"].unique()
    }
    near |= {(design, "all", name) for design, _, name in near}
    keys = pd.Series(
        list(zip(balance["design"], balance["stack"], balance["covariate"], strict=True)),
        index=balance.index,
    )
    derived = keys.isin(near) & (balance["sample"] != "before")
    counts = balance[["n_treated", "n_control"]].to_numpy(float)
    few = pd.Series(small(counts, minimum).any(axis=1), index=balance.index)
    hidden = derived | few | _near_designs(balance, minimum)
    shown = balance.assign(
        mean_treated=balance["mean_treated"].mask(hidden),
        mean_control=balance["mean_control"].mask(hidden),
        n_treated=_without(balance["n_treated"], minimum),
        n_control=_without(balance["n_control"], minimum),
    )
    shown[_FIGURES] = shown[_FIGURES].mask(few)
    return shown, near


def _near_samples(balance: pd.DataFrame, minimum: int) -> set[tuple[str, str, str]]:
    """Name covariates of which two samples of one design and stack differ by few firms."""
    found = set()
    for key, group in balance.groupby(["design", "stack", *_TERM], dropna=False):
        sizes = group.set_index("sample").reindex(_SAMPLES).dropna(subset=["n_treated"])
        if any(too_near(sizes[n].astype(float), minimum).any() for n in ("n_treated", "n_control")):
            found.add((str(key[0]), str(key[1]), str(key[2])))
    return found


def _near_designs(balance: pd.DataFrame, minimum: int) -> "pd.Series[bool]":
    """Mark means before matching that are near those of another design's risk sets."""
    hidden = pd.Series(False, index=balance.index)
    before = balance[balance["sample"] == "before"].assign(
        first=lambda rows: rows["design"] != "unmatched"
    )
    for _, group in before.groupby(["stack", *_TERM], dropna=False):
        ordered = group.sort_values(["first", "design"])
        hidden[ordered.index] = too_near(ordered["n_treated"].astype(float), minimum)
    return hidden


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
