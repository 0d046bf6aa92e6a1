"""Published means of sets of firms of which one lies inside another and lacks few of its firms.

What of the two differs is told by those few: the mean of 57 firms, and of 56 of them.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats
from pipeline.datasets.small_counts import small
from pipeline.exhibits.inputs import Populations, StudyResults

# What identifies a mean, and what may differ between two that are compared: the dates of
# covariates depend on the stack.
_MEAN = ["variable", "stack", "event_time", "treated"]
_DIFFERS = ["design", "sample"]
_EVERYONE = {"grouping": "all", "subgroup": "all"}
COLUMNS = [
    *_MEAN,
    *(f"{which}_{name}" for which in ("larger", "smaller") for name in _DIFFERS),
    "n_firms",
]


def nested_means(results: StudyResults, minimum: int) -> pd.DataFrame:
    """Return the pairs of published means of one variable whose firms differ by few.

    `results` are those published, with POPULATIONS: of each pair the variable, the larger and the
    smaller set and `n_firms`, the number of firms between them. Means of paths are compared with
    those of other designs at the same event time, means of balance tables with those of the same
    covariate and stack in other designs and samples.
    """
    found: list[pd.DataFrame] = []
    if results.populations is not None:
        shown = pd.concat([_paths(results.paths), _balance(results.balance)], ignore_index=True)
        key = [*_MEAN, *_DIFFERS, *_EVERYONE]
        named = shown.assign(**_EVERYONE).merge(results.populations.sets, on=key)
        for _, means in named.groupby(_MEAN, dropna=False):
            found += _few_between(means.reset_index(drop=True), results.populations, minimum)
    return pd.concat([pd.DataFrame(columns=COLUMNS), *found], ignore_index=True)


def _paths(paths: pd.DataFrame) -> pd.DataFrame:
    rows = paths[paths["mean"].notna()].rename(columns={"outcome": "variable"})
    return rows.assign(stack="all", sample="all")[[*_MEAN, *_DIFFERS]]


def _balance(balance: pd.DataFrame) -> pd.DataFrame:
    """Return the sets of firms that have a covariate, whatever its categories."""
    rows = balance.rename(columns={"covariate": "variable"})
    event_time = pd.Series(pd.NA, index=rows.index, dtype="Int64")
    parts = [
        rows[rows[mean].notna()].assign(treated=treated, event_time=event_time)
        for mean, treated in (("mean_treated", True), ("mean_control", False))
    ]
    return pd.concat(parts)[[*_MEAN, *_DIFFERS]].drop_duplicates()


def _few_between(
    means: pd.DataFrame, populations: Populations, minimum: int
) -> Iterator[pd.DataFrame]:
    """Yield the pairs among the sets of one variable's means."""
    inside, between = _between(means, populations.populations)
    larger, smaller = np.nonzero(inside & small(between, minimum))
    if len(larger):
        pair = means.loc[larger, _MEAN].reset_index(drop=True)
        for which, rows in (("larger", larger), ("smaller", smaller)):
            for name in _DIFFERS:
                pair[f"{which}_{name}"] = means.loc[rows, name].to_numpy()
        yield pair.assign(n_firms=between[larger, smaller].astype(np.int64))


def _between(means: pd.DataFrame, populations: pd.DataFrame) -> tuple[Flags, Floats]:
    """Say whether set j lies inside set i, and count the firms of i outside it, (sets, sets)."""
    numbers, own = np.unique(means["population"].to_numpy(np.int64), return_inverse=True)
    rows = populations[populations["population"].isin(numbers)]
    signature, place = np.unique(rows["signature"].to_numpy(np.int64), return_inverse=True)
    column = np.searchsorted(numbers, rows["population"].to_numpy(np.int64))
    member, n_firms = np.zeros((len(signature), len(numbers))), np.zeros(len(signature))
    member[place, column] = 1.0
    n_firms[place] = rows["n_firms"].to_numpy(float)
    both = (member.T @ (member * n_firms[:, None]))[np.ix_(own, own)]
    size = np.diag(both)
    return both == size[None, :], size[:, None] - both
