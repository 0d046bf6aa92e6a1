"""Other ways to match: orders, variable ratio, radius, kernel, Mahalanobis, cells."""

import lalonde
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matched_sets import slow_closest, slow_mahalanobis
from scipy.spatial import cKDTree
from test_matching_nearest import (
    NEAREST,
    SMALL,
    count,
    covariates_of,
    lost,
    match,
    pairs,
    problems,
    scores_table,
)

from pipeline.datasets.matches import CELL_WITHOUT_COMPARISON
from pipeline.errors import DataError, ParamsError, SupportError
from pipeline.matching import mahalanobis
from pipeline.matching.cells import binned, require_quantiles
from pipeline.matching.designs import match_designs
from pipeline.matching.kernel import kernel_weights
from pipeline.matching.mahalanobis import (
    Space,
    choose_closest,
    choose_nearest,
    share_nearest,
    whiten,
)
from pipeline.matching.nearest import match_radius, ratios
from pipeline.matching.sets import unit_weights
from pipeline.params.design_rules import Bins
from pipeline.params.match import MatchSection


@settings(max_examples=300, deadline=None)
@given(problems())
def test_closest_first_equals_looking_at_every_pair(problem):
    score, treated, options = problem
    found = match(score, treated, order="closest", **options)
    assert pairs(found) == slow_closest(score, treated, **options)


def test_closest_first_differs_from_largest_first():
    score, treated = [1.0, 0.9, 0.89, 0.0], [True, True, False, False]
    assert pairs(match(score, treated, order="closest")) == {(1, 2), (0, 3)}
    assert pairs(match(score, treated, order="largest")) == {(0, 2), (1, 3)}


def test_random_order_depends_on_its_seed_alone():
    rng = np.random.default_rng(0)
    score, treated = rng.normal(size=80).round(1), rng.random(80) < 0.4
    same = [
        pairs(match(score, treated, order="random", rng=np.random.default_rng(7))) for _ in range(2)
    ]
    other = pairs(match(score, treated, order="random", rng=np.random.default_rng(8)))
    assert same[0] == same[1] != other


def test_a_random_order_is_a_data_order_of_shuffled_treated():
    score, treated = np.array([0.5, 0.75, 0.625, 0.0]), [True, True, False, False]
    seeds = [np.random.default_rng(seed) for seed in range(20)]
    found = {frozenset(pairs(match(score, treated, order="random", rng=rng))) for rng in seeds}
    assert found == {frozenset({(1, 2), (0, 3)}), frozenset({(0, 2), (1, 3)})}


def test_extremal_ratios_by_hand():
    """Five treated, ratio 2 between 1 and 4: eleven over five is 4, 3, 1, 1, 1."""
    score = np.array([5.0, 4.0, 3.0, 2.0, 1.0, 0.0, 0.0])
    treated = np.arange(7) < 5
    assert ratios(score, treated, 2, (1, 4)).tolist() == [1, 1, 1, 3, 4]
    # Where treated score below comparison firms, the lowest get the fewest.
    assert ratios(-score, treated, 2, (1, 4)).tolist() == [1, 1, 1, 3, 4]
    # Four treated, ratio 2 between 1 and 3: 8 is 1, 1, 3, 3 and nobody in the middle.
    assert ratios(score[1:], treated[1:], 2, (1, 3)).tolist() == [1, 1, 3, 3]
    assert ratios(score, treated, 3, None).tolist() == [3] * 5


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
def test_extremal_ratios_keep_the_average(n, least, more, most):
    ratio = least + more
    score, treated = np.arange(2.0 * n), np.arange(2 * n) >= n
    found = ratios(score, treated, ratio, (least, ratio + most))
    assert found.sum() == ratio * n
    assert found.min() >= 1
    assert found.max() <= ratio + most
    assert np.isin(found, (least, ratio + most)).sum() >= n - 2


def test_variable_ratio_serves_each_firm_its_own_number():
    score = np.concatenate([[2.0, 1.0, 0.5], np.linspace(-1, 1.4, 12)])
    treated = np.arange(15) < 3
    found = match(score, treated, ratio=2, ratio_range=(1, 4))
    assert np.bincount(found.treated).tolist() == [1, 1, 4]
    assert unit_weights(found, 15)[~treated].sum() == pytest.approx(3)


