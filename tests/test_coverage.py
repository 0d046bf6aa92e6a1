"""COVERAGE: which share of firms is observed in each year, and what of it is published."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from results import study_results

from pipeline.datasets.panel import ALL_YEARS, COVERAGE, PROFILE
from pipeline.datasets.store import conform
from pipeline.panel.coverage import measure_coverage
from pipeline.panel.profile import profile_panel
from pipeline.publishing.disclosure.samples import hide_coverage
from pipeline.publishing.publication import publish, published_csvs

N_TREATED, N_NEVER = 20, 30


def panel(absent=6, without_sales=7):
    """Return PANEL of two years; in the second, treated firms are absent or lack sales."""
    n = N_TREATED + N_NEVER
    years = [
        pd.DataFrame(
            {
                "firm_id": [f"f{i}" for i in range(n)],
                "year": year,
                "cohort": [2001] * N_TREATED + [None] * N_NEVER,
                "cluster": "a",
                "sales": np.arange(n, dtype=float),
            }
        )
        for year in (2000, 2001)
    ]
    late = years[1].iloc[absent:].reset_index(drop=True)
    late.loc[: without_sales - 1, "sales"] = np.nan
    return pd.concat([years[0], late], ignore_index=True).astype({"cohort": "Int64"})


def cell(coverage, column, treated, year):
    table = conform(COVERAGE, coverage).set_index(["column", "treated", "year"])
    return table.loc[(column, treated, year)]


def test_shares_are_of_the_firms_of_the_panel_whether_or_not_they_have_a_row():
    coverage = measure_coverage(panel())
    first, second = (cell(coverage, "sales", True, year) for year in (2000, 2001))
    assert first.to_dict() == {"n_firms": 20, "n_observed": 20, "observed_share": 1.0}
    assert second["n_observed"] == 20 - 6 - 7
    assert second["observed_share"] == pytest.approx(7 / 20)
    assert cell(coverage, "cluster", True, 2001)["n_observed"] == 14
    assert set(coverage["column"]) == {"sales", "cluster"}


def test_a_group_that_nobody_of_is_seen_in_a_year_has_a_row():
    alone = panel()
    alone = alone[(alone["year"] == 2000) | alone["cohort"].isna()]
    assert cell(measure_coverage(alone), "sales", True, 2001)["n_observed"] == 0


@pytest.mark.parametrize(
    ("absent", "without_sales", "hidden"),
    [(6, 7, False), (0, 0, False), (3, 0, True), (0, 4, True), (9, 8, True)],
)
def test_few_observed_or_few_not_observed_are_hidden(absent, without_sales, hidden):
    coverage = measure_coverage(panel(absent, without_sales))
    found = cell_of_published(hide_coverage(conform(COVERAGE, coverage), None, 5))
    assert pd.isna(found["n_observed"]) == pd.isna(found["observed_share"]) == hidden
    assert found["n_firms"] == 20


def cell_of_published(coverage):
    chosen = (coverage["column"] == "sales") & coverage["treated"] & (coverage["year"] == 2001)
    return coverage[chosen].iloc[0]


def test_what_the_profile_hides_is_not_told():
    """Six of fourteen lack sales: fewer than the profile shows, and told by those observed."""
    firms = panel(absent=6, without_sales=6)
    coverage = conform(COVERAGE, measure_coverage(firms))
    for minimum, hidden in ((5, False), (7, True)):
        profile = conform(PROFILE, profile_panel(firms, minimum))
        found = cell_of_published(hide_coverage(coverage, profile, 5))
        assert pd.isna(found["n_observed"]) == hidden


def test_a_hidden_row_of_several_years_does_not_hide_the_first_of_them():
    coverage = conform(COVERAGE, measure_coverage(panel(absent=0, without_sales=0)))
    profile = conform(PROFILE, profile_panel(panel(absent=0, without_sales=0), 5))
    hidden = profile.assign(n_rows=profile["n_rows"].mask(profile["scope"] == ALL_YEARS))
    assert hidden["n_rows"].isna().any()
    assert hide_coverage(coverage, hidden, 5)["n_observed"].notna().all()


def test_it_is_published_as_vetted():
    results = study_results()
    assert "coverage" not in published_csvs(results)
    coverage = conform(COVERAGE, measure_coverage(panel(absent=3, without_sales=0)))
    shown = publish(replace(results, coverage=coverage, profile=None)).results.coverage
    assert pd.isna(cell_of_published(shown)["n_observed"])
    assert shown["n_observed"].notna().sum() == len(shown) - 2, "sales and clusters of that year"
