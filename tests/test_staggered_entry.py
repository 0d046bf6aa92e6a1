"""What goes wrong when entry years or spillovers are ignored, over seeds fixed before looking.

Gates are in Monte-Carlo standard errors of the bias, as in test_recovery.
"""

from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
import pytest
import simulation
from monte_carlo import evaluate, evaluation

SEEDS, HALF = range(40), range(20)
FIRST, LAST = 2009, 2011

# Effects that build up: the same calendar year is a different one since entry for each cohort.
BUILDING_UP = {
    "sales_percent": [0, 10, 30, 50, 70],
    "employment_percent": [0],
    "exporting_points": [0],
    "export_value_percent": [0],
    "survival_points": [0],
}

# The default pool leaves out firms beside participants; the other takes everyone. The programme
# is in half of the 400 clusters, so that many comparison firms are beside participants.
POOLS = ["covariates", "covariates_all_firms"]


def _one(arguments):
    return evaluate(*arguments)


def estimates(designs, *, entry_year=None, seeds=SEEDS, **changes):
    """Return the sales effect of every seed: truth, estimate, by design."""
    study, settings = evaluation(designs, ["sales_log"]), simulation.settings(**changes)
    with ProcessPoolExecutor(max_workers=2) as workers:
        jobs = [(study, settings, seed, entry_year) for seed in seeds]
        table = pd.concat(list(workers.map(_one, jobs, chunksize=4)))
    return table[table["estimator"] == "stacked"].set_index(["design", "seed"])


def bias_in_mc_se(found, truth):
    """Return the mean error over seeds in its Monte-Carlo standard errors."""
    error = found - truth
    bias, mc_se = error.mean(), error.std(ddof=1) / np.sqrt(len(error))
    print(f"\ntruth {truth.mean():.4f} bias {bias:.4f} mc_se {mc_se:.4f} ratio {bias / mc_se:.1f}")
    return bias / mc_se


@pytest.fixture(scope="module")
def stacked():
    return estimates(["covariates"], effects=BUILDING_UP)


@pytest.mark.slow
def test_stacks_by_entry_year_recover_effects_that_build_up(stacked):
    assert abs(bias_in_mc_se(stacked["estimate"], stacked["truth"])) < 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("common_year", "sign"),
    [
        # Years before a late entrant's own entry count as treated, at an effect of zero.
        (FIRST, -1),
        # An early entrant's base year is after its entry, and its later years stand for all.
        (LAST, 1),
    ],
)
def test_one_match_with_one_base_year_for_all_entrants_is_biased(stacked, common_year, sign):
    """The same firms, pool, score and estimator; only entry years are ignored."""
    pooled = estimates(["covariates"], entry_year=common_year, effects=BUILDING_UP)
    assert sign * bias_in_mc_se(pooled["estimate"], stacked["truth"]) > 5


@pytest.mark.slow
@pytest.mark.parametrize(("spillover_percent", "sign"), [(20, -1), (-15, 1)])
def test_firms_beside_participants_spoil_the_comparison_where_effects_spill_over(
    spillover_percent, sign
):
    """What neighbours gain is taken from the effect, what they lose is added to it."""
    table = estimates(POOLS, seeds=HALF, treated_clusters=200, spillover_percent=spillover_percent)
    outside, everyone = table.loc["covariates"], table.loc["covariates_all_firms"]
    assert abs(bias_in_mc_se(outside["estimate"], outside["truth"])) < 3
    assert sign * bias_in_mc_se(everyone["estimate"], everyone["truth"]) > 5


@pytest.mark.slow
def test_without_spillovers_both_pools_recover_the_effect():
    table = estimates(POOLS, seeds=HALF, treated_clusters=200)
    for design in POOLS:
        assert abs(bias_in_mc_se(table.loc[design, "estimate"], table.loc[design, "truth"])) < 3
