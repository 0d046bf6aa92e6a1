"""Means of zeros and ones that tell of few firms: times their number they count firms.

A mean of 62 firms is 3/62 where three of them export: what counts few, or all but few, is hidden,
with the differences from which both groups' counts could be found by trying. Categories of one
covariate add up to all firms, and entry years to all of them, so that they are hidden together.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats
from pipeline.datasets.balance import BALANCE_SUMMARY, DIFFERENCES
from pipeline.datasets.samples import BASELINES
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import reference_event_time
from pipeline.publishing.disclosure.details import keys_of, without

_NEAR = 1e-6
_MEANS = ["mean_treated", "mean_control"]
_FIGURES = ["std_diff", "percent_bias", "variance_ratio", "ks_distance"]
_SAMPLE = ["design", "stack", "covariate", "sample"]
_ACROSS = ["design", "covariate", "category", "sample"]


def few_ones(mean: Floats, n_firms: Floats, minimum: int) -> Flags:
    """Mark means (n,) that are those of one to `minimum - 1` ones, or zeros."""
    ones = mean * n_firms
    whole = np.round(ones)
    fewer = np.minimum(whole, n_firms - whole)
    is_count = np.abs(ones - whole) < _NEAR * np.maximum(n_firms, 1.0)
    return np.asarray(is_count & (mean > 0) & (mean < 1) & (fewer >= 1) & (fewer < minimum))


def hide_few_ones(vetted: StudyResults, results: StudyResults, minimum: int) -> StudyResults:
    """Hide such means of covariates and outcomes; `results` are those before disclosure control."""
    marks = _balance_marks(results.balance, minimum)
    figures = [*_MEANS, *_FIGURES]
    balance = vetted.balance.assign(**{n: vetted.balance[n].mask(marks) for n in figures})
    paths = few_ones(*_numbers(results.paths, "mean", "n_firms"), minimum)
    shown = replace(
        vetted,
        balance=balance,
        support=_support(vetted.support, minimum),
        paths=vetted.paths.assign(mean=vetted.paths["mean"].mask(paths)),
    )
    gone = set(
        keys_of(results.balance[marks & results.balance["stack"].eq("all")], ["design", "sample"])
    )
    told = [key in gone for key in keys_of(shown.details.of(BALANCE_SUMMARY), ["design", "sample"])]
    details = without(shown.details, BALANCE_SUMMARY, list(DIFFERENCES), told)
    at_base = results.paths["event_time"].eq(reference_event_time(results)).to_numpy() & paths
    places = set(keys_of(results.paths[at_base], ["outcome", "design", "treated"]))
    hidden = [
        key in places for key in keys_of(details.of(BASELINES), ["outcome", "design", "treated"])
    ]
    return replace(shown, details=without(details, BASELINES, ["mean"], hidden))


def _numbers(rows: pd.DataFrame, mean: str, count: str) -> tuple[Floats, Floats]:
    return (
        rows[mean].to_numpy(np.float64, na_value=np.nan),
        rows[count].to_numpy(np.float64, na_value=np.nan),
    )


def _support(support: pd.DataFrame | None, minimum: int) -> pd.DataFrame | None:
    if support is None:
        return None
    few = few_ones(*_numbers(support, "mean", "n_treated"), minimum)
    return support.assign(mean=support["mean"].mask(few))


def _balance_marks(balance: pd.DataFrame, minimum: int) -> "pd.Series[bool]":
    """Mark means of BALANCE that count few, with the categories and entry years that tell them."""
    few = pd.Series(False, index=balance.index)
    for mean, count in zip(_MEANS, ("n_treated", "n_control"), strict=True):
        few |= few_ones(*_numbers(balance, mean, count), minimum)
    few = _with_categories(balance, few)
    for _, rows in balance.groupby(_ACROSS, dropna=False):
        stacks = rows[rows["stack"] != "all"]
        shown = stacks[~few[stacks.index] & stacks["mean_treated"].notna()]
        together = rows.index[rows["stack"] == "all"]
        if few[stacks.index].sum() == 1 and not few[together].any():
            smallest = shown.sort_values("n_treated", kind="stable").index[:1]
            few[smallest if len(smallest) else together] = True
    return _with_categories(balance, few)


def _with_categories(balance: pd.DataFrame, few: "pd.Series[bool]") -> "pd.Series[bool]":
    """Mark all categories of a covariate of which one is marked."""
    keys = [balance[name] for name in _SAMPLE]
    return few | (few.groupby(keys).transform("any") & balance["category"].notna())
