"""Small-sample factors, tests and intervals against formulas written out by hand."""

import numpy as np
import pytest
from regressions import least_squares
from scipy import stats

from pipeline.errors import Reason
from pipeline.inference.covariance import (
    benjamini_hochberg,
    clustered_covariance,
    is_invertible,
    is_rounding,
    is_semidefinite,
    minimum_detectable_effect,
    n_parameters,
    small_sample_factor,
    std_errors_of,
    t_intervals,
    two_way_covariance,
    wald_test,
    without_negative_eigenvalues,
    without_rounding,
)
from pipeline.panel.panel_index import is_nested, n_groups

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
U = RNG.normal(size=60)
BREAD = np.linalg.inv(X.T @ X)
INFLUENCE = X * U[:, None] @ BREAD
CLUSTER = np.arange(60) % 7


def factor(n_clusters, k_parameters):
    return small_sample_factor(n_clusters, 60, k_parameters)


def regression(clusters, others=None):
    """Regress U on X and a constant."""
    nothing = np.zeros(60, dtype=int)
    given = {"first": nothing, "second": nothing, "weight": np.ones(60)}
    return least_squares(U, X, ("a", "b"), **given, clusters=clusters, others=others)


@pytest.mark.parametrize(
    ("sizes", "nested", "expected"),
    [
        ([108, 10], [True, False], 12),
        ([108, 10], [False, False], 119),
        ([108, 10], [True, True], 3),
        ([54], [False], 56),
        ([54], [True], 3),
        ([], [], 2),
    ],
)
def test_parameters_that_the_factor_pays_for(sizes, nested, expected):
    assert n_parameters(2, sizes, nested) == expected


def test_clustered_covariance_is_the_sum_over_clusters():
    scores = X * U[:, None]
    meat = sum(np.outer(s, s) for g in range(7) for s in [scores[g == CLUSTER].sum(axis=0)])
    expected = 7 / 6 * 59 / 55 * BREAD @ meat @ BREAD
    covariance = clustered_covariance(INFLUENCE, CLUSTER, factor(7, 5))
    assert covariance == pytest.approx(expected, rel=1e-12)


def test_single_row_clusters_give_the_robust_covariance():
    scores = X * U[:, None]
    expected = 60 / 59 * 59 / 58 * BREAD @ (scores.T @ scores) @ BREAD
    covariance = clustered_covariance(INFLUENCE, np.arange(60), factor(60, 2))
    assert covariance == pytest.approx(expected, rel=1e-12)


def test_two_way_covariance_with_one_direction_twice_is_one_way():
    one = clustered_covariance(INFLUENCE, CLUSTER, factor(7, 2))
    two = two_way_covariance(INFLUENCE, (CLUSTER, CLUSTER), factor(7, 2))
    assert two == pytest.approx(one)
    assert regression(CLUSTER, CLUSTER).covariance == pytest.approx(regression(CLUSTER).covariance)


def test_negative_eigenvalues_are_set_to_zero_where_others_are_positive():
    turned = np.array([[0.6, -0.8], [0.8, 0.6]])
    indefinite = turned @ np.diag([4.0, -1.0]) @ turned.T
    expected = turned @ np.diag([4.0, 0.0]) @ turned.T
    assert without_negative_eigenvalues(indefinite) == pytest.approx(expected)
    for unchanged in (np.eye(2), np.ones((2, 2)), -np.eye(2), np.full((2, 2), np.nan)):
        assert without_negative_eigenvalues(unchanged) is unchanged


def test_two_way_covariance_uses_the_smaller_number_of_clusters():
    rows = np.arange(60)
    expected = regression(CLUSTER)
    # Clusters of one row nest in the others: V_rows cancels with V_both.
    found = regression(rows, CLUSTER)
    assert found.covariance == pytest.approx(expected.covariance)
    assert found.counts.n_clusters == expected.counts.n_clusters == 7
    left = U - U.mean() - (X - X.mean(axis=0)) @ found.estimated.estimates
    bread = np.linalg.inv((X - X.mean(axis=0)).T @ (X - X.mean(axis=0)))
    by_hand = clustered_covariance((X - X.mean(axis=0)) * left[:, None] @ bread, CLUSTER, 1.0)
    assert found.covariance == pytest.approx(7 / 6 * 59 / (60 - 3) * by_hand)


def test_too_few_clusters_or_observations_give_no_standard_error():
    assert np.isnan(small_sample_factor(1, 60, 2))
    assert np.isnan(small_sample_factor(5, 10, 10))
    nothing = np.zeros(60, dtype=int)
    assert np.isnan(clustered_covariance(X @ BREAD, nothing, factor(1, 2))).all()
    alone = regression(nothing)
    assert np.isnan(alone.covariance).all() and np.isnan(alone.std_errors).all()
    assert alone.reasons == (Reason("one_cluster"),) * 2