@settings(max_examples=100, deadline=None)
@given(problems(), st.floats(0.05, 2))
def test_radius_takes_everyone_within(problem, width):
    score, treated, options = problem
    sets = match_radius(score, treated, caliper=width, cells=options["cells"])
    near = np.abs(score[:, None] - score) <= width
    near &= treated[:, None] & ~treated & (options["cells"][:, None] == options["cells"])
    assert pairs(sets) == set(zip(*map(list, np.nonzero(near)), strict=True))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_kernel_becomes_nearest_as_the_bandwidth_shrinks(seed):
    rng = np.random.default_rng(seed)
    score, treated = rng.normal(size=40), rng.random(40) < 0.3
    gaps = np.abs(score[treated][:, None] - score[~treated])
    if not gaps.size or gaps.shape[1] < 2:
        return
    second = np.sort(gaps, axis=1)[:, 1].min()
    nearest = match(score, treated, replacement=True, caliper=second, tie_tolerance=0.0)
    found = kernel_weights(score, treated, bandwidth=second, cells=None)
    np.testing.assert_allclose(found, unit_weights(nearest, 40), atol=1e-12)


def test_kernel_in_portions_equals_kernel_at_once(monkeypatch):
    rng = np.random.default_rng(3)
    score, treated, cells = rng.normal(size=300), rng.random(300) < 0.3, rng.integers(0, 3, 300)
    options = {"bandwidth": 0.4, "cells": cells}
    at_once = kernel_weights(score, treated, **options)
    monkeypatch.setattr("pipeline.matching.kernel.PAIRS_AT_ONCE", 50)
    np.testing.assert_allclose(kernel_weights(score, treated, **options), at_once, atol=1e-12)
    sums = [at_once[(cells == c) & ~treated].sum() for c in range(3)]
    np.testing.assert_allclose(sums, [at_once[(cells == c) & treated].sum() for c in range(3)])


@st.composite
def clouds(draw):
    """Firms on a coarse grid in two dimensions, with scores, so that ties are common."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(6, 40))
    table = pd.DataFrame({"a": rng.integers(0, 5, n) / 2, "b": rng.normal(size=n).round(1)})
    treated = np.arange(n) < draw(st.integers(1, n - 2))
    return table, treated, rng.normal(size=n).round(2), draw(st.sampled_from([np.inf, 1.0, 0.2]))


@settings(max_examples=150, deadline=None)
@given(clouds(), st.integers(1, 4), st.booleans(), st.booleans())
def test_mahalanobis_equals_looking_at_every_pair(cloud, ratio, replacement, pooled):
    table, treated, score, caliper = cloud
    space = Space(whiten(table, treated, pooled), score, caliper)
    one, zero = np.flatnonzero(treated), np.flatnonzero(~treated)
    if replacement:
        found = share_nearest(space, one, zero, ratio, 1e-9)
    else:
        found = choose_nearest(space, one, zero, ratio)
    expected = slow_mahalanobis(
        table, treated, score, ratio=ratio, caliper=caliper, replacement=replacement, pooled=pooled
    )
    assert pairs(found) == expected


def test_a_pooled_distance_divides_by_two_means_less():
    """d^2 = (x - z)' S^-1 (x - z), S = ((n1 - 1) S1 + (n0 - 1) S0) / (n - 2)."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(9, 2)), columns=["a", "b"])
    treated = np.arange(9) < 4
    within = [3 * np.cov(table[treated].T), 4 * np.cov(table[~treated].T)]
    inverse = np.linalg.inv(sum(within) / 7)
    points, apart = whiten(table, treated, True), (table.iloc[0] - table.iloc[8]).to_numpy()
    assert np.square(points[0] - points[8]).sum() == pytest.approx(apart @ inverse @ apart)


