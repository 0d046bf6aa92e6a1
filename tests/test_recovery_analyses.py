"""Known truth for survival, groups, sizes and bounds, and for what breaks each of them.

The same draws and gates as in test_recovery_estimators.
"""

import numpy as np
import pytest
from recovery_worlds import cells, draws, least_coverage

SIZED = ["by_jobs", "by_sales", "total"]
GROUPS = ["cohort=2008", "cohort=2010"]


def in_mc_se(errors):
    return errors.mean() / (errors.std() / np.sqrt(len(errors)))


def by_seed(world, column):
    return draws(world).pivot(index="seed", columns="name", values=column)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["survival", *GROUPS, *SIZED])
def test_survival_groups_and_sizes_are_recovered(name):
    cell = cells("assumptions hold").loc[name]
    assert abs(cell["in_mc_se"]) < 3
    assert cell["coverage"] >= least_coverage(cell["intervals"])


@pytest.mark.slow
def test_groups_with_other_effects_are_told_apart():
    estimate = by_seed("assumptions hold", "estimate")
    assert in_mc_se(estimate["cohort=2008"] - estimate["cohort=2010"]) > 5


@pytest.mark.slow
@pytest.mark.parametrize("name", [*GROUPS, *SIZED])
def test_a_trend_of_the_treated_biases_groups_and_sizes(name):
    assert cells("treated firms grow faster").loc[name, "in_mc_se"] > 5


@pytest.mark.slow
def test_participants_that_would_exit_more_anyway_bias_survival():
    assert cells("participants exit more").loc["survival", "in_mc_se"] < -5


@pytest.mark.slow
def test_survival_is_recovered_where_bad_years_drive_exit():
    assert abs(cells("the programme saves weak firms").loc["survival", "in_mc_se"]) < 3


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZED)
def test_effects_on_jobs_and_sales_are_recovered_where_larger_firms_gain_more(name):
    cell = cells("larger firms gain more").loc[name]
    assert abs(cell["in_mc_se"]) < 3
    assert cell["coverage"] >= least_coverage(cell["intervals"])


@pytest.mark.slow
@pytest.mark.parametrize("size", ["by_jobs", "by_sales"])
def test_counting_every_firm_once_misses_the_effect_on_jobs_and_sales(size):
    world = "larger firms gain more"
    errors = by_seed(world, "estimate")["difference"] - by_seed(world, "truth")[size]
    assert in_mc_se(errors) < -5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "interval"),
    [("assumptions hold", "lee"), ("the programme saves weak firms", "exit_lee")],
)
def test_bounds_hold_the_effect_on_firms_that_stay_either_way(world, interval):
    found = cells(world)
    assert found.loc[f"{interval}_lower", "in_mc_se"] < -3
    assert found.loc[f"{interval}_upper", "in_mc_se"] > 3
    assert found.loc[interval, "coverage"] >= least_coverage(found.loc[interval, "intervals"])


@pytest.mark.slow
def test_bounds_miss_the_effect_where_the_programme_moves_exporters_both_ways():
    found = cells("exporters move both ways")
    assert found.loc["lee_lower", "in_mc_se"] > 5
    assert found.loc["lee", "coverage"] < least_coverage(found.loc["lee", "intervals"])
