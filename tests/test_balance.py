import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matched_sets import nearest_design

from pipeline.datasets.store import TableError
from pipeline.matching.balance import measure_balance
from pipeline.matching.balance_columns import MeasuredNumber
from pipeline.matching.balance_rows import balance_rows
from pipeline.matching.losses import effective_size
from pipeline.matching.moments import moments_of_categories, moments_of_numbers
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection
from pipeline.selection.firm_stacks import firm_stacks

COVARIATE = {"label": "x", "column": "x", "transform": "level", "at": -1}

SCORE = ScoreSection.model_validate(
    {
        "covariates": {
            "size": COVARIATE,
            "foreign": COVARIATE,
            "sector": {**COVARIATE, "transform": "category"},
        },
        "unmatched": {"controls_from": "all"},
        "models": {
            "model": {
                "controls_from": "all",
                "covariates": ["size", "sector"],
                "fit": "per_stack",
                "link": "logit",
                "missing": "drop_firm",
                "support": "none",
            }
        },
    }
)


def match_section(denominator="treated"):
    design = nearest_design("model", caliper_sd_of="all", tie_tolerance=1e-12)
    return MatchSection.model_validate(
        {
            "designs": {"near": design},
            "balance": {"denominator": denominator, "threshold": 0.1},
        }
    )


# stack, firm, treated, on support, weight under `near`, size, foreign, sector
FIRMS = [
    (2009, "a", True, True, 1.0, 4.0, 1.0, "food"),
    (2009, "b", True, True, 1.0, 8.0, 0.0, "wood"),
    (2009, "c", True, False, 0.0, 9.0, 1.0, "food"),
    (2009, "m", False, True, 1.5, 2.0, 0.0, "food"),
    (2009, "n", False, True, 0.5, 6.0, 1.0, "food"),
    (2009, "o", False, True, 0.0, 1.0, 0.0, "wood"),
    (2009, "p", False, True, 0.0, 3.0, 0.0, "wood"),
    (2010, "d", True, True, 1.0, 5.0, 1.0, "wood"),
    (2010, "e", True, True, 0.0, 7.0, 1.0, "wood"),
    (2010, "m", False, True, 1.0, 2.0, 0.0, "food"),
    (2010, "q", False, True, 0.0, np.nan, 0.0, "food"),
]


def tables(rows=FIRMS):
    """Return SCORES, COVARIATES and WEIGHTS of the firms above."""
    names = ["stack", "firm_id", "treated", "on_support", "weight", "size", "foreign", "sector"]
    firms = pd.DataFrame(rows, columns=names)
    scores = firms[["stack", "firm_id", "treated", "on_support"]].assign(
        propensity_score=np.linspace(0.1, 0.9, len(firms)), linear_score=0.0
    )
    everyone = scores.assign(model="unmatched", propensity_score=np.nan, on_support=True)
    n_treated = firms.groupby("stack")["treated"].transform("sum")
    n_control = firms.groupby("stack")["treated"].transform("size") - n_treated
    level = firms["treated"] * 1.0 + ~firms["treated"] * n_treated / n_control
    weights = pd.concat(
        [
            firms.loc[firms["weight"] > 0, ["stack", "firm_id", "weight"]].assign(design="near"),
            firms[["stack", "firm_id"]].assign(weight=level, design="unmatched"),
        ]
    )
    covariates = firms[["stack", "firm_id", "size", "foreign", "sector"]]
    return pd.concat([scores.assign(model="model"), everyone]), covariates, weights


@pytest.fixture(scope="module", params=["treated", "pooled"])
def denominator(request):
    return request.param


@pytest.fixture(scope="module")
def balance(denominator):
    table = measure_balance(firm_stacks(*tables()), SCORE, match_section(denominator))
    named = table["covariate"] + (" " + table["category"]).fillna("")
    return table.assign(covariate=named).set_index(["design", "stack", "covariate", "sample"])


def test_a_category_stands_in_a_column_of_its_own(denominator):
    table = measure_balance(firm_stacks(*tables()), SCORE, match_section(denominator))
    of_sector = table[table["covariate"] == "sector"]
    assert set(of_sector["category"]) == {"food", "wood"}
    assert table.loc[table["covariate"] != "sector", "category"].isna().all()