def test_nested_effects():
    assert is_nested(np.array([0, 0, 1, 2]), np.array([3, 3, 3, 1]))
    assert not is_nested(np.array([0, 0, 1, 2]), np.array([3, 1, 3, 1]))
    assert n_groups(np.array([5, 5, 0])) == 2


def test_intervals_use_t_with_g_minus_one_degrees_of_freedom():
    shown = t_intervals(np.array([2.0, 1.0]), np.array([1.0, 0.0]), 9, 0.95)
    assert shown.low[0] == pytest.approx(2 - 2.262157, abs=1e-6)
    assert shown.high[0] == pytest.approx(2 + 2.262157, abs=1e-6)
    assert shown.p_value[0] == pytest.approx(2 * stats.t.sf(2, 9))
    assert np.isnan([shown.statistic[1], shown.p_value[1], shown.low[1]]).all()


def test_minimum_detectable_effect():
    # Large samples: (1.959964 + 0.841621) standard errors, Bloom's 2.8.
    assert minimum_detectable_effect(1.0, 10**7, 0.95, 0.8) == pytest.approx(2.801585, abs=1e-5)
    assert minimum_detectable_effect(2.0, 9, 0.95, 0.8) == pytest.approx(
        2 * (2.262157 + 0.883404), abs=1e-5
    )
    assert np.isnan(minimum_detectable_effect(1.0, 0, 0.95, 0.8))


def test_wald_test_of_one_coefficient_is_the_squared_t():
    test = wald_test(np.array([2.0]), np.array([[0.25]]), 11)
    assert test.statistic == pytest.approx(16.0)
    assert (test.df, test.df_denominator) == (1, 11)
    assert test.p_value == pytest.approx(2 * stats.t.sf(4, 11))


def test_wald_test_with_correlated_coefficients():
    covariance = np.array([[2.0, 1.0], [1.0, 3.0]])
    estimates = np.array([1.0, -1.0])
    # inverse of V is [[3, -1], [-1, 2]] / 5; b'V^-1 b = (3 + 2 + 2) / 5
    assert wald_test(estimates, covariance, 20).statistic == pytest.approx(7 / 5 / 2)


def test_wald_test_needs_more_clusters_than_coefficients_and_an_inverse():
    assert np.isnan(wald_test(np.ones(3), np.eye(3), 2).statistic)
    assert np.isnan(wald_test(np.ones(2), np.ones((2, 2)), 20).p_value)
    assert np.isnan(wald_test(np.ones(2), np.full((2, 2), np.nan), 20).p_value)


def test_benjamini_hochberg():
    """The example of the 1995 paper: four of fifteen hypotheses fall at a rate of 5 percent."""
    small = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    p_values = np.array([*small, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0])
    shuffled = np.random.default_rng(0).permutation(15)
    found = benjamini_hochberg(p_values[shuffled])
    assert set(p_values[shuffled][found <= 0.05]) == {0.0001, 0.0004, 0.0019, 0.0095}
    assert found[shuffled.tolist().index(3)] == pytest.approx(15 * 0.0095 / 4)
    assert found[shuffled.tolist().index(5)] == pytest.approx(15 * 0.0298 / 7)
    assert found.max() == 1.0


def test_a_covariance_that_is_none_has_no_joint_test():
    """Two-way clustering can give variances above zero and a determinant below."""
    indefinite = np.array([[1.0, 2.0], [2.0, 1.0]])
    assert np.isnan(wald_test(np.ones(2), indefinite, 20).statistic)
    assert not is_semidefinite(indefinite)
    assert is_semidefinite(np.ones((2, 2))) and not is_invertible(np.ones((2, 2)))
    assert np.isnan(std_errors_of(np.diag([4.0, -1.0]))).tolist() == [False, True]


def test_rounding_is_told_by_the_size_of_the_outcomes():
    """100 outcomes of 1e9: what varies by 1e-7 of a unit is rounding, by one unit it is not."""
    errors = np.array([1e-7, 1.0]) / np.sqrt(100)
    assert is_rounding(errors, 100, 1e9).tolist() == [True, False]
    assert not is_rounding(np.array([np.nan]), 100, 1e9).any()


def test_estimates_that_are_rounding_of_the_outcome_are_zero():
    """Log sales around 16 that are alike in both groups differ by 1e-15 after demeaning."""
    found = without_rounding(np.array([1e-15, -1.5e-11, 2e-11, np.nan]), 16.0)
    assert found.tolist()[:3] == [0.0, 0.0, 2e-11] and np.isnan(found[3])
