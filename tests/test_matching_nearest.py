import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matched_sets import assert_valid, nearest_design, slow_greedy, slow_ties

from pipeline.datasets.matches import CELL_WITHOUT_COMPARISON, UNMATCHED, WITHOUT_CELL
from pipeline.errors import ParamsError, SupportError
from pipeline.matching import greedy, pool
from pipeline.matching.designs import match_designs
from pipeline.matching.nearest import caliper_width, match_nearest
from pipeline.matching.sets import unit_weights
from pipeline.params.match import MatchSection

RULES = {
    "ratio": 1,
    "replacement": False,
    "caliper": None,
    "cells": None,
    "order": "largest",
    "tie_tolerance": 1e-12,
}


def pairs(sets):
    return set(zip(sets.treated.tolist(), sets.control.tolist(), strict=True))


def match(score, treated, **options):
    return match_nearest(np.array(score, float), np.array(treated, bool), **{**RULES, **options})


@st.composite
def problems(draw):
    """Firms on a coarse grid of scores, so that ties are everywhere, and matching options."""
    n = draw(st.integers(2, 30))
    grid = draw(st.sampled_from([4, 16, 1000]))
    score = np.array(draw(st.lists(st.integers(0, grid), min_size=n, max_size=n))) / 8
    treated = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    cells = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    caliper = draw(st.sampled_from([None, 0.0, 0.125, 0.5, 10.0]))
    ratio = draw(st.integers(1, 4))
    return score, treated, {"ratio": ratio, "caliper": caliper, "cells": cells}


@settings(max_examples=300, deadline=None)
@given(problems(), st.sampled_from(["largest", "smallest", "data"]))
def test_greedy_equals_looking_at_every_firm(problem, order):
    score, treated, options = problem
    sets = match(score, treated, order=order, **options)
    assert_valid(sets, score, treated, replacement=False, **options)
    assert pairs(sets) == slow_greedy(score, treated, order=order, **options)


@settings(max_examples=300, deadline=None)
@given(problems(), st.sampled_from([0.0, 1e-12, 0.2]))
def test_shared_ties_equal_looking_at_every_firm(problem, tie_tolerance):
    score, treated, options = problem
    sets = match(score, treated, replacement=True, tie_tolerance=tie_tolerance, **options)
    assert_valid(sets, score, treated, replacement=True, **options)
    assert pairs(sets) == slow_ties(score, treated, tie_tolerance=tie_tolerance, **options)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.booleans(), st.sampled_from([None, 0.3]))
def test_decimal_scores_equal_looking_at_every_firm(seed, ratio, replacement, caliper):
    """Decimal scores, where score - reach is rounded: no firm may fall off the edge."""
    rng = np.random.default_rng(seed)
    score, treated = np.round(rng.normal(size=60), 1), rng.random(60) < 0.3
    options = {"ratio": ratio, "caliper": caliper, "cells": rng.integers(0, 2, 60)}
    found = pairs(match(score, treated, replacement=replacement, tie_tolerance=0.0, **options))
    if replacement:
        assert found == slow_ties(score, treated, tie_tolerance=0.0, **options)
    else:
        assert found == slow_greedy(score, treated, order="largest", **options)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from(["largest", "smallest"]))
def test_row_order_does_not_matter_without_ties(seed, replacement, order):
    rng = np.random.default_rng(seed)
    score, treated = rng.normal(size=50), rng.random(50) < 0.3
    shuffled = rng.permutation(50)
    options = {"ratio": 2, "replacement": replacement, "order": order, "caliper": 0.8}
    sets = match(score[shuffled], treated[shuffled], **options)
    restored = set(zip(shuffled[sets.treated], shuffled[sets.control], strict=True))
    assert restored == pairs(match(score, treated, **options))


@settings(max_examples=100, deadline=None)
@given(problems(), st.booleans(), st.integers(1, 5))
def test_far_comparison_firms_change_nothing(problem, replacement, copies):
    score, treated, options = problem
    options = {**options, "caliper": options["caliper"] or 1.0, "replacement": replacement}
    longer = np.concatenate([score, np.full(copies, 1e6), np.full(copies, -1e6)])
    more = np.concatenate([treated, np.zeros(2 * copies, bool)])
    cells = np.concatenate([options["cells"], np.zeros(2 * copies, int)])
    enlarged = match(longer, more, **{**options, "cells": cells})
    assert pairs(enlarged) == pairs(match(score, treated, **options))


def test_largest_score_chooses_first():
    score, treated = [0.5, 0.75, 0.625, 0.0], [True, True, False, False]
    assert pairs(match(score, treated, order="largest")) == {(1, 2), (0, 3)}
    assert pairs(match(score, treated, order="smallest")) == {(0, 2), (1, 3)}
    assert pairs(match(score, treated, order="data")) == {(0, 2), (1, 3)}