def test_means_and_counts_by_sample(balance):
    expected = {
        "before": (7.0, 3.0, 3, 4, 4.0),
        "on_support": (6.0, 3.0, 2, 4, 4.0),
        "after": (6.0, (1.5 * 2 + 0.5 * 6) / 2, 2, 2, 2.0**2 / (1.5**2 + 0.5**2)),
    }
    columns = ["mean_treated", "mean_control", "n_treated", "n_control", "ess_control"]
    for sample, figures in expected.items():
        found = balance.loc[("near", "2009", "size", sample), columns]
        np.testing.assert_allclose(found.to_numpy(float), figures)


def test_differences_keep_the_unmatched_standard_deviation(balance, denominator):
    treated, control = np.var([4, 8, 9], ddof=1), np.var([2, 6, 1, 3], ddof=1)
    spread = np.sqrt({"treated": treated, "pooled": (treated + control) / 2}[denominator])
    found = balance.loc[("near", "2009", "size"), "std_diff"]
    assert found["before"] == pytest.approx(4 / spread)
    assert found["on_support"] == pytest.approx(3 / spread)
    assert found["after"] == pytest.approx(3 / spread)


def test_binaries_use_the_share_and_have_no_variance_ratio(balance, denominator):
    treated, control = 2 / 9, 3 / 16
    spread = np.sqrt({"treated": treated, "pooled": (treated + control) / 2}[denominator])
    rows = balance.loc[("near", "2009", "foreign")]
    assert rows.loc["before", "std_diff"] == pytest.approx((2 / 3 - 1 / 4) / spread)
    assert rows.loc["after", "std_diff"] == pytest.approx((1 / 2 - 1 / 4) / spread)
    assert rows.loc["after", "ks_distance"] == pytest.approx(1 / 4)
    assert rows["variance_ratio"].isna().all()


def test_categories_and_what_enters_the_score(balance):
    rows = balance.loc[("near", "2009", "sector food")]
    np.testing.assert_allclose(rows.loc["before", ["mean_treated", "mean_control"]], [2 / 3, 1 / 2])
    after = balance.xs(("2009", "after"), level=("stack", "sample"))["in_score"]
    assert after["near"].to_dict() == {
        "foreign": False,
        "propensity_score": True,
        "sector food": True,
        "sector wood": True,
        "size": True,
    }
    assert not after["unmatched"].any()
    assert "propensity_score" not in after["unmatched"].index


def test_pooled_rows_weight_each_stack_to_its_treated(balance):
    before = balance.loc[("near", "all", "foreign", "before")]
    # 2009: three treated, four comparison firms at 3/4; 2010: two and two at 1.
    assert before["mean_control"] == pytest.approx((0.75 * 1) / (4 * 0.75 + 2))
    # m serves both stacks: as one firm it weighs 1.75
    assert before["ess_control"] == pytest.approx(5**2 / (1.75**2 + 3 * 0.75**2 + 1))
    after = balance.loc[("near", "all", "size", "after")]
    assert after["mean_control"] == pytest.approx((1.5 * 2 + 0.5 * 6 + 1.0 * 2) / 3)


def test_missing_values_leave_one_covariate_alone(balance):
    rows = balance.loc[("near", "2010")]
    assert rows.loc[("size", "before"), "n_control"] == 1
    assert rows.loc[("foreign", "before"), "n_control"] == 2
    assert rows.loc[("size", "before"), "mean_control"] == 2.0


def test_what_cannot_be_measured_is_missing_not_an_error(balance, denominator):
    rows = balance.loc[("near", "2010")]
    # Both treated firms are foreign and in wood: no spread among the treated.
    assert rows.loc[("foreign", "before"), "mean_treated"] == 1
    assert np.isnan(rows.loc[("foreign", "before"), "std_diff"])
    # One comparison firm has no variance.
    assert np.isnan(rows.loc[("size", "before"), "variance_ratio"])
    assert np.isnan(rows.loc[("size", "before"), "std_diff"]) == (denominator == "pooled")


def test_unmatched_is_the_same_before_and_after(balance):
    samples = balance.loc["unmatched"]
    for sample in ("on_support", "after"):
        pd.testing.assert_frame_equal(
            samples.xs("before", level="sample"), samples.xs(sample, level="sample")
        )


