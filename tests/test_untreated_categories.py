"""Comparison firms in categories without a treated firm leave a score where a setting says so."""

import numpy as np
import pandas as pd
import pytest
from keyed import figure
from stacked_tables import random_study
from test_group_time_specs import group_time, pointwise, run
from test_propensity import firms, losses_of, section

from pipeline.datasets.fits import FITS
from pipeline.errors import SupportError
from pipeline.selection.drawn_score import drawn_score
from pipeline.selection.propensity import score_risk_sets
from pipeline.selection.untreated_categories import (
    in_untreated_categories,
    without_lone_categories,
)


def study():
    """Return risk sets and COVARIATES of two stacks; `mine` has treated firms in the second only.

    `farm` has none in either.
    """
    tables, covariates = [], []
    for stack in (2009, 2010):
        values, treated = firms(seed=stack)
        control = np.flatnonzero(~treated)
        sector = values["sector"].to_numpy(object)
        sector[control[:17]], sector[control[17:22]] = "farm", "mine"
        if stack == 2010:
            sector[np.flatnonzero(treated)[:3]] = "mine"
        key = {"stack": stack, "firm_id": [f"id{row:03d}" for row in range(len(values))]}
        covariates.append(values.assign(sector=sector.astype(str), **key))
        rows = pd.DataFrame(key).assign(
            model="main", treated=treated, base_year=stack - 1, cluster="c"
        )
        tables.append(rows.assign(in_treated_cluster=False))
    return pd.concat(tables, ignore_index=True), pd.concat(covariates, ignore_index=True)


def left_out(**options):
    return section(untreated_categories="leave_out", **options)


@pytest.mark.parametrize(
    ("fit", "lost"), [("per_stack", {2009: 22, 2010: 17}), ("pooled", {2009: 17, 2010: 17})]
)
def test_scores_are_those_of_the_risk_sets_without_these_firms(fit, lost):
    risk_sets, covariates = study()
    found = score_risk_sets(risk_sets, covariates, left_out(fit=fit))
    bare = covariates["sector"].eq("farm")
    if fit == "per_stack":
        bare |= covariates["sector"].eq("mine") & covariates["stack"].eq(2009)
    expected = score_risk_sets(risk_sets[~bare], covariates[~bare], section(fit=fit))
    pd.testing.assert_frame_equal(found.scores, expected.scores)
    pd.testing.assert_frame_equal(found.coefficients, expected.coefficients)
    counted = losses_of(found)["n_in_untreated_categories"]
    assert {stack: counted[stack, False] for stack in lost} == lost
    assert counted[2009, True] == counted[2010, True] == 0
    assert (losses_of(found)["n_without_covariates"] == 0).all()


def test_without_the_setting_the_fit_stops_and_names_it():
    with pytest.raises(SupportError, match="untreated_categories: leave_out") as caught:
        score_risk_sets(*study(), section())
    assert "farm" in str(caught.value)


def test_categories_without_a_comparison_firm_stop_whatever_the_setting():
    risk_sets, covariates = study()
    alone = covariates["sector"].eq("mine") & ~risk_sets["treated"]
    with pytest.raises(SupportError, match="without a comparison firm") as caught:
        score_risk_sets(risk_sets[~alone], covariates[~alone], left_out())
    assert "untreated_categories" not in str(caught.value)


def test_where_one_category_is_left_the_others_covariates_are_scored():
    risk_sets, covariates = study()
    own = risk_sets["treated"] & covariates["stack"].eq(2009)
    one = covariates.assign(sector=covariates["sector"].mask(own, "mine"))
    found = score_risk_sets(risk_sets, one, left_out())
    of_2009 = found.coefficients.loc[found.coefficients["fit"] == "2009", "covariate"]
    assert set(of_2009.dropna()) == {"size"}
    kept = found.scores[found.scores["stack"] == 2009]
    assert len(kept) == own.sum() + 5
    assert without_lone_categories(pd.DataFrame({"sector": ["a", "a"]})).shape == (2, 1)


def test_an_entry_year_without_a_comparison_firm_left_is_named():
    risk_sets, covariates = study()
    own = risk_sets["treated"] & covariates["stack"].eq(2009)
    with pytest.raises(SupportError, match="main, stack 2009") as caught:
        score_risk_sets(
            risk_sets, covariates.assign(sector=covariates["sector"].mask(own, "x")), left_out()
        )
    assert caught.value.reason.code == "no_comparison_in_treated_categories"