def test_equal_treated_scores_choose_in_row_order():
    assert pairs(match([1, 1, 0.5, 0.25], [True, True, False, False])) == {(0, 2), (1, 3)}


@pytest.mark.parametrize("order", ["largest", "closest"])
@pytest.mark.parametrize("score", [[1, 0.5, 1.5], [1, 1.5, 0.5], [1, 1, 1]])
def test_equally_distant_firms_go_by_row(score, order):
    assert pairs(match(score, [True, False, False], order=order)) == {(0, 1)}


def test_everyone_chooses_once_before_anyone_chooses_again():
    score = [1.0, 0.9, 0.95, 0.8, 0.2, 0.1]
    sets = match(score, [True, True, False, False, False, False], ratio=2)
    assert pairs(sets) == {(0, 2), (1, 3), (0, 4), (1, 5)}


def test_fewer_than_ratio_share_the_weight():
    sets = match([0.0, 0.25, 0.5, 9.0], [True, False, False, False], ratio=3, caliper=1.0)
    np.testing.assert_allclose(unit_weights(sets, 4), [1, 0.5, 0.5, 0])


def test_ties_share_the_weight_with_replacement():
    score, treated = [0.0, 0.5, -0.5, 0.5, 0.75], [True, False, False, False, False]
    weight = unit_weights(match(score, treated, replacement=True), 5)
    np.testing.assert_allclose(weight, [1, 1 / 3, 1 / 3, 1 / 3, 0])


def test_tie_tolerance_is_inclusive():
    score, treated = [0.0, 0.5, 0.75], [True, False, False]
    assert len(match(score, treated, replacement=True, tie_tolerance=0.25).control) == 2
    assert len(match(score, treated, replacement=True, tie_tolerance=0.24).control) == 1


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ratio": 2},
        {"replacement": True},
        {"order": "closest"},
        {"order": "closest", "ratio": 2},
    ],
)
def test_caliper_is_inclusive(options, sign):
    score, treated = [0.0, 0.5 * sign], [True, False]
    assert len(match(score, treated, caliper=0.5, **options).control) == 1
    assert len(match(score, treated, caliper=0.49, **options).control) == 0


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("treated", [[True, True], [False, False]])
def test_one_group_alone_makes_no_pairs(treated, replacement):
    assert not len(match([0.0, 1.0], treated, replacement=replacement).control)


def test_too_many_ties_are_refused(monkeypatch):
    monkeypatch.setattr(pool, "MOST_PAIRS", 5)
    with pytest.raises(SupportError, match="6 matched pairs, more than 5"):
        match([0] * 5, [True, True, False, False, False], replacement=True)


def test_caliper_width_by_hand():
    score, treated = (
        np.array([0.0, 2.0, 1.0, 5.0, 9.0]),
        np.array([True, True, False, False, False]),
    )
    assert caliper_width(score, treated, None, "all") is None
    assert caliper_width(score, treated, 0.5, "treated") == pytest.approx(0.5 * np.sqrt(2))
    assert caliper_width(score, treated, 0.5, "pooled") == pytest.approx(
        0.5 * np.sqrt((2 + 16) / 2)
    )
    assert caliper_width(score, treated, 0.5, "all") == pytest.approx(0.5 * np.sqrt(13.3))


# Designs: from SCORES to MATCHES, WEIGHTS, MATCHED and LOSSES.

NEAREST = nearest_design("model", caliper_sd_of="all", tie_tolerance=1e-12)


def section(**designs):
    full = {name: {**NEAREST, **options} for name, options in designs.items()}
    balance = {"denominator": "treated", "threshold": 0.1}
    return MatchSection.model_validate({"designs": full, "balance": balance})


def scores_table(rows):
    """Build SCORES with the same firms for `model` and `unmatched`."""
    table = pd.DataFrame(rows, columns=["stack", "firm_id", "treated", "linear_score"])
    table = table.assign(
        base_year=table["stack"] - 1,
        cluster="c",
        in_treated_cluster=table["firm_id"].str.startswith("n"),
        propensity_score=(1 / (1 + np.exp(-table["linear_score"]))).round(10),
        on_support=True,
    )
    unscored = table.assign(model="unmatched", propensity_score=np.nan, linear_score=np.nan)
    return pd.concat([table.assign(model="model"), unscored], ignore_index=True)


def covariates_of(scores, **columns):
    rows = scores.loc[scores["model"] == "model", ["stack", "firm_id"]].reset_index(drop=True)
    return rows.assign(**columns)


SMALL = [
    (2009, "a", True, 1.0),
    (2009, "b", True, 0.0),
    (2009, "m", False, 0.75),
    (2009, "n", False, 0.25),
    (2009, "o", False, -3.0),
    (2010, "c", True, 0.5),
    (2010, "m", False, 0.5),
    (2010, "n", False, 2.0),
]