def test_row_order_changes_nothing_and_inputs_stay():
    scores, covariates, weights = tables()
    copies = [table.copy(deep=True) for table in (scores, covariates, weights)]
    plain = measure_balance(firm_stacks(scores, covariates, weights), SCORE, match_section())
    shuffled = [table.sample(frac=1, random_state=3) for table in (scores, covariates, weights)]
    again = measure_balance(firm_stacks(*shuffled), SCORE, match_section())
    pd.testing.assert_frame_equal(plain, again)
    for table, copy in zip((scores, covariates, weights), copies, strict=True):
        pd.testing.assert_frame_equal(table, copy)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_whole_weights_are_repeated_rows(seed):
    """KS distance with whole weights equals scipy's on repeated rows."""
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(seed)
    value, weight = rng.integers(0, 6, 20), rng.integers(1, 4, 20)
    treated = np.arange(20) < rng.integers(1, 20)
    repeated, group = np.repeat(value, weight), np.repeat(treated, weight)
    expected = ks_2samp(repeated[group], repeated[~group], method="asymp").statistic
    # twice, as two stacks: each for itself, and both together
    firms = pd.DataFrame({"firm_id": [f"f{i:02d}" for i in range(20)], "treated": treated})
    both = pd.concat([firms.assign(stack=stack) for stack in (2009, 2012)])
    scores = both.assign(model="model", propensity_score=0.5, on_support=True)
    rows = balance_rows(firm_stacks(scores, both, both.assign(design="near", weight=1.0)))
    column = MeasuredNumber(np.tile(value, 2)[rows.row].astype(float), rows)
    weights = np.tile(weight, 2)[rows.row].astype(float)
    found = column.ks_distances(weights, column.moments(weights))
    np.testing.assert_allclose(found, np.full((1, 3), expected), atol=1e-12)


def weighted_variance(value, weight):
    """Return the variance of treated firms of the only stack."""
    found = moments_of_numbers(value, weight, np.array([0, 0, len(value)]))
    return found.variances(False)[0, 1, 0]


def test_moments_of_stacks_together_are_those_of_their_firms():
    rng = np.random.default_rng(4)
    value, weight = 50 + rng.normal(size=90), rng.uniform(0, 2, 90) * (rng.uniform(size=90) < 0.8)
    bounds = np.array([0, 20, 45, 60, 90])
    found = moments_of_numbers(value, weight, bounds)
    group = np.repeat([0, 1, 0, 1], np.diff(bounds))
    for of in (0, 1):
        own = (group == of) & (weight > 0)
        mean, variance = found.means[0, of, -1], found.variances(False)[0, of, -1]
        expected = np.average(value[own], weights=weight[own])
        assert mean == pytest.approx(expected, rel=1e-14)
        assert found.n[0, of, -1] == own.sum()
        assert variance == pytest.approx(weighted_variance(value[own], weight[own]), rel=1e-13)


def test_indicators_have_the_moments_of_numbers():
    rng = np.random.default_rng(6)
    code, cell = rng.integers(-1, 3, 200), np.sort(rng.integers(0, 4, 200))
    weight = rng.uniform(0, 2, 200) * (rng.uniform(size=200) < 0.7)
    found = moments_of_categories(code, weight, cell, np.array([4, 3]))
    bounds = np.searchsorted(cell, np.arange(5))
    for category in range(3):
        known = np.where(code >= 0, weight, 0.0)
        expected = moments_of_numbers((code == category).astype(float), known, bounds)
        for name, values in vars(expected).items():
            np.testing.assert_allclose(vars(found)[name][category], values[0], rtol=1e-12)


def test_weighted_variance_by_hand():
    value, weight = np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.25, 0.25])
    # Mean 2; squares .5 x 1 + 0 + .25 x 4 = 1.5; 1 - sum of squared weights = .625.
    assert weighted_variance(value, weight) == pytest.approx(1.5 / 0.625)
    assert weighted_variance(value, np.full(3, 7.0)) == pytest.approx(np.var(value, ddof=1))
    assert np.isnan(weighted_variance(value[:1], weight[:1]))