def test_a_second_fit_on_support_leaves_out_categories_that_lost_their_treated():
    risk_sets, covariates = study()
    options = {"fit": "pooled", "support": "trim", "trim_share": 0.1, "refit": True}
    own = covariates["sector"].eq("mine") & risk_sets["treated"]
    high = covariates.assign(size=covariates["size"].mask(own, covariates["size"].max() + 9))
    found = score_risk_sets(risk_sets, high, left_out(**options))
    kept = found.scores[found.scores["on_support"]].merge(high)
    assert "mine" not in set(kept["sector"]) and {"food", "wood"} & set(kept["sector"])
    assert "mine" not in set(found.coefficients["category"].dropna())


def test_draws_leave_out_what_copies_of_their_firms_would():
    risk_sets, covariates = study()
    model = left_out(fit="pooled", support="min_max", refit=True).models["main"]
    times = np.random.default_rng(3).integers(0, 3, len(risk_sets)).astype(float)
    times[covariates["sector"].eq("mine") & risk_sets["treated"]] = 0
    rows = np.flatnonzero(times)
    found = drawn_score("main", model, risk_sets, covariates).scores(rows, times[rows])
    copies = np.repeat(np.arange(len(times)), times.astype(int))
    one = risk_sets.iloc[copies].assign(firm_id=[f"c{n:04d}" for n in range(len(copies))])
    other = covariates.iloc[copies].assign(firm_id=one["firm_id"].to_numpy())
    expected = score_risk_sets(
        one.reset_index(drop=True),
        other.reset_index(drop=True),
        left_out(fit="pooled", support="min_max", refit=True),
    ).scores
    origin = pd.Series(copies, index=one["firm_id"])
    own = expected.assign(row=origin[expected["firm_id"]].to_numpy()).drop_duplicates("row")
    own = own.set_index("row").loc[found.index]
    assert not found.index.isin(np.flatnonzero(covariates["sector"].isin(["mine", "farm"]))).any()
    np.testing.assert_array_equal(found["on_support"], own["on_support"])
    np.testing.assert_allclose(found["linear_score"], own["linear_score"], atol=3e-8)


def test_every_text_covariate_counts_and_numbers_do_not():
    table = pd.DataFrame({"a": list("xxyy"), "b": list("pqpq"), "n": [0.0, 1.0, 2.0, 3.0]})
    treated = np.array([True, False, False, False])
    assert in_untreated_categories(table, treated).tolist() == [False, True, True, True]


DOUBLY_ROBUST = {
    "method": "doubly_robust",
    "covariates": ["size", "sector"],
    "weight_matched_again": True,
    "terms": ["att_gt"],
    "balanced_last_event_time": None,
}


def grouped():
    """Return a study and covariates; the sector `farm` has comparison firms alone."""
    panel, matches, weights = random_study(4, missing_share=0)
    rng = np.random.default_rng(1)
    sector = pd.Series(rng.choice(["food", "wood"], len(weights)), weights.index)
    control = np.flatnonzero(~weights["treated"])
    sector.iloc[control[::6]] = "farm"
    covariates = weights[["stack", "firm_id"]].assign(
        size=rng.normal(size=len(weights)), sector=sector.astype(str)
    )
    return panel, matches, weights, covariates


def test_doubly_robust_effects_are_those_without_these_firms():
    panel, matches, weights, covariates = grouped()
    asked = group_time(**DOUBLY_ROBUST, untreated_categories="leave_out")
    found = run(panel, matches, weights, asked, covariates=covariates)
    farm = covariates["sector"].eq("farm") & weights["weight"].gt(0)
    fewer = weights.assign(weight=weights["weight"].mask(farm, 0.0))
    expected = run(panel, matches, fewer, group_time(**DOUBLY_ROBUST), covariates=covariates)
    columns = ["estimate", "std_error"]
    one, other = pointwise(found)[columns], pointwise(expected)[columns]
    assert one["estimate"].notna().sum() > 5
    pd.testing.assert_frame_equal(one, other, rtol=1e-10)
    assert figure(found, FITS, "n_in_untreated_categories") == farm.sum() > 0
    stopped = run(panel, matches, weights, group_time(**DOUBLY_ROBUST), covariates=covariates)
    assert pointwise(stopped)["std_error"].isna().all()


def test_methods_without_a_score_refuse_the_setting():
    with pytest.raises(ValueError, match="outcome_regression has none"):
        group_time(
            **DOUBLY_ROBUST | {"method": "outcome_regression"}, untreated_categories="leave_out"
        )
