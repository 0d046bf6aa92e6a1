"""Support rules, and what became of the treated."""

import numpy as np
import pandas as pd
import pytest
from results import study_results
from test_matching_nearest import scores_table

from pipeline.exhibits.tables.support import support_table
from pipeline.matching.largest_firms import covariate_dominance
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreModel, ScoreSection
from pipeline.selection.firm_stacks import firm_stacks
from pipeline.selection.support import (
    below_highest_scores,
    densest,
    kernel_density,
    stata_percentile,
    support_by_stack,
    treated_fates,
)

MODEL = {
    "controls_from": "all",
    "covariates": ["size"],
    "fit": "per_stack",
    "link": "logit",
    "missing": "drop_firm",
    "support": "none",
}


def model(**changes):
    return ScoreModel.model_validate(MODEL | changes)


def test_trimming_drops_the_highest_treated_scores_rounded_down():
    score = np.array([0.1, 0.5, 0.7, 0.9, 0.95])
    treated = np.array([True, True, True, True, False])
    assert below_highest_scores(score, treated, 0.25).tolist() == [True, True, True, False, True]
    assert below_highest_scores(score, treated, 0.24).all()
    tied = np.array([0.1, 0.9, 0.9, 0.9, 0.95])
    assert below_highest_scores(tied, treated, 0.25).all()


def scored_stacks():
    rows = [(2009, f"a{i}", i < 4, float(i)) for i in range(6)]
    rows += [(2010, f"b{i}", i < 4, 10.0 * i) for i in range(6)]
    table = scores_table(rows)
    return table[table["model"] == "model"].reset_index(drop=True)


def test_the_least_dense_are_dropped_as_by_the_formula():
    """Density and percentile by their definitions, one treated firm at a time."""
    rng = np.random.default_rng(5)
    score, treated = rng.beta(2, 4, 300), np.arange(300) < 80
    score[0] = 1.5  # no comparison firm anywhere near: density zero
    zero = np.sort(score[~treated])
    quarters = [(zero[k - 1] + zero[k]) / 2 for k in (55, 165)]
    width = 0.9 * min(zero.std(ddof=1), (quarters[1] - quarters[0]) / 1.349) * 220**-0.2
    z = np.abs(score[treated][:, None] - zero) / width
    kernel = np.where(z < np.sqrt(5), 0.75 * (1 - z**2 / 5) / np.sqrt(5), 0)
    density = kernel.mean(axis=1) / width
    np.testing.assert_allclose(kernel_density(zero, score[treated]), density, atol=1e-9)
    ranked = np.sort(density)
    kept = densest(score, treated, 0.1)
    assert kept[~treated].all()
    np.testing.assert_array_equal(kept[treated], density >= (ranked[7] + ranked[8]) / 2)
    assert not kept[0]
    assert (~kept).sum() == 8


def test_percentiles_are_those_of_stata():
    values = np.array([4.0, 1.0, 3.0, 2.0])
    assert [stata_percentile(values, p) for p in (0.1, 0.25, 0.3, 0.5, 0.99)] == [1, 1.5, 2, 2.5, 4]


def test_trimming_is_within_each_stack():
    scored = scored_stacks()
    kept = support_by_stack(scored, model(support="trim", trim_share=0.25))
    assert scored.loc[~kept, "firm_id"].tolist() == ["a3", "b3"]


def test_a_bound_drops_high_probabilities_of_both_groups():
    scored = scored_stacks()
    kept = support_by_stack(scored, model(support="bound", score_bound=0.9))
    assert (scored.loc[kept, "propensity_score"] <= 0.9).all()
    assert set(scored.loc[~kept, "treated"]) == {True, False}
    assert (scored.loc[~kept, "propensity_score"] > 0.9).all()


@pytest.mark.parametrize("of", ["both", "comparison", "treated"])
@pytest.mark.parametrize("bound", [None, 0.9])
def test_a_floor_drops_low_probabilities_of_the_group_that_it_names(of, bound):
    score, treated = np.tile([0.05, 0.1, 0.5, 0.95], 2), np.repeat([True, False], 4)
    scored = pd.DataFrame({"stack": 2009, "treated": treated, "propensity_score": score})
    rule = {"score_floor": 0.1, "score_floor_of": of, "score_bound": bound}
    kept = support_by_stack(scored, model(support="bound", **rule))
    asked = {"both": True, "treated": treated, "comparison": ~treated}[of]
    np.testing.assert_array_equal(kept, ~((score < 0.1) & asked | (score > (bound or 1))))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"support": "bound"}, "needs score_bound, score_floor or both"),
        ({"support": "bound", "score_floor": 0.1}, "score_floor and score_floor_of"),
        ({"score_floor": 0.1, "score_floor_of": "both"}, "other rules have none"),
        (
            {"support": "bound", "score_bound": 0.2, "score_floor": 0.3, "score_floor_of": "both"},
            "below score_bound",
        ),
    ],
)
def test_bounds_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        model(**changes)


