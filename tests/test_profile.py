"""The data profile: what is counted, and what is suppressed."""

import numpy as np
import pandas as pd
import pytest

from pipeline.datasets.panel import PROFILE
from pipeline.datasets.store import conform
from pipeline.profile import profile_panel, suppressed


def panel(n_treated, n_comparison):
    n = n_treated + n_comparison
    return pd.DataFrame(
        {
            "firm_id": [f"f{i}" for i in range(n)],
            "year": pd.array([2001] * n, dtype="Int64"),
            "cohort": pd.array([2003] * n_treated + [None] * n_comparison, dtype="Int64"),
            "cluster": "A",
            "sales": [1234.0 + i for i in range(n)],
        }
    )


@pytest.mark.parametrize(("counts", "shown"), [([0, 1, 4, 5, 9], [0, None, None, 5, 9]), ([], [])])
def test_counts_from_one_to_below_the_minimum_are_suppressed(counts, shown):
    found = suppressed(pd.Series(counts, dtype="int64"), 5)
    assert [None if pd.isna(count) else count for count in found] == shown


def row(profile, column, treated):
    chosen = (profile["column"] == column) & (profile["treated"] == treated)
    return profile[chosen].iloc[0]


def test_a_small_group_shows_nothing_and_a_large_one_rounded_figures():
    profile = profile_panel(panel(4, 100), 5)
    small, large = row(profile, "sales", True), row(profile, "sales", False)
    assert small[["n_rows", "mean", "p10", "p50", "p90"]].isna().all()
    assert large["n_rows"] == 100
    assert large["mean"] == 1290.0
    assert large["p50"] == 1290.0
    assert row(profile, "entrants of the cohort", True)["n_rows"] is pd.NA
    conform(PROFILE, profile)


def test_a_percentile_needs_enough_values_beyond_it():
    large = row(profile_panel(panel(6, 40), 5), "sales", False)
    assert np.isnan(large["p10"])
    assert not np.isnan(large["p50"])


def test_no_identifier_is_among_the_columns():
    assert set(profile_panel(panel(6, 6), 5)["column"]) == {
        "cluster",
        "sales",
        "entrants of the cohort",
    }
