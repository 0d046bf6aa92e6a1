"""Recovery of known effects over seeds fixed before looking: bias and coverage, cell by cell.

Gates are in Monte-Carlo standard errors of the bias, and the Monte-Carlo band of the coverage.
"""

from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
import pytest
import simulation
from monte_carlo import evaluate, evaluation, summarise
from scipy.stats import binom

SEEDS = range(200)
STACKED_DESIGNS = ["unmatched", "covariates", "covariates_lags"]
OUTCOMES = ["sales_log", "employment_log", "exports_any"]

# Effects that grow by the year and differ by entry year: what flat two-way fixed effects,
# which take firms treated earlier as comparisons, get wrong.
GROWING = {
    "sales_percent": [5, 15, 25, 35, 45, 55, 65, 75],
    "employment_percent": [0],
    "exporting_points": [0],
    "export_value_percent": [0],
    "survival_points": [0],
}


def _one(arguments):
    study, settings, seed = arguments
    return evaluate(study, settings, seed)


def draws(designs, outcomes, seeds=SEEDS, **changes):
    """Evaluate every seed on two cores; return one row per seed and estimate."""
    study, settings = evaluation(designs, outcomes), simulation.settings(**changes)
    with ProcessPoolExecutor(max_workers=2) as workers:
        tables = list(workers.map(_one, [(study, settings, seed) for seed in seeds], chunksize=5))
    return pd.concat(tables, ignore_index=True)


def cells(title, table):
    """Print every cell, and index it by outcome, design and estimator."""
    summary = summarise(table)
    print(f"\n{title}\n{summary.to_string(index=False, float_format='%.4f')}")
    return summary.set_index(["outcome", "design", "estimator"])


def coverage_band(n, level=0.95, band=0.999):
    """Return the band that holds the coverage of an exact interval with 99.9% probability."""
    low, high = binom.interval(band, n, level)
    return low / n, high / n


@pytest.fixture(scope="module")
def under_assumptions():
    return cells(
        "Assumptions hold (default settings)",
        draws(STACKED_DESIGNS, OUTCOMES),
    )


@pytest.mark.slow
@pytest.mark.parametrize("design", ["covariates", "covariates_lags"])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_matched_estimate_is_unbiased_where_assumptions_hold(
    under_assumptions, outcome, design
):
    cell = under_assumptions.loc[(outcome, design, "stacked")]
    assert cell["treated_clusters"] >= 40
    assert abs(cell["bias_in_mc_se"]) < 3


@pytest.mark.slow
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_intervals_cover_the_truth_as_often_as_they_say(under_assumptions, outcome):
    cell = under_assumptions.loc[(outcome, "covariates", "stacked")]
    low, high = coverage_band(cell["seeds"])
    assert low <= cell["coverage"] <= high


@pytest.mark.slow
def test_selection_biases_the_unmatched_estimate_of_sales(under_assumptions):
    cell = under_assumptions.loc[("sales_log", "unmatched", "stacked")]
    assert cell["bias"] > 2 * cell["mean_std_error"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("title", "broken", "sign"),
    [
        ("Parallel trends broken", {"treated_trend_percent_per_year": 2}, 1),
        ("Entry-year dip", {"entry_dip_percent": 15}, 1),
        (
            "Selection on an unobserved trend",
            {
                "unobserved_selection_log_odds": 1.0,
                "unobserved_trend_sd_percent_per_year": 3.0,
            },
            1,
        ),
    ],
)
def test_the_estimate_is_biased_where_an_assumption_is_broken(title, broken, sign):
    table = cells(title, draws(["covariates"], ["sales_log"], range(60), **broken))
    cell = table.loc[("sales_log", "covariates", "stacked")]
    assert sign * cell["bias_in_mc_se"] > 5


@pytest.mark.slow
def test_flat_two_way_is_biased_under_growing_effects_and_stacked_is_not():
    """Random entry, so that nothing but the estimator can be wrong.

    On the matched design: of all firms nine in ten never enter, which leaves comparisons with firms
    treated earlier little weight.
    """
    no_selection = dict.fromkeys(simulation.settings().selection_log_odds.model_fields_set, 0.0)
    table = cells(
        "Growing effects, random entry",
        draws(
            ["covariates"],
            ["sales_log"],
            range(60),
            effects=GROWING,
            selection_log_odds=no_selection,
            trend_percent_per_year=dict.fromkeys(
                simulation.settings().trend_percent_per_year.model_fields_set, 0.0
            ),
            cohort_effect_factors=[1.5, 1.0, 0.5],
        ),
    )
    stacked = table.loc[("sales_log", "covariates", "stacked")]
    twoway = table.loc[("sales_log", "covariates", "twoway")]
    assert abs(stacked["bias_in_mc_se"]) < 3
    assert twoway["bias_in_mc_se"] < -5


def test_the_truth_is_what_the_estimator_would_find_without_noise():
    """Applied to the true effects the estimator returns its own truth, whatever its weights."""
    table = draws(["unmatched", "covariates"], ["sales_log"], [0], firms=1500)
    profile = np.log1p(np.array([0, 16, 11, 9, 9]) / 100)
    stacked = table[table["estimator"] == "stacked"]
    assert stacked["truth"].between(profile.min(), profile.max()).all()
    assert stacked["truth"].to_numpy() == pytest.approx(profile.mean(), abs=0.005)
