"""Means of covariates that are mostly one firm's, with those from which they could be worked out.

BALANCE and SUPPORT speak of the same firms: the treated after matching are those kept, those of
the risk set are kept or lost, and all entry years together are their sum.
"""

from collections.abc import Iterable

import pandas as pd

from pipeline.publishing.disclosure.dominance import dominated
from pipeline.publishing.disclosure.losses import NO_COVARIATE

# Design, stack and covariate.
Place = tuple[str, str, str]
_PLACE = ["design", "stack", "covariate"]

_FROM_SUPPORT_ON = ("on_support", "after")


def hide_dominated_covariates(
    balance: pd.DataFrame, support: pd.DataFrame | None, shares: pd.DataFrame, percent: float
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Hide means of BALANCE and SUPPORT of which one firm has more than `percent`.

    With them go both groups' means of the same sample, since the difference would tell one, and
    a second stack where all stacks together are shown. Where one fate of the treated is hidden, so
    are the others, and the means on support and after matching (before, where firms without
    covariates are meant), of that stack and of all: they add up. Likewise no fate is shown where a
    mean after matching is not.
    """
    hidden = _dominated_samples(balance, shares, percent)
    if support is None:
        return _without_means(balance, hidden), None
    by_fate = support.rename(columns={"fate": "sample"}).assign(treated=True)
    mostly_one = dominated(by_fate, shares, [*_PLACE, "sample", "treated"], percent)
    told = _with_all(_places(support[mostly_one]))
    lacking = mostly_one & support["fate"].eq(NO_COVARIATE).to_numpy()
    told_before = _with_all(_places(support[lacking]))
    late = balance["sample"].isin(_FROM_SUPPORT_ON)
    hidden |= _within(balance, told) & late
    hidden |= _within(balance, told_before) & (balance["sample"] == "before")
    shown = _without_means(balance, hidden)
    not_shown = shown["mean_treated"].isna() & balance["n_treated"].gt(0).fillna(True) & late
    told |= _with_all(_places(shown[not_shown]))
    return shown, support.assign(mean=support["mean"].mask(_within(support, told)))


def _dominated_samples(
    balance: pd.DataFrame, shares: pd.DataFrame, percent: float
) -> "pd.Series[bool]":
    """Mark samples of which either group is dominated, and those that would tell them."""
    keys = [*_PLACE, "sample", "treated"]
    either = pd.Series(False, index=balance.index)
    for treated in (True, False):
        either |= dominated(balance.assign(treated=treated), shares, keys, percent)
    return _with_second(balance, either)


def _with_second(balance: pd.DataFrame, hidden: "pd.Series[bool]") -> "pd.Series[bool]":
    """Mark a second stack, the smallest other, where the mean over all would tell a hidden one."""
    marks = hidden.copy()
    exists = balance["n_treated"].ne(0).fillna(True).astype(bool)
    gone = hidden | (balance["mean_treated"].isna() & exists)
    numbers = balance[balance["category"].isna()]
    for _, rows in numbers.groupby(["design", "covariate", "sample"]):
        together = rows["stack"] == "all"
        if not hidden[rows.index].any() or gone[rows.index][together].any():
            continue
        stacks = rows[~together]
        if gone[stacks.index].sum() == 1:
            others = stacks[~gone[stacks.index] & exists[stacks.index]]
            smallest = others.sort_values("n_treated", kind="stable").index[:1]
            marks[smallest if len(smallest) else rows.index[together]] = True
    return marks


def _places(rows: pd.DataFrame) -> set[Place]:
    return set(rows[_PLACE].itertuples(index=False, name=None))


def _with_all(places: Iterable[Place]) -> set[Place]:
    return {place for d, s, c in places for place in ((d, s, c), (d, "all", c))}


def _within(rows: pd.DataFrame, places: set[Place]) -> "pd.Series[bool]":
    keys = rows[_PLACE].itertuples(index=False, name=None)
    return pd.Series([key in places for key in keys], index=rows.index, dtype=bool)


def _without_means(balance: pd.DataFrame, hidden: "pd.Series[bool]") -> pd.DataFrame:
    return balance.assign(
        mean_treated=balance["mean_treated"].mask(hidden),
        mean_control=balance["mean_control"].mask(hidden),
    )