@settings(max_examples=100, deadline=None)
@given(clouds(), st.integers(1, 3))
def test_mahalanobis_closest_first_makes_the_closest_pair_left(cloud, ratio):
    """Each round: no treated firm still to serve has a free firm closer than the pair made."""
    table, treated, score, caliper = cloud
    space = Space(whiten(table, treated, True), score, caliper)
    one, zero = np.flatnonzero(treated), np.flatnonzero(~treated)
    found = choose_closest(space, one, zero, ratio)
    distance = np.linalg.norm(space.points[one][:, None] - space.points[zero], axis=2).round(10)
    distance[np.abs(score[one][:, None] - score[zero]) > caliper] = np.inf
    expected, free, waiting = set(), np.ones(len(zero), bool), list(range(len(one)))
    for _ in range(ratio):
        left, served = list(waiting), []
        while left:
            reachable = np.where(free, distance[left], np.inf)
            i, j = np.unravel_index(np.argmin(reachable), reachable.shape)
            if np.isinf(reachable[i, j]):
                break
            free[j] = False
            served.append(left[i])
            expected.add((one[left.pop(i)], zero[j]))
        waiting = sorted(served)
    assert pairs(found) == expected


class ScipyTree:
    """A k-d tree of another package, asked as scikit-learn's is."""

    def __init__(self, points):
        self.tree = cKDTree(points)

    def query(self, points, k):
        return self.tree.query(points, k=np.arange(1, k + 1))


