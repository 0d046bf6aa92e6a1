"""Wild cluster bootstrap: every draw against a regression of its own; size; rows."""

from itertools import product

import numpy as np
import pytest
from stacked_tables import estimation, outcomes, random_study, treatment
from told import estimate_specs

from pipeline.effects.absorb import two_effects
from pipeline.effects.least_squares import coefficients
from pipeline.effects.study import prepare_study
from pipeline.inference.wild_bootstrap import (
    cluster_weights,
    combination_first,
    sums_for_draws,
    wild_test,
)


def data(seed, n_clusters=6, effect=0.0):
    """Return y, two regressors, firm, year, weight and cluster of 3 firms a cluster, 4 years."""
    rng = np.random.default_rng(seed)
    firm, year = np.repeat(np.arange(3 * n_clusters), 4), np.tile(np.arange(4), 3 * n_clusters)
    cluster = firm // 3
    treated = ((cluster < n_clusters // 2) & (year >= 2)).astype(float)
    shock = rng.normal(size=(n_clusters, 4))[cluster, year]
    y = effect * treated + shock + rng.normal(size=len(firm))
    other = rng.normal(size=len(firm))
    weight = rng.uniform(0.5, 2, 3 * n_clusters)[firm]
    return y, np.column_stack([treated, other]), firm, year, weight, cluster


def slow_statistics(y, regressors, *, firm, year, weight, cluster, null, patterns):
    """Regress every draw on dummies; return |t| without the small-sample factor."""
    root = np.sqrt(weight)[:, None]
    dummies = np.hstack([np.eye(firm.max() + 1)[firm], np.eye(year.max() + 1)[year][:, 1:]])
    full = np.hstack([regressors, dummies]) * root
    restricted = full[:, 1:]
    target = (y - null * regressors[:, 0]) * root[:, 0]
    fitted = restricted @ np.linalg.lstsq(restricted, target)[0]
    bread = np.linalg.pinv(full.T @ full)
    found = []
    for pattern in patterns:
        drawn = fitted + (target - fitted) * np.asarray(pattern)[cluster]
        coefficient = bread @ full.T @ drawn
        scores = full * (drawn - full @ coefficient)[:, None]
        sums = np.array([scores[cluster == g].sum(axis=0) for g in range(cluster.max() + 1)])
        error = np.sqrt((bread @ sums.T @ sums @ bread)[0, 0])
        found.append(abs(coefficient[0] / error))
    return np.array(found)


@pytest.mark.parametrize("null", [0.0, 0.7])
def test_enumerated_p_value_is_that_of_regressions_draw_by_draw(null):
    y, regressors, firm, year, weight, cluster = data(0)
    shifted = y - null * regressors[:, 0]
    sums = sums_for_draws(shifted, regressors, two_effects(firm, year, weight), cluster)
    found = wild_test(sums, 0.95, 999, np.random.default_rng(0))
    patterns = list(product((-1, 1), repeat=6))
    slow = slow_statistics(
        y,
        regressors,
        firm=firm,
        year=year,
        weight=weight,
        cluster=cluster,
        null=null,
        patterns=patterns,
    )
    assert found.n_draws == 64 and found.weights == "rademacher_all"
    assert found.p_value == pytest.approx((slow >= slow[-1] * (1 - 1e-9)).mean(), abs=1e-12)
    assert 2 / 64 <= found.p_value <= 1
    assert found.larger_share == pytest.approx((slow > slow[-1] * (1 + 1e-9)).mean(), abs=1e-12)
    assert found.larger_share <= found.p_value - 2 / 64  # the data and their mirror image


def test_webbs_weights_have_mean_zero_and_variance_one():
    """Webb (2023), doi:10.1111/caje.12661: six points, equally likely."""
    weights, name = cluster_weights(12, 4000, np.random.default_rng(1))
    points = np.unique(weights)
    assert name == "webb"
    assert np.square(points) == pytest.approx([1.5, 1.0, 0.5, 0.5, 1.0, 1.5])
    assert points.mean() == pytest.approx(0.0, abs=1e-15)


def test_webb_draws_are_those_of_regressions():
    y, regressors, firm, year, weight, cluster = data(1, n_clusters=10)
    sums = sums_for_draws(y, regressors, two_effects(firm, year, weight), cluster)
    found = wild_test(sums, 0.95, 199, np.random.default_rng(3))
    patterns, name = cluster_weights(10, 199, np.random.default_rng(3))
    assert name == found.weights == "webb" and len(np.unique(patterns)) == 6
    slow = slow_statistics(
        y,
        regressors,
        firm=firm,
        year=year,
        weight=weight,
        cluster=cluster,
        null=0.0,
        patterns=[*patterns, np.ones(10)],
    )
    assert found.p_value == pytest.approx((slow[:-1] >= slow[-1]).mean(), abs=1e-12)


def test_the_interval_ends_where_the_test_rejects():
    y, regressors, firm, year, weight, cluster = data(2, n_clusters=14, effect=1.0)
    effects = two_effects(firm, year, weight)
    found = wild_test(
        sums_for_draws(y, regressors, effects, cluster), 0.95, 399, np.random.default_rng(1)
    )
    assert found.weights == "rademacher"
    for end, inward in ((found.low, 1e-3), (found.high, -1e-3)):
        p_values = [
            wild_test(
                sums_for_draws(y - b * regressors[:, 0], regressors, effects, cluster),
                0.95,
                399,
                np.random.default_rng(1),
            ).p_value
            for b in (end + inward, end - inward)
        ]
        assert p_values[0] > 0.05 >= p_values[1]


def test_size_under_cluster_shocks_with_eight_clusters():
    """5% tests of a true null reject within three Monte-Carlo errors of 5%."""
    rejected = []
    for seed in range(200):
        y, regressors, firm, year, weight, cluster = data(seed + 100, n_clusters=8)
        sums = sums_for_draws(
            y, regressors[:, :1], two_effects(firm, year, np.ones_like(weight)), cluster
        )
        rejected.append(wild_test(sums, 0.95, 256, np.random.default_rng(0)).p_value <= 0.05)
    assert abs(np.mean(rejected) - 0.05) <= 3 * np.sqrt(0.05 * 0.95 / 200)


def test_a_weighted_sum_of_coefficients_is_drawn_as_the_first_of_other_regressors():
    y, regressors, firm, year, weight, cluster = data(4)
    shares = np.array([0.25, 0.75])
    rotated = combination_first(regressors, shares)
    fitted = coefficients(y, regressors, firm, year, weight) @ shares
    assert coefficients(y, rotated, firm, year, weight)[0] == pytest.approx(fitted)
    sums = sums_for_draws(y, rotated, two_effects(firm, year, weight), cluster)
    assert sums.outcome.sum() / sums.square.sum() == pytest.approx(fitted)
    patterns = list(product((-1, 1), repeat=6))
    slow = slow_statistics(
        y,
        rotated,
        firm=firm,
        year=year,
        weight=weight,
        cluster=cluster,
        null=0.0,
        patterns=patterns,
    )
    found = wild_test(sums, 0.95, 999, np.random.default_rng(0))
    assert found.p_value == pytest.approx((slow >= slow[-1] * (1 - 1e-9)).mean(), abs=1e-12)


@pytest.mark.parametrize("average", ["pooled", "event"])
def test_row_beside_the_analytic_one(average):
    section = estimation(
        cluster="assignment", average=average, wild_bootstrap={"draws": 199, "seed": 1}
    )
    results = estimate_specs(
        prepare_study(
            *random_study(3),
            outcomes=outcomes(),
            treatment=treatment(-3, 2),
            matched_times={},
            estimate=section,
        )
    )
    rows = results.estimates.set_index(["term", "inference"])
    wild, plain = rows.loc[("att", "wild_bootstrap")], rows.loc[("att", "analytic")]
    assert wild["estimate"] == plain["estimate"]
    assert wild["statistic"] == pytest.approx(plain["statistic"])
    assert wild["conf_low"] < wild["estimate"] < wild["conf_high"]
    assert wild["note"].startswith("restricted wild cluster bootstrap, Webb, 199 draws")


def test_no_draw_as_large_is_no_p_value_of_zero():
    y, regressors, firm, year, weight, cluster = data(2, n_clusters=14, effect=100.0)
    sums = sums_for_draws(y, regressors, two_effects(firm, year, weight), cluster)
    found = wild_test(sums, 0.95, 199, np.random.default_rng(1))
    assert found.p_value == 1 / 200


def test_an_interval_without_bounds_is_missing_and_says_so():
    """Two clusters have four sign patterns: no p-value is below a half, nothing is rejected."""
    panel, matches, weights = random_study(1)
    halves = weights["firm_id"].str[1:].astype(int) % 2
    study = prepare_study(
        panel,
        matches,
        weights.assign(cluster=halves.map({0: "a", 1: "b"})),
        outcomes=outcomes(),
        treatment=treatment(-3, 2),
        matched_times={},
        estimate=estimation(cluster="assignment", wild_bootstrap={"draws": 99, "seed": 1}),
    )
    rows = estimate_specs(study).estimates.set_index(["term", "inference"])
    row = rows.loc[("att", "wild_bootstrap")]
    assert row["p_value"] >= 0.5 and np.isnan(row["conf_low"]) and np.isnan(row["conf_high"])
    assert row["note"].endswith("no interval: no effect is too large for the draws to reject")