@pytest.mark.parametrize(
    "changes", [{"support": "trim"}, {"score_bound": 0.9}, {"support": "bound", "trim_share": 0.1}]
)
def test_a_rule_without_its_number_is_refused(changes):
    with pytest.raises(ValueError, match="and other rules have none"):
        model(**changes)


def inputs():
    """Ten treated in one stack: four kept, three off support, two without match, one lacking."""
    firms = [f"t{i}" for i in range(10)]
    everyone = pd.DataFrame(
        {"stack": 2009, "firm_id": [*firms, "c"], "treated": [True] * 10 + [False]}
    )
    scored = everyone.drop(index=9).assign(on_support=[True] * 6 + [False] * 3 + [True])
    scores = pd.concat(
        [
            everyone.assign(model="unmatched", on_support=True),
            scored.assign(model="model"),
        ]
    ).assign(propensity_score=0.5)
    weights = pd.DataFrame(
        {"design": "one", "stack": 2009, "firm_id": ["t0", "t1", "t2", "t3", "c"], "weight": 1.0}
    )
    covariates = everyone[["stack", "firm_id"]].assign(size=[*map(float, range(9)), np.nan, 99.0])
    covariates["sector"] = "x"
    match = MatchSection.model_validate(
        {
            "designs": {"one": {"score": "model", "method": "odds"}},
            "balance": {"denominator": "pooled", "threshold": 0.1},
        }
    )
    return firm_stacks(scores, covariates, weights), match


def fates():
    return treated_fates(*inputs())


def test_the_largest_firm_in_a_mean_by_fate_is_known():
    tables, match = inputs()
    dated = {"label": "Size", "column": "size", "transform": "level", "at": -1}
    section = {"unmatched": {"controls_from": "all"}, "models": {"model": MODEL}}
    score = ScoreSection.model_validate(section | {"covariates": {"size": dated}})
    table = covariate_dominance(tables, score, match)
    share = table[table["treated"]].set_index(["design", "stack", "sample"])["share"]["one"]
    for stack in ("2009", "all"):
        assert share[stack, "kept"] == share[stack, "after"] == pytest.approx(100 * 3 / 6)
        assert share[stack, "lost"] == pytest.approx(100 * 8 / 30)
        assert share[stack, "no_match"] == pytest.approx(100 * 5 / 9)
    assert set(table["covariate"]) == {"size"}


def test_every_treated_firm_has_one_fate():
    table = fates().set_index(["stack", "fate"])
    counts = table.loc["2009", "n_treated"].to_dict()
    assert counts == {"kept": 4, "off_support": 3, "no_match": 2, "no_covariate": 1, "lost": 6}
    assert table.loc[("all", "kept"), "n_treated"] == 4
    assert set(table["covariate"]) == {"size"}


def test_means_by_fate_but_not_of_one_or_two_firms():
    means = fates().set_index(["stack", "fate"])["mean"]["all"]
    assert means["kept"] == pytest.approx(1.5)
    assert means["off_support"] == pytest.approx(7.0)
    assert np.isnan(means["no_match"])
    assert np.isnan(means["no_covariate"])
    assert means["lost"] == pytest.approx((4 + 5 + 6 + 7 + 8) / 5)


def test_the_table_shows_counts_and_means():
    results = study_results()
    covariate = next(iter(results.settings.score.covariates))
    names = list(results.settings.match.designs)
    support = pd.concat([fates().assign(design=name, covariate=covariate) for name in names])
    shown = support_table(results, support)
    by_year, by_design, means = shown.panels
    assert [row.label for row in by_year.rows] == ["2009", "all"]
    assert [cell.plain() for cell in by_year.rows[0].cells] == ["4", "1", "3", "2", "6"]
    assert len(by_design.rows) == len(names)
    assert [cell and cell.plain() for cell in means.rows[0].cells] == [
        "1.50",
        "c",
        "7.00",
        "c",
        "6.00",
    ]
