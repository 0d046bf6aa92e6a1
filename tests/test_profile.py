"""The data profile: what is counted, and what is hidden."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.datasets.panel import (
    ALL_YEARS,
    BEFORE_ENTRY,
    BEFORE_FIRST_ENTRY,
    ENTRY_YEAR,
    FROM_ENTRY,
    FROM_FIRST_ENTRY,
    PROFILE,
    YEAR,
)
from pipeline.datasets.small_counts import small
from pipeline.datasets.store import conform
from pipeline.panel.profile import profile_panel
from pipeline.panel.suppression import Sum, hidden_cells


def test_a_count_is_small_from_one_to_below_the_minimum():
    assert small(np.arange(7), 5).tolist() == [False, True, True, True, True, False, False]


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


def long_panel(rows, missing=()):
    """Return PANEL with `rows[(cohort, year)]` firms each; `missing` counts lost sales alike."""
    parts = []
    for (cohort, year), n in rows.items():
        parts.append(
            pd.DataFrame(
                {
                    "firm_id": [f"{cohort}-{i}" for i in range(n)],
                    "year": year,
                    "cohort": cohort,
                    "sales": [np.nan] * dict(missing).get((cohort, year), 0)
                    + [float(i) for i in range(n - dict(missing).get((cohort, year), 0))],
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    return frame.astype({"year": "Int64", "cohort": "Int64"})


def cell(profile, column, treated, scope=YEAR, first_year=2001):
    chosen = (profile["column"] == column) & (profile["treated"] == treated)
    chosen &= (profile["scope"] == scope) & (profile["first_year"] == first_year)
    return profile[chosen].iloc[0]


def shown(profile, column, treated, name):
    """Return one figure of every scope, single years by their year."""
    rows = profile[(profile["column"] == column) & (profile["treated"] == treated)]
    places = rows["scope"].where(~rows["scope"].isin([YEAR, ENTRY_YEAR]), rows["first_year"])
    return {p: None if pd.isna(v) else v for p, v in zip(places, rows[name], strict=True)}


def test_a_small_group_shows_nothing_and_a_large_one_rounded_figures():
    profile = profile_panel(panel(4, 100), 5)
    small_group, large = cell(profile, "sales", True), cell(profile, "sales", False)
    assert small_group[["n_rows", "mean", "p10", "p50", "p90"]].isna().all()
    assert large["mean"] == 1290.0
    assert large["p50"] == 1290.0
    assert cell(profile, "cohort", True, ENTRY_YEAR, 2003)["n_rows"] is pd.NA
    conform(PROFILE, profile)


def test_the_other_group_is_hidden_where_the_ledger_gives_the_sum_of_both():
    """104 firm-years are in the sample flow: 100 of comparison firms would tell the other 4."""
    rows = shown(profile_panel(panel(4, 100), 5), "sales", False, "n_rows")
    assert rows == {2001: None, ALL_YEARS: None, BEFORE_FIRST_ENTRY: None}


def test_a_percentile_needs_enough_values_beyond_it():
    large = cell(profile_panel(panel(6, 40), 5), "sales", False)
    assert np.isnan(large["p10"])
    assert not np.isnan(large["p50"])


def test_no_identifier_is_among_the_columns():
    assert set(profile_panel(panel(6, 6), 5)["column"]) == {"cluster", "sales", "cohort"}


def test_what_is_of_the_cohort_counts_entrants_alone():
    profile = profile_panel(panel(6, 6), 5)
    of_cohorts = profile["column"] == "cohort"
    assert (of_cohorts == (profile["scope"] == ENTRY_YEAR)).all()
    assert profile[of_cohorts][["first_year", "last_year", "n_rows"]].to_numpy().tolist() == [
        [2003, 2003, 6]
    ]


def test_scopes_take_the_panel_s_years_whichever_years_the_group_is_seen_in():
    """Treated firms are seen from 2002 to 2004, others in 2001 and 2005; waves need not be even."""
    rows = {(2004, 2002): 8, (2004, 2004): 8, (None, 2001): 30, (None, 2005): 30}
    profile = profile_panel(long_panel(rows), 5)
    spans = {
        (treated, scope): group[["first_year", "last_year"]].to_numpy().tolist()
        for (treated, scope), group in profile[profile["column"] == "sales"].groupby(
            ["treated", "scope"]
        )
    }
    both = {
        ALL_YEARS: [[2001, 2005]],
        BEFORE_FIRST_ENTRY: [[2001, 2002]],
        FROM_FIRST_ENTRY: [[2004, 2005]],
    }
    own = {BEFORE_ENTRY: [[2001, 2005]], FROM_ENTRY: [[2001, 2005]]}
    years = {True: [[2002, 2002], [2004, 2004]], False: [[2001, 2001], [2005, 2005]]}
    assert spans == {
        (treated, scope): span
        for treated in (True, False)
        for scope, span in {**both, **(own if treated else {}), YEAR: years[treated]}.items()
    }


ROWS = {(2003, 2001): 8, (2003, 2002): 9, (2003, 2003): 10, (None, 2001): 30, (None, 2002): 31,
        (None, 2003): 32}  # fmt: skip


def test_missing_shares_and_quartiles_by_year_and_scope():
    profile = profile_panel(long_panel(ROWS, {(None, 2002): 6, (None, 2003): 8}), 5)
    shares = shown(profile, "sales", False, "missing_share")
    assert shares == pytest.approx(
        {
            2001: 0,
            2002: 6 / 31,
            2003: 8 / 32,
            ALL_YEARS: 14 / 93,
            BEFORE_FIRST_ENTRY: 6 / 61,
            FROM_FIRST_ENTRY: 8 / 32,
        }
    )
    rows = shown(profile, "sales", True, "n_rows")
    assert rows == {2001: 8, 2002: 9, 2003: 10, ALL_YEARS: 27, BEFORE_ENTRY: 17, FROM_ENTRY: 10,
                    BEFORE_FIRST_ENTRY: 17, FROM_FIRST_ENTRY: 10}  # fmt: skip
    assert cell(profile, "sales", False, ALL_YEARS)["p25"] == 6.0


def test_a_small_count_takes_a_second_cell_with_it():
    """Three values missing in one year only: the year, its total, and who could tell it."""
    profile = profile_panel(long_panel(ROWS, {(None, 2002): 3, (None, 2003): 9}), 5)
    hidden = shown(profile, "sales", False, "n_missing")
    assert hidden[2002] is None
    assert sum(value is None for value in hidden.values()) > 1
    # 28 values are observed: their mean tells nothing of the three.
    assert cell(profile, "sales", False, YEAR, 2002)["mean"] == 13.5


def test_cohorts_of_few_entrants_cannot_be_worked_out_from_the_treated_firms():
    rows = {(2003, 2001): 3, (2004, 2001): 12, (2005, 2001): 40, (None, 2001): 50}
    sizes = shown(profile_panel(long_panel(rows), 5), "cohort", True, "n_rows")
    assert sizes == {2003: None, 2004: None, 2005: 40}


@settings(max_examples=200, deadline=None)
@given(
    treated=st.lists(st.integers(0, 9), min_size=2, max_size=5),
    control=st.lists(st.integers(0, 9), min_size=2, max_size=5),
)
def test_no_hidden_cell_follows_from_what_is_shown(treated, control):
    """Solve for all hidden cells: each must be free, and hidden sums beside totals not small."""
    counts = np.array([*treated, sum(treated), *control, sum(control)])
    n, m = len(treated), len(control)
    sums = [Sum(tuple(range(n)), n), Sum(tuple(range(n + 1, n + 1 + m)), n + 1 + m),
            Sum((n, n + 1 + m))]  # fmt: skip
    hidden = hidden_cells(small(counts, 5), counts[None, :], sums, 5)
    assert hidden[small(counts, 5)].all()
    matrix = np.zeros((3, len(counts)))
    for row, published in enumerate(sums):
        matrix[row, list(published.parts)] = 1
        if published.total is not None:
            matrix[row, published.total] = -1
    unknown = matrix[:, hidden]
    for position in range(int(hidden.sum())):
        unit = np.zeros((1, unknown.shape[1]))
        unit[0, position] = 1
        rank = np.linalg.matrix_rank(unknown)
        assert np.linalg.matrix_rank(np.vstack([unknown, unit])) > rank
    for published in sums:
        if published.total is None or not hidden[published.total]:
            beside = counts[[c for c in published.parts if hidden[c]]].sum()
            assert beside == 0 or beside >= 5 or all(hidden[list(published.parts)])