@pytest.mark.parametrize("caliper", [np.inf, 0.3])
@pytest.mark.parametrize("scarce", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_which_package_proposes_neighbours_does_not_matter(monkeypatch, seed, scarce, caliper):
    """Many ties, on a grid; comparison firms that run out; shared, in turn, closest first."""
    rng = np.random.default_rng(seed)
    points = np.round(2 * rng.normal(size=(500, 1 + seed))) / 2
    space = Space(points, rng.normal(size=500).round(1), caliper)
    treated = rng.random(500) < (0.6 if scarce else 0.2)
    one, zero = np.flatnonzero(treated), np.flatnonzero(~treated)
    found = {}
    for package in ("scikit-learn", "scipy"):
        if package == "scipy":
            monkeypatch.setattr(
                mahalanobis, "_tree", lambda space, control: ScipyTree(space.points[control])
            )
        found[package] = [
            *(share_nearest(space, one, zero, ratio, 1e-9) for ratio in (1, 3)),
            share_nearest(space, one, one, 2, 1e-9),
            choose_nearest(space, one[::-1], zero, 2),
            choose_closest(space, one, zero, 2),
        ]
    for first, second in zip(*found.values(), strict=True):
        assert len(first.treated) > 50
        for name, values in vars(first).items():
            np.testing.assert_array_equal(values, getattr(second, name))


@settings(max_examples=40, deadline=None)
@given(clouds())
def test_mahalanobis_ignores_affine_changes_and_collinear_columns(cloud):
    table, treated, _, _ = cloud
    if table["a"].nunique() < 2 or table["b"].nunique() < 3:
        return
    space = Space(whiten(table, treated, False), np.zeros(len(table)), np.inf)
    other = pd.DataFrame({"u": 3 - 2 * table["a"], "v": table["a"] + 10 * table["b"]})
    changed = Space(whiten(other.assign(w=other["u"]), treated, False), space.score, np.inf)
    distance = [
        np.linalg.norm(s.points[:, None] - s.points, axis=2).round(6) for s in (space, changed)
    ]
    np.testing.assert_allclose(*distance, atol=2e-6)


def test_mahalanobis_needs_every_covariate():
    table = pd.DataFrame({"a": [1.0, np.nan, 2.0]})
    with pytest.raises(DataError, match="missing for 1 of 3 firms"):
        whiten(table, np.array([True, False, False]), False)


def test_bins_hold_their_lower_edge():
    values = pd.Series([0.0, 1.0, 2.0, 3.0, 4.0, np.nan])
    assert binned(values, Bins(edges=[1.0, 3.0])).tolist()[:5] == [0, 1, 1, 2, 2]
    assert binned(values, Bins(equal_width=2)).tolist()[:5] == [0, 0, 1, 1, 1]
    assert binned(values, Bins(quantiles=2)).tolist()[:5] == [0, 0, 1, 1, 1]
    assert binned(values, Bins(edges=[1.0])).isna().tolist() == [False] * 5 + [True]


ZEROS = [0.0] * 9 + [3.0, 5.0, 8.0]


@pytest.mark.parametrize(
    ("values", "rule", "n_bins"),
    [
        (ZEROS, {"quantiles": 4}, 2),
        ([0.0] * 6 + [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], {"quantiles": 4}, 3),
        (ZEROS, {"edges": [1.0]}, None),
        (ZEROS, {"equal_width": 2}, None),
        ([1.0, 1.0, 2.0, 2.0, np.nan], {"quantiles": 4}, None),  # each value has its bin
        (list(range(12)), {"quantiles": 4}, None),
        ([1.0, 2.0, 3.0, 4.0, 5.0] + [9.0] * 7, {"quantiles": 4}, 3),  # ties at the upper end
        ([1.0, 2.0, 3.0, 9.0], {"quantiles": 4}, None),
        ([1.0] + [2.0] * 9 + [3.0, 4.0, 5.0, 6.0, 7.0, 8.0], {"quantiles": 4}, 3),  # in between
        ([3.0] * 12, {"quantiles": 4}, None),  # constant: nothing to keep apart
        ([np.nan] * 3, {"quantiles": 4}, None),
    ],
)
def test_quantiles_that_coincide_are_refused(values, rule, n_bins):
    table, bins = pd.DataFrame({"exports": values}), {"exports": Bins.model_validate(rule)}
    if n_bins is None:
        require_quantiles(table, bins, "model, stack 2005")
        return
    with pytest.raises(ParamsError, match=f"bins.exports: quantiles: 4 make {n_bins} bins, not 4"):
        require_quantiles(table, bins, "model, stack 2005")


# Through designs.


def section(**designs):
    balance = {"denominator": "treated", "threshold": 0.1}
    return MatchSection.model_validate({"designs": designs, "balance": balance})


def test_coarsened_exact_matching_weights_each_cell_to_its_treated():
    rows = [(2009, f"f{i}", i < 4, 0.0) for i in range(10)]
    scores = scores_table(rows)
    size = [1.0, 2.0, 11.0, 99.0, 1.5, 2.5, 12.0, 13.0, 14.0, 200.0]
    covariates = covariates_of(scores, size=size)
    design = {
        "score": "model",
        "method": "cells",
        "exact": ["size"],
        "bins": {"size": {"edges": [10.0, 50.0, 100.0]}},
    }
    found = match_designs(scores, covariates, section(coarse=design))
    used = found.weights[found.weights["design"] == "coarse"].set_index("firm_id")["weight"]
    assert used.to_dict() == pytest.approx(
        {
            "f0": 1,
            "f1": 1,
            "f2": 1,
            "f4": 1,
            "f5": 1,
            "f6": 1 / 3,
            "f7": 1 / 3,
            "f8": 1 / 3,
        }
    )
    assert lost(found, "coarse", CELL_WITHOUT_COMPARISON, "2009") == 1
    with pytest.raises(SupportError, match="none of the 10 cells has both"):
        match_designs(scores, covariates, section(fine={**design, "bins": {}}))


def test_raw_caliper_is_in_units_of_the_distance():
    scores = scores_table(SMALL)
    options = {**NEAREST, "caliper": 0.25}
    found = match_designs(scores, covariates_of(scores), section(raw=options))
    assert count(found, "raw", "caliper", "2009") == 0.25
    assert count(found, "raw", "n_treated_matched", "2009") == 2
    with pytest.raises(SupportError, match=r"caliper is 0.01 \(of the linear score\): widen calip"):
        rows = scores_table([(2009, "a", True, 0.0), (2009, "b", False, 1.0)])
        match_designs(rows, covariates_of(rows), section(raw={**NEAREST, "caliper": 0.01}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"caliper": 0.1, "caliper_sd": 0.2}, "give caliper or caliper_sd"),
        ({"order": "random"}, "order: random needs order_seed"),
        ({"order_seed": 3}, "order: random needs order_seed"),
        ({"ratio_range": [1, 3]}, "1 <= least < ratio < most"),
        ({"ratio": 2, "ratio_range": [1, 3], "replacement": True}, "without replacement"),
        ({"bins": {"size": {"quantiles": 3}}}, "bins names size, which exact does not"),
        ({"exact": ["size"], "bins": {"size": {}}}, "exactly one of edges"),
        ({"exact": ["size"], "bins": {"size": {"edges": [2.0, 1.0]}}}, "edges must ascend"),
        ({"estimand": "ate"}, "estimand ate is not what this method estimates, which is att: para"),
        ({"estimand": "ato"}, "method: overlap gives ato"),
        ({"method": "neerest"}, "does not match any of the expected tags"),
    ],
)
def test_contradictory_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        section(one={**NEAREST, **changes})


