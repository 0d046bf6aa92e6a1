"""Known effects are recovered by every estimator where its assumptions hold, and missed elsewhere.

Gates are bias in Monte-Carlo standard errors, and coverage in the 99.9 percent band of an exact
interval. `pytest -m slow -s` prints every cell.
"""

import pytest
from recovery_worlds import cells, least_coverage

ADJUSTED = ["doubly_robust", "extended_twoway"]
NOT_ADJUSTED = ["difference", "sun_abraham", "imputation"]
LINEAR = [*ADJUSTED, *NOT_ADJUSTED]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*LINEAR, "poisson"])
def test_effects_that_differ_by_entry_year_are_recovered(name):
    cell = cells("assumptions hold").loc[name]
    assert abs(cell["in_mc_se"]) < 3
    assert cell["coverage"] >= least_coverage(cell["intervals"])


@pytest.mark.slow
@pytest.mark.parametrize("name", [*LINEAR, "poisson"])
@pytest.mark.parametrize("world", ["treated firms grow faster", "entry-year dip"])
def test_paths_that_are_not_parallel_bias_every_estimator(world, name):
    assert cells(world).loc[name, "in_mc_se"] > 5


@pytest.mark.slow
@pytest.mark.parametrize("name", ADJUSTED)
def test_selection_on_what_is_observed_is_adjusted_for(name):
    cell = cells("selection on what is observed").loc[name]
    assert abs(cell["in_mc_se"]) < 3
    assert cell["coverage"] >= least_coverage(cell["intervals"])


@pytest.mark.slow
@pytest.mark.parametrize("name", NOT_ADJUSTED)
def test_selection_on_what_is_observed_biases_what_does_not_adjust(name):
    assert cells("selection on what is observed").loc[name, "in_mc_se"] > 5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sun_abraham", "imputation", "extended_twoway"])
def test_survivors_understate_the_effect_where_the_programme_saves_weak_firms(name):
    assert cells("the programme saves weak firms").loc[name, "in_mc_se"] < -5
