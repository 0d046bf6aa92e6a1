"""Simultaneous critical values, against values known in closed form and the joint coverage."""

import numpy as np
import pytest
from scipy import stats

from pipeline.inference.bands import simultaneous_critical_value, sup_t_critical_value

DRAWS = 200_000


def critical(covariance, df=np.inf):
    return sup_t_critical_value(covariance, df, 0.95, DRAWS, np.random.default_rng(1))


def test_independent_estimates_have_sidaks_value():
    sidak = stats.norm.ppf((1 + 0.95 ** (1 / 5)) / 2)
    assert critical(np.diag([1.0, 4.0, 9.0, 0.01, 2.0])) == pytest.approx(sidak, abs=0.015)


def test_one_estimate_has_the_pointwise_value():
    assert critical(np.array([[2.5]])) == pytest.approx(1.959964, abs=0.015)
    assert critical(np.array([[2.5]]), df=10) == pytest.approx(stats.t.ppf(0.975, 10), abs=0.02)


def test_perfectly_correlated_estimates_are_one_estimate():
    assert critical(np.full((4, 4), 3.0)) == pytest.approx(1.959964, abs=0.015)


def test_the_band_covers_all_at_once_as_often_as_it_says():
    rng = np.random.default_rng(2)
    root = rng.normal(size=(6, 6))
    covariance = root @ root.T
    bound = critical(covariance) * np.sqrt(np.diag(covariance))
    errors = rng.multivariate_normal(np.zeros(6), covariance, size=40_000)
    covered = (np.abs(errors) <= bound).all(axis=1).mean()
    assert covered == pytest.approx(0.95, abs=0.005)


def test_both_ways_agree_where_clusters_are_many():
    influence = np.random.default_rng(3).normal(size=(4, 3000))
    from_signs = simultaneous_critical_value(influence, 0.95, 20_000, np.random.default_rng(4))
    assert critical(influence @ influence.T) == pytest.approx(from_signs, abs=0.04)


def test_a_band_is_never_narrower_than_the_interval():
    """The signs of one cluster that outweighs the rest always give the same statistic, one."""
    influence = np.array([[10.0, 0.1, 0.1, -0.3]])
    found = simultaneous_critical_value(influence, 0.95, 999, np.random.default_rng(1))
    assert found == pytest.approx(stats.norm.ppf(0.975), rel=1e-12)
    few = [
        sup_t_critical_value(np.eye(1), 4, 0.95, 99, np.random.default_rng(seed))
        for seed in range(20)
    ]
    assert min(few) == pytest.approx(stats.t.ppf(0.975, 4), rel=1e-12)