def test_radius_needs_a_caliper():
    keys = ("score", "distance", "caliper_sd", "caliper_sd_of", "exact")
    plain = {key: NEAREST[key] for key in keys}
    with pytest.raises(ValueError, match="radius needs caliper"):
        section(one={**plain, "method": "radius"})


MAHALANOBIS = {
    **NEAREST,
    "score": "logit",
    "method": "mahalanobis",
    "covariates": ["age", "educ", "re74"],
    "covariance_of": "pooled",
}
EVERY_METHOD = {
    "mahalanobis": MAHALANOBIS,
    "mahalanobis_replaced": {**MAHALANOBIS, "replacement": True, "ratio": 2},
    "mahalanobis_caliper": {
        **MAHALANOBIS,
        "covariates": ["age", "race"],
        "caliper_sd": 0.2,
        "exact": ["married"],
        "replacement": True,
    },
    "mahalanobis_closest": {**MAHALANOBIS, "order": "closest", "caliper_sd": None},
    "closest": {**NEAREST, "score": "logit", "order": "closest", "caliper_sd": 0.2},
    "random": {**NEAREST, "score": "logit", "order": "random", "order_seed": 5},
    "variable": {**NEAREST, "score": "logit", "ratio": 2, "ratio_range": [1, 4]},
    "radius": {
        "score": "logit",
        "method": "radius",
        "distance": "probability",
        "caliper_sd": None,
        "caliper_sd_of": "all",
        "caliper": 0.05,
        "exact": [],
    },
    "kernel": {
        "score": "logit",
        "method": "kernel",
        "distance": "probability",
        "bandwidth": 0.06,
        "exact": ["race"],
    },
    "cells": {"score": "logit", "method": "cells", "exact": ["race", "married"]},
}


@pytest.fixture(scope="module")
def table():
    return lalonde.read_lalonde()


@pytest.fixture(scope="module")
def everything(table):
    return lalonde.match(table, lalonde.score(table), **EVERY_METHOD)


@pytest.mark.parametrize("design", EVERY_METHOD)
def test_every_method_gives_weights_of_the_treated_it_keeps(everything, table, design):
    effect, weight = lalonde.att(everything, table, design)
    treated = table["treated"].to_numpy()
    assert set(weight[treated]) <= {0.0, 1.0}
    assert weight[~treated].sum() == pytest.approx(weight[treated].sum())
    assert weight[treated].sum() > 90
    assert np.isfinite(effect)
    sets = everything.matches[everything.matches["design"] == design]
    if design in ("kernel", "cells"):
        assert sets.empty
    else:
        rebuilt = sets.groupby("firm_id")["set_weight"].sum()
        stored = everything.weights[everything.weights["design"] == design]
        np.testing.assert_allclose(rebuilt, stored.set_index("firm_id")["weight"][rebuilt.index])


def test_a_mahalanobis_caliper_is_on_the_score(everything, table):
    sets = everything.matches[everything.matches["design"] == "mahalanobis_caliper"]
    score = lalonde.score(table).scores.dropna().set_index("firm_id")["linear_score"]
    values = sets.assign(score=sets["firm_id"].map(score)).merge(
        table[["firm_id", "married"]], on="firm_id"
    )
    own = values[values["treated"]].set_index("set_id")
    others = values[~values["treated"]]
    width = count(everything, "mahalanobis_caliper", "caliper", "1978")
    gap = (others["score"] - others["set_id"].map(own["score"])).abs()
    assert gap.max() <= width
    assert (others["married"] == others["set_id"].map(own["married"])).all()
