"""Simultaneous critical values, against values known in closed form and the joint coverage."""

import numpy as np
import pytest
from scipy import stats

from pipeline.inference.bands import SCRAMBLE, simultaneous_critical_value, symmetric_root

# What is left after rounding to three decimals, and of one fixed set of directions.
ERROR = 0.002


def critical(covariance, df=np.inf):
    return simultaneous_critical_value(np.asarray(covariance, dtype=np.float64), df, 0.95)


@pytest.mark.parametrize("k", [2, 5, 9, 30])
def test_independent_estimates_have_sidaks_value(k):
    sidak = stats.norm.ppf((1 + 0.95 ** (1 / k)) / 2)
    assert critical(np.diag(np.linspace(0.01, 9, k))) == pytest.approx(sidak, abs=ERROR)


@pytest.mark.parametrize("df", [np.inf, 4, 10])
def test_one_estimate_has_exactly_the_pointwise_value(df):
    assert critical([[2.5]], df) == stats.t.ppf(0.975, df)


@pytest.mark.parametrize("df", [np.inf, 4])
def test_perfectly_correlated_estimates_are_one_estimate(df):
    assert critical(np.full((4, 4), 3.0), df) == pytest.approx(stats.t.ppf(0.975, df), abs=ERROR)


def largest_of_three_in_a_plane(critical, df):
    """Return P(max |x_i| <= c) for unit vectors at 0, 60 and 120 degrees: a hexagon, by angle."""
    angle = (np.arange(6000) + 0.5) / 6000 * np.pi / 6
    radius = critical / np.cos(angle)
    if np.isinf(df):
        return stats.chi(2).cdf(radius).mean()
    return stats.f(2, df).cdf(radius**2 / 2).mean()


@pytest.mark.parametrize("df", [np.inf, 3, 12])
def test_singular_correlations_have_the_value_of_their_plane(df):
    plane = np.array([[1, 0], [0.5, 0.75**0.5], [-0.5, 0.75**0.5]])
    found = critical(plane @ plane.T, df)
    assert largest_of_three_in_a_plane(found - ERROR, df) < 0.95
    assert largest_of_three_in_a_plane(found + ERROR, df) > 0.95


def test_the_band_covers_all_at_once_as_often_as_it_says():
    rng = np.random.default_rng(2)
    root = rng.normal(size=(6, 6))
    covariance = root @ root.T
    bound = critical(covariance) * np.sqrt(np.diag(covariance))
    errors = rng.multivariate_normal(np.zeros(6), covariance, size=40_000)
    covered = (np.abs(errors) <= bound).all(axis=1).mean()
    assert covered == pytest.approx(0.95, abs=0.005)


def test_a_joint_t_covers_all_at_once_as_often_as_it_says():
    rng = np.random.default_rng(5)
    covariance = np.eye(5) + 1
    normal = rng.multivariate_normal(np.zeros(5), covariance, size=40_000)
    drawn = normal / np.sqrt(rng.chisquare(6, size=(40_000, 1)) / 6)
    bound = critical(covariance, 6) * np.sqrt(2)
    assert (np.abs(drawn) <= bound).all(axis=1).mean() == pytest.approx(0.95, abs=0.005)


def correlations(k, rng):
    """Return correlations of k estimates: free, of few clusters, of a reference year, over time."""
    free, few = rng.normal(size=(k, k + 2)), rng.normal(size=(k, max(1, k // 3)))
    apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
    return [np.eye(k), free @ free.T, few @ few.T, np.eye(k) + 1, 0.1 * np.eye(k) + 0.9, 0.8**apart]


SLOW = [pytest.param(k, marks=pytest.mark.slow) for k in (3, 5, 12, 16, 24, 40)]


@pytest.mark.parametrize("k", [2, 8, *SLOW])
def test_two_sets_of_directions_agree(k):
    for covariance in correlations(k, np.random.default_rng(k)):
        for df in (np.inf, 11, 4):
            both = [
                simultaneous_critical_value(covariance, df, 0.95, scramble)
                for scramble in (SCRAMBLE, SCRAMBLE + 1)
            ]
            assert abs(both[0] - both[1]) <= 0.003 + 1e-12


def test_the_value_is_rounded_before_it_is_used():
    found = critical(np.eye(3))
    assert found == round(found, 3)


def test_the_last_digits_of_a_covariance_do_not_matter():
    """Singular, so that the smallest eigenvalues are rounding of either sign."""
    rng = np.random.default_rng(3)
    root = rng.normal(size=(7, 3))
    covariance = root @ root.T
    noise = 1 + 1e-15 * rng.normal(size=(7, 7))
    assert critical(covariance * (noise + noise.T) / 2, 5) == critical(covariance, 5)


def test_the_root_is_symmetric_and_multiplies_to_the_correlations():
    factor = np.random.default_rng(4).normal(size=(6, 3))
    covariance = factor @ factor.T
    root = symmetric_root(covariance)
    assert root == pytest.approx(root.T, abs=1e-14)
    scale = np.sqrt(np.diag(covariance))
    assert root @ root == pytest.approx(covariance / np.outer(scale, scale), abs=1e-12)
    assert np.linalg.eigvalsh(root)[0] > -1e-12


def test_a_band_is_never_narrower_than_the_interval():
    for share in (1.0, 1 - 1e-9):
        covariance = np.full((3, 3), share) + (1 - share) * np.eye(3)
        for df in (np.inf, 2, 7):
            assert critical(covariance, df) >= stats.t.ppf(0.975, df)