def test_effective_size_by_hand():
    assert effective_size(np.ones(5)) == pytest.approx(5)
    assert effective_size(np.array([3.0, 1.0])) == pytest.approx(16 / 10)
    assert effective_size(np.zeros(2)) == 0


def test_a_variance_of_equal_values_is_zero_whatever_rounding_leaves():
    rng = np.random.default_rng(0)
    weights = [rng.uniform(0.1, 3, 7) for _ in range(200)]
    value = np.full(7, 0.7)
    assert any(np.average(value, weights=weight) != 0.7 for weight in weights)
    assert {weighted_variance(value, weight) for weight in weights} == {0.0}
    assert weighted_variance(1e6 + np.array([0.0, 1e-3]), np.ones(2)) == pytest.approx(5e-7)


def test_differences_that_weights_remove_are_zero_and_ratios_of_rounding_missing():
    """Equal shares and equal values on both sides, weighted so that sums round differently."""
    rng = np.random.default_rng(5)
    rows = [
        (2009, f"f{i}", i % 2 == 0, True, weight, 0.1, float(i % 4 < 2), "food")
        for i, weight in enumerate(rng.uniform(0.2, 2, 40))
    ]
    rows = [(*row[:4], rows[i - i % 2][4], *row[5:]) for i, row in enumerate(rows)]
    found = measure_balance(firm_stacks(*tables(rows)), SCORE, match_section())
    after = found[(found["sample"] == "after") & (found["design"] == "near")]
    after = after.set_index(["stack", "covariate"])
    size, foreign = after.loc[("all", "size")], after.loc[("all", "foreign")]
    assert np.isnan(size[["std_diff", "percent_bias", "variance_ratio"]].astype(float)).all()
    assert size["ks_distance"] == 0.0
    assert (foreign["std_diff"], foreign["percent_bias"], foreign["ks_distance"]) == (0, 0, 0)


def test_means_that_are_rounding_are_zero():
    rows = [
        (2009, f"f{i}", i < 3, True, 1.0, size, 0.0, "food")
        for i, size in enumerate([0.1, 0.2, -0.3, 0.1, 0.2, -0.3])
    ]
    found = measure_balance(firm_stacks(*tables(rows)), SCORE, match_section())
    size = found[(found["covariate"] == "size") & (found["stack"] == "all")]
    assert sum([0.1, 0.2, -0.3]) != 0
    assert (size[["mean_treated", "mean_control", "std_diff"]] == 0).all(axis=None)


def test_firms_that_covariates_lack_are_refused():
    scores, covariates, weights = tables()
    with pytest.raises(TableError, match="COVARIATES lacks 1 firms"):
        firm_stacks(scores[scores["model"] == "model"], covariates.iloc[1:], weights.iloc[1:0])


def test_a_stack_without_one_group_of_a_column_leaves_other_stacks_as_they_are():
    """The only treated firm of 2009 has no value of `foreign` and no sector."""
    rows = [
        (2009, "a", True, True, 1.0, 4.0, np.nan, None),
        (2009, "m", False, True, 1.0, 2.0, 0.0, "food"),
        (2009, "n", False, True, 1.0, 6.0, 1.0, "wood"),
        (2010, "d", True, True, 1.0, 5.0, 1.0, "wood"),
        (2010, "e", True, True, 1.0, 7.0, 0.0, "food"),
        (2010, "f", True, True, 1.0, 7.0, 0.0, "food"),
        (2010, "m", False, True, 1.0, 2.0, 1.0, "food"),
        (2010, "q", False, True, 1.0, 3.0, 0.0, "wood"),
    ]
    found = measure_balance(firm_stacks(*tables(rows)), SCORE, match_section())
    after = found[(found["design"] == "near") & (found["sample"] == "after")]
    foreign = after[after["covariate"] == "foreign"].set_index("stack")
    assert np.isnan(foreign.loc["2009", "ks_distance"])
    assert foreign.loc["2010", "ks_distance"] == pytest.approx(1 / 2 - 1 / 3)
    food = after[after["category"] == "food"].set_index("stack")
    assert food.loc["all", "percent_bias"] == pytest.approx(28.232985, abs=1e-6)
