"""What ISSUES counts of few firms, and what would tell counts that the profile hides."""

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags
from pipeline.datasets.panel import (
    ALL_YEARS,
    GONE_ONE_YEAR,
    NO_VALUE_IN_YEAR,
    NO_VALUE_OF_COMPARISON,
    NO_VALUE_OF_TREATED,
    YEAR,
    YEARS_NOT_OBSERVED,
)
from pipeline.datasets.small_counts import small

_COUNTED = ["count", "firms"]
_WITH_YEARS = [*_COUNTED, "first_year", "last_year"]
_GROUPS = {NO_VALUE_OF_TREATED: True, NO_VALUE_OF_COMPARISON: False}


def hide_issues(issues: pd.DataFrame, profile: pd.DataFrame | None, minimum: int) -> pd.DataFrame:
    """Hide what ISSUES counts of few firms, or of few rows, and in which years these few are.

    Of a column without values in a year or group it counts all rows, which are hidden where PROFILE
    hides those of either group; of firms gone for one year, what few others would be told by.
    """
    counts = issues[_COUNTED].to_numpy(float, na_value=np.nan)
    few = small(counts, minimum).any(axis=1) | _tells_few_others(issues, minimum)
    shown = issues.assign(**{name: issues[name].astype("Int64").mask(few) for name in _WITH_YEARS})
    told = _tells_profile(issues, profile) if minimum > 1 else np.zeros(len(issues), dtype=np.bool_)
    return shown.assign(**{name: shown[name].mask(told) for name in _COUNTED})


def _tells_few_others(issues: pd.DataFrame, minimum: int) -> Flags:
    """Mark the issue of firms gone for one year where few are gone for longer, or few firms."""
    gone = issues["rule"].eq(GONE_ONE_YEAR).to_numpy()
    every = issues.loc[issues["rule"].eq(YEARS_NOT_OBSERVED), _COUNTED]
    if every.empty:
        return np.zeros(len(issues), dtype=np.bool_)
    others = every.iloc[0].to_numpy(float) - issues[_COUNTED].to_numpy(float, na_value=np.nan)
    return np.asarray(gone & small(others, minimum).any(axis=1))


def _tells_profile(issues: pd.DataFrame, profile: pd.DataFrame | None) -> Flags:
    """Mark issues on whole years and groups of a column whose rows PROFILE does not show."""
    of_year, of_group = issues["rule"].eq(NO_VALUE_IN_YEAR), issues["rule"].isin(list(_GROUPS))
    if profile is None:
        return np.asarray(of_year | of_group)
    rows = profile[profile["n_rows"].notna()]
    years = rows[rows["scope"].eq(YEAR)].groupby(["column", "first_year"]).size()
    both = set(years[years == 2].index)
    groups = rows[rows["scope"].eq(ALL_YEARS)]
    known = set(zip(groups["column"], groups["treated"], strict=True))
    places = zip(issues["column"], issues["first_year"], issues["rule"], strict=True)
    shown = [
        (c, _GROUPS[rule]) in known if rule in _GROUPS else (c, y) in both for c, y, rule in places
    ]
    return np.asarray((of_year | of_group) & ~np.array(shown, dtype=np.bool_))