def count(matched, design, column, stack="all"):
    """Return one figure of MATCHED."""
    return matched.counts.set_index(["design", "stack"]).loc[(design, stack), column]


def lost(matched, design, reason, stack="all"):
    """Return one count of LOSSES."""
    return matched.losses.set_index(["design", "stack", "reason"])["n_firms"][design, stack, reason]


def test_sets_and_weights_of_a_small_study():
    scores = scores_table(SMALL)
    matched = match_designs(scores, covariates_of(scores), section(one={}))
    sets = matched.matches[["stack", "set_id", "firm_id", "treated", "set_weight", "distance"]]
    assert sets.to_numpy().tolist() == [
        [2009, "2009-000001", "a", True, 1.0, 0.0],
        [2009, "2009-000001", "m", False, 1.0, 0.25],
        [2009, "2009-000002", "b", True, 1.0, 0.0],
        [2009, "2009-000002", "n", False, 1.0, 0.25],
        [2010, "2010-000001", "c", True, 1.0, 0.0],
        [2010, "2010-000001", "m", False, 1.0, 0.0],
    ]
    used = matched.weights[matched.weights["design"] == "one"]
    assert used.loc[used["treated"], "weight"].tolist() == [1.0, 1.0, 1.0]
    unmatched = matched.weights[matched.weights["design"] == "unmatched"]
    assert unmatched["weight"].round(6).tolist() == [
        1,
        1,
        0.666667,
        0.666667,
        0.666667,
        1,
        0.5,
        0.5,
    ]
    assert count(matched, "one", "n_treated_matched", "2009") == 2
    assert count(matched, "one", "n_treated_matched") == 3
    assert count(matched, "one", "n_comparison_used") == 3
    assert count(matched, "one", "n_comparison_distinct") == 2
    assert count(matched, "one", "n_comparison_reused") == 1
    assert count(matched, "one", "max_reuse") == 2
    # three uses by two firms, one of them in both stacks
    assert count(matched, "one", "ess") == pytest.approx(3**2 / (2**2 + 1))
    assert count(matched, "one", "n_comparison_in_treated_clusters", "2009") == 1
    assert count(matched, "one", "share_comparison_in_treated_clusters") == pytest.approx(1 / 3)
    assert count(matched, "unmatched", "n_comparison_reused") == 2


def test_caliper_losses_are_counted_and_unused_firms_carry_no_weight():
    scores = scores_table([*SMALL, (2009, "z", True, 9.0)])
    matched = match_designs(scores, covariates_of(scores), section(near={"caliper_sd": 0.2}))
    used = matched.weights[matched.weights["design"] == "near"]
    assert not set(used["firm_id"]) & {"z", "o"}
    assert lost(matched, "near", UNMATCHED, "2009") == 1
    expected = 0.2 * np.std([1.0, 0.0, 0.75, 0.25, -3.0, 9.0], ddof=1)
    assert count(matched, "near", "caliper", "2009") == pytest.approx(expected)
    assert count(matched, "near", "max_distance", "2009") == 0.25


def test_firms_off_support_never_match_but_count_in_the_caliper():
    scores = scores_table(SMALL)
    scores.loc[scores["firm_id"].isin(["m", "a"]) & (scores["stack"] == 2009), "on_support"] = False
    matched = match_designs(scores, covariates_of(scores), section(one={"caliper_sd": 1.0}))
    stack = matched.matches[matched.matches["stack"] == 2009]
    assert set(stack["firm_id"]) == {"b", "n"}
    expected = np.std([1.0, 0.0, 0.75, 0.25, -3.0], ddof=1)
    assert count(matched, "one", "caliper", "2009") == pytest.approx(expected)


def test_exact_cells_are_never_crossed_and_lonely_cells_are_counted():
    scores = scores_table(SMALL)
    sector = ["x", "y", "z", "x", "x", "x", "x", "x"]
    size = pd.Series([1.0, 1.0, 1.0, 1.0, np.nan, 1.0, 1.0, 1.0])
    covariates = covariates_of(scores, sector=sector, size=size)
    matched = match_designs(scores, covariates, section(cells={"exact": ["sector", "size"]}))
    stack = matched.matches[matched.matches["stack"] == 2009]
    assert stack["firm_id"].tolist() == ["a", "n"]
    assert count(matched, "cells", "cells_without_comparison", "2009") == 1
    assert lost(matched, "cells", CELL_WITHOUT_COMPARISON, "2009") == 1
    assert lost(matched, "cells", WITHOUT_CELL, "2009") == 1


def random_scores(rng, n=120):
    rows = [
        (stack, f"f{number:03d}", bool(rng.random() < 0.25), round(rng.normal(), 1))
        for stack in (2009, 2010)
        for number in rng.choice(n, n // 2, replace=False)
    ]
    return scores_table(rows)


DESIGNS = {
    "pairs": {"caliper_sd": 0.2},
    "triples": {"ratio": 2, "exact": ["sector"]},
    "ties": {"replacement": True, "distance": "probability", "caliper_sd": 0.5},
}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_weights_are_the_sums_of_set_weights(seed):
    rng = np.random.default_rng(seed)
    scores = random_scores(rng)
    covariates = covariates_of(scores, sector=rng.choice(["x", "y"], len(scores) // 2))
    matched = match_designs(scores, covariates, section(**DESIGNS))
    key = ["design", "stack", "firm_id"]
    rebuilt = matched.matches.groupby(key)["set_weight"].sum()
    stored = matched.weights[matched.weights["design"] != "unmatched"].set_index(key)["weight"]
    pd.testing.assert_series_equal(rebuilt, stored, check_names=False)
    sums = matched.weights.groupby(["design", "stack", "treated"])["weight"].sum().unstack()
    np.testing.assert_allclose(sums[True], sums[False])


def test_tables_do_not_depend_on_the_order_of_rows_and_inputs_stay():
    rng = np.random.default_rng(5)
    scores = random_scores(rng)
    covariates = covariates_of(scores, sector=rng.choice(["x", "y"], len(scores) // 2))
    before = scores.copy(deep=True), covariates.copy(deep=True)
    plain = match_designs(scores, covariates, section(**DESIGNS))
    shuffled = match_designs(
        scores.sample(frac=1, random_state=1),
        covariates.sample(frac=1, random_state=2),
        section(**DESIGNS),
    )
    for name in ("matches", "weights", "counts", "losses"):
        pd.testing.assert_frame_equal(getattr(plain, name), getattr(shuffled, name))
    pd.testing.assert_frame_equal(before[0], scores)
    pd.testing.assert_frame_equal(before[1], covariates)


def test_no_firm_within_the_caliper_is_an_error_with_the_nearest_distance():
    scores = scores_table(
        [(2009, "a", True, 4.0), (2009, "b", False, 0.0), (2009, "c", False, 1.0)]
    )
    with pytest.raises(SupportError) as caught:
        match_designs(scores, covariates_of(scores), section(tight={"caliper_sd": 0.1}))
    assert str(caught.value) == (
        "model, stack 2009, design tight: no treated firm has a match (1 treated and 2 comparison "
        "firms on support); the nearest comparison firm is 3 away; the caliper is 0.2082 (0.1 SD, "
        "all, of the linear score): widen caliper_sd or change the covariates, or leave it out "
        "(treatment.leave_out_entry_years: [2009])"
    )


def test_no_firm_in_any_cell_is_an_error():
    scores = scores_table([(2009, "a", True, 0.0), (2009, "b", False, 0.0)])
    covariates = covariates_of(scores, sector=["x", "y"])
    with pytest.raises(SupportError, match="none shares a cell with a comparison firm"):
        match_designs(scores, covariates, section(cells={"exact": ["sector"]}))


def test_a_stack_of_one_group_cannot_be_weighted():
    scores = scores_table([(2009, "a", True, 0.0), (2009, "b", True, 0.0)])
    with pytest.raises(SupportError, match=r"^unmatched, stack 2009: 2 treated and 0 comparison"):
        match_designs(scores, covariates_of(scores), section())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score": "other"}, "designs.one.score is other, which is not a score model"),
        ({"exact": ["region"]}, "designs.one.exact names region"),
    ],
)
def test_unknown_names_are_refused(options, message):
    scores = scores_table(SMALL)
    with pytest.raises(ParamsError, match=message):
        match_designs(scores, covariates_of(scores, sector="x"), section(one=options))


def choose_one_by_one(problem, order, monkeypatch):
    """Match without proposals, one treated firm after the other."""
    score, treated, options = problem
    with monkeypatch.context() as patch:
        patch.setattr(greedy, "MOST_ROUNDS", 0)
        return pairs(match(score, treated, order=order, **options))


@pytest.mark.parametrize("order", ["largest", "smallest", "data"])
@pytest.mark.parametrize("levels", [5, 50, 10**9])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_proposals_make_the_pairs_of_turns(levels, share, order, monkeypatch):
    rng = np.random.default_rng(levels)
    for _ in range(20):
        score = rng.integers(0, levels, 400) / levels
        cells = rng.integers(0, 3, 400)
        caliper = rng.choice([np.inf, 0.02])
        problem = score, rng.random(400) < share, {"caliper": caliper, "cells": cells}
        expected = choose_one_by_one(problem, order, monkeypatch)
        assert pairs(match(score, problem[1], order=order, **problem[2])) == expected
