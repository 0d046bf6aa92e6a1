import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from pipeline.errors import DataError, EvaluationError, SupportError
from pipeline.params.score import ScoreSection
from pipeline.selection.design_matrix import build_design_matrix
from pipeline.selection.likelihood import maximise
from pipeline.selection.propensity import score_risk_sets
from pipeline.selection.score_fit import find_optimum, fit_score
from pipeline.selection.score_sample import count_losses
from pipeline.selection.support import common_support


def firms(seed=0, n=400):
    """Draw covariates and a treatment that depends on them without separating anything."""
    rng = np.random.default_rng(seed)
    covariates = pd.DataFrame(
        {
            "size": rng.normal(3, 2, n),
            "age": rng.normal(20, 5, n),
            "sector": rng.choice(["food", "metal", "wood"], n),
        }
    )
    index = -2 + 0.3 * covariates["size"] + 0.5 * (covariates["sector"] == "metal")
    return covariates, (rng.random(n) < 1 / (1 + np.exp(-index))).to_numpy()


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_fit_equals_statsmodels_in_original_units(link):
    import statsmodels.api as sm
    from sklearn.metrics import roc_auc_score

    covariates, treated = firms()
    fit = fit_score(covariates, treated, link)
    by_hand = covariates[["size", "age"]].assign(
        metal=covariates["sector"] == "metal", wood=covariates["sector"] == "wood"
    )
    model = {"logit": sm.Logit, "probit": sm.Probit}[link]
    plain = model(treated, sm.add_constant(by_hand.astype(float))).fit(disp=0, tol=1e-12)
    terms = (
        fit.coefficients[["covariate", "category"]].fillna("").itertuples(index=False, name=None)
    )
    assert list(terms) == [
        ("", ""),
        ("size", ""),
        ("age", ""),
        ("sector", "metal"),
        ("sector", "wood"),
    ]
    np.testing.assert_allclose(fit.coefficients["estimate"], plain.params, rtol=1e-8)
    np.testing.assert_allclose(fit.coefficients["std_error"], plain.bse, rtol=1e-6)
    np.testing.assert_allclose(fit.covariance, plain.cov_params(), rtol=1e-6)
    np.testing.assert_allclose(fit.propensity_score, plain.predict(), rtol=0, atol=6e-9)
    np.testing.assert_allclose(fit.linear_score, plain.fittedvalues, rtol=0, atol=6e-9)
    assert fit.pseudo_r2 == pytest.approx(plain.prsquared)
    assert fit.auc == pytest.approx(roc_auc_score(treated, plain.predict()))
    assert (fit.n_obs, fit.n_treated) == (400, treated.sum())


def test_units_of_a_covariate_change_its_coefficient_alone():
    covariates, treated = firms()
    fit = fit_score(covariates, treated, "logit")
    scaled = fit_score(covariates.assign(size=covariates["size"] * 1e6 + 5e7), treated, "logit")
    np.testing.assert_allclose(
        scaled.coefficients["estimate"][1:],
        fit.coefficients["estimate"][1:] / np.array([1e6, 1, 1, 1]),
        rtol=1e-7,
    )
    np.testing.assert_allclose(scaled.propensity_score, fit.propensity_score, atol=1e-9)


def test_scores_are_rounded_to_eight_decimals():
    covariates, treated = firms()
    fit = fit_score(covariates, treated, "logit")
    for score in (fit.propensity_score, fit.linear_score):
        np.testing.assert_array_equal(score, np.round(score, 8))
        assert (score != np.round(score, 7)).any()


def test_equal_scores_count_one_half_in_the_auc():
    covariates = pd.DataFrame({"foreign": [0.0] * 4 + [1.0] * 4})
    treated = np.array([1, 0, 0, 0, 1, 1, 1, 0], bool)
    # 4 x 4 comparisons: 9 won, 1 lost, 6 tied.
    assert fit_score(covariates, treated, "logit").auc == pytest.approx((9 + 3) / 16)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"year": 2008.0},
            DataError,
            r"covariate year is constant \(one value for all 400 firms\)",
        ),
        ({"region": "north"}, DataError, r"covariate region is constant \(one value"),
        (
            {"total": lambda c: 2 * c["size"] - c["age"] + 1},
            DataError,
            "covariate total is a combination of size, age among these 400 firms",
        ),
        (
            {"is_wood": lambda c: (c["sector"] == "wood") * 1.0},
            DataError,
            "covariate is_wood is a combination of sector=wood",
        ),
        (
            {"debt": lambda c: c["size"].where(c.index > 2)},
            DataError,
            "debt is missing for 3 of 400",
        ),
    ],
)
def test_covariates_without_a_coefficient_are_named(change, error, message):
    covariates, treated = firms()
    with pytest.raises(error, match=message):
        fit_score(covariates.assign(**change), treated, "logit")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            lambda t: np.where(t, 5.0, 1.0) + np.arange(len(t)) / len(t),
            "exports separates the groups: all .* treated firms lie at or above",
        ),
        (
            lambda t: np.where(t, 0.0, np.arange(len(t)) % 2),
            r"treated firms lie at or below all \d+ comparison firms; take it",
        ),
        (
            lambda t: np.where(~t & (np.arange(len(t)) % 3 == 0), "port", "inland"),
            r"categories of exports without a treated firm: exports=port \(\d+ firms\); merge",
        ),
        (
            lambda t: np.where(t & (np.arange(len(t)) % 3 == 0), "port", "inland"),
            r"categories of exports without a comparison firm: exports=port \(\d+ firms\)",
        ),
    ],
)
def test_a_separating_covariate_is_named(column, message):
    covariates, treated = firms()
    with pytest.raises(SupportError, match=message):
        fit_score(covariates.assign(exports=column(treated)), treated, "logit")


def test_a_category_of_few_firms_is_not_named():
    covariates, treated = firms()
    few = np.flatnonzero(~treated)[:9]
    named = covariates.assign(town=np.where(np.isin(np.arange(400), few), "Anytown", "other"))
    with pytest.raises(SupportError) as separated:
        fit_score(named, treated, "logit")
    assert "1 of fewer than 10 firms each, not named" in str(separated.value)
    assert "Anytown" not in str(separated.value)
    assert separated.value.problems.to_dict("list") == {"category": ["Anytown"], "firms": [9]}
    few[0] = np.flatnonzero(treated)[0]
    rare = np.isin(np.arange(400), few)
    named = covariates.assign(again=rare * 1.0, town=np.where(rare, "other", "Anytown"))
    with pytest.raises(DataError, match=r"^covariate a category of town is a combination of again"):
        fit_score(named, treated, "logit")


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("quasi", [False, True])
def test_covariates_that_separate_together_are_named(link, quasi):
    rng = np.random.default_rng(1)
    first, second, age = rng.normal(size=(3, 200))
    treated = first + second > 0.5
    if quasi:
        # Two firms of different groups on the boundary: the fit separates all others.
        first[:2], second[:2], treated[:2] = 0.25, 0.25, [True, False]
    covariates = pd.DataFrame({"age": age, "first": first, "second": second})
    counts = f"the {treated.sum()} treated from the {(~treated).sum()} comparison firms"
    with pytest.raises(SupportError, match="^first, second together separate " + counts):
        fit_score(covariates, treated, link)
    assert fit_score(pd.DataFrame({"first": first, "age": age}), treated, link).n_obs == 200


@pytest.mark.parametrize("everyone", [True, False])
def test_one_group_alone_has_no_score(everyone):
    covariates, treated = firms()
    with pytest.raises(SupportError, match="a score needs both"):
        fit_score(covariates, np.full(len(treated), everyone), "logit")


def test_support_rules_by_hand():
    score = np.array([0.2, 0.5, 0.9, 0.1, 0.5, 0.8])
    treated = np.array([1, 1, 1, 0, 0, 0], bool)
    expected = {
        "none": [1, 1, 1, 1, 1, 1],
        "min_max": [1, 1, 0, 0, 1, 1],
        "comparison_maximum": [1, 1, 0, 1, 1, 1],
        "comparison_range": [1, 1, 0, 1, 1, 1],
        "treated_range": [1, 1, 1, 0, 1, 1],
    }
    for rule, kept in expected.items():
        assert common_support(score, treated, rule).tolist() == [bool(flag) for flag in kept]
    # a treated firm below every comparison firm has no counterpart either
    assert not common_support(np.append(score, 0.05), np.append(treated, True), "comparison_range")[
        -1
    ]


def test_support_includes_its_bounds():
    score, treated = np.array([0.3, 0.7, 0.3, 0.7]), np.array([1, 1, 0, 0], bool)
    assert common_support(score, treated, "min_max").all()
    assert common_support(score, treated, "comparison_maximum").all()
    assert common_support(score, treated, "comparison_range").all()
    assert common_support(score, treated, "treated_range").all()


# Risk sets: from COVARIATES to SCORES, SCORE_COEFFICIENTS and SCORE_LOSSES.


def section(**options):
    covariate = {"label": "x", "column": "x", "transform": "level", "at": -1}
    model = {
        "controls_from": "all",
        "covariates": ["size", "sector"],
        "fit": "per_stack",
        "link": "logit",
        "missing": "drop_firm",
        "support": "none",
        **options,
    }
    return ScoreSection.model_validate(
        {
            "covariates": {
                "size": covariate,
                "age": covariate,
                "sector": {**covariate, "transform": "category"},
            },
            "unmatched": {"controls_from": "all"},
            "models": {"main": model},
        }
    )


def losses_of(scored):
    """Return SCORE_LOSSES by stack and group."""
    return scored.losses.set_index(["stack", "treated"])


def study():
    """Return risk sets (models `main` and `unmatched`) and COVARIATES of two stacks."""
    tables, covariates = [], []
    for stack in (2009, 2010):
        values, treated = firms(seed=stack)
        key = {"stack": stack, "firm_id": [f"id{row:03d}" for row in range(len(values))]}
        covariates.append(values.assign(**key))
        rows = pd.DataFrame(key).assign(
            treated=treated, base_year=stack - 1, cluster="c", in_treated_cluster=False
        )
        tables += [rows.assign(model="main"), rows.assign(model="unmatched")]
    return pd.concat(tables, ignore_index=True), pd.concat(covariates, ignore_index=True)


def test_each_stack_has_its_own_fit_and_unmatched_has_none():
    risk_sets, covariates = study()
    scored = score_risk_sets(risk_sets, covariates, section())
    of_2010 = covariates["stack"] == 2010
    treated = risk_sets.loc[
        (risk_sets["model"] == "main") & (risk_sets["stack"] == 2010), "treated"
    ]
    fit = fit_score(covariates.loc[of_2010, ["size", "sector"]], treated.to_numpy(), "logit")
    rows = scored.scores[(scored.scores["model"] == "main") & (scored.scores["stack"] == 2010)]
    np.testing.assert_array_equal(rows["propensity_score"], fit.propensity_score)
    terms = ["covariate", "category", "estimate"]
    found = scored.coefficients.loc[scored.coefficients["fit"] == "2010", terms]
    expected = fit.coefficients[terms].sort_values(terms[:2], ignore_index=True)
    pd.testing.assert_frame_equal(
        found.sort_values(terms[:2], ignore_index=True), expected, check_dtype=False, rtol=0, atol=0
    )
    unmatched = scored.scores[scored.scores["model"] == "unmatched"]
    assert len(unmatched) == 800
    assert unmatched["linear_score"].isna().all()
    assert unmatched["on_support"].all()


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_scores_are_statsmodels_and_draws_that_make_them_again_find_the_same(monkeypatch, link):
    """Where statsmodels cannot be reached nothing is published, and draws still have scores."""
    risk_sets, covariates = study()
    model = section(link=link)
    published = score_risk_sets(risk_sets, covariates, model)

    def unreachable(*_, **__):
        raise RuntimeError("statsmodels was asked")

    monkeypatch.setattr("statsmodels.discrete.discrete_model.DiscreteModel.fit", unreachable)
    for name in ("Logit", "Probit"):
        monkeypatch.setattr(f"statsmodels.discrete.discrete_model.{name}.fit", unreachable)
    with pytest.raises(RuntimeError, match="statsmodels was asked"):
        score_risk_sets(risk_sets, covariates, model)
    again = score_risk_sets(risk_sets, covariates, model, maximise)
    pd.testing.assert_frame_equal(again.scores, published.scores, rtol=0, atol=1.5e-10)
    pd.testing.assert_frame_equal(
        again.coefficients, published.coefficients, rtol=1e-10, atol=1e-12
    )


def test_pooled_fit_has_stack_intercepts():
    risk_sets, covariates = study()
    scored = score_risk_sets(risk_sets, covariates, section(fit="pooled"))
    assert set(scored.coefficients["fit"]) == {"pooled"}
    levels = scored.coefficients[scored.coefficients["term"] == "stack"]
    assert (levels["category"] == "2010").all() and levels["covariate"].isna().all()
    assert len(levels) == 1
    # A score with stack intercepts reproduces each stack's share of treated firms.
    main = scored.scores[scored.scores["model"] == "main"]
    means = main.groupby("stack")[["propensity_score", "treated"]].mean()
    np.testing.assert_allclose(means["propensity_score"], means["treated"], atol=1e-8)


def test_firms_without_covariates_leave_the_model_and_are_counted():
    risk_sets, covariates = study()
    treated = risk_sets.loc[risk_sets["model"] == "main", "treated"].to_numpy()
    lost = np.concatenate([np.flatnonzero(treated)[:3], np.flatnonzero(~treated)[:5]])
    gaps = covariates.copy()
    gaps.loc[lost, "size"] = np.nan
    gaps.loc[lost[:1], "sector"] = None
    scored = score_risk_sets(risk_sets, gaps, section())
    lost = losses_of(scored)["n_without_covariates"]
    assert lost[2009, True] == 3
    assert lost[2009, False] == 5
    assert lost[2010, False] == 0
    assert (scored.scores["model"] == "main").sum() == 792
    # A covariate outside the model costs nothing.
    assert len(score_risk_sets(risk_sets, gaps.assign(age=np.nan), section()).scores) == 1592


def test_missing_covariates_can_be_refused_with_counts():
    risk_sets, covariates = study()
    covariates.loc[covariates.index[:4], "size"] = np.nan
    covariates.loc[covariates.index[3:5], "sector"] = None
    with pytest.raises(DataError) as caught:
        score_risk_sets(risk_sets, covariates, section(missing="refuse"))
    assert str(caught.value) == (
        "main, stack 2009: 5 of 400 firms lack covariates (size 4, sector 2); set missing: "
        "drop_firm to leave them out and count them, or take the covariate out of the model"
    )


@pytest.mark.parametrize(("treated", "group"), [(True, "treated"), (False, "comparison")])
def test_a_stack_that_loses_a_group_is_named(treated, group):
    risk_sets, covariates = study()
    main = risk_sets["model"] == "main"
    of_group = (risk_sets["stack"] == 2010) & (risk_sets["treated"] == treated)
    covariates.loc[of_group[main].to_numpy(), "size"] = np.nan
    count = int(of_group[main].sum())
    with pytest.raises(SupportError) as caught:
        score_risk_sets(risk_sets, covariates, section())
    assert str(caught.value).startswith(
        f"main, stack 2010: no {group} firm is left: {count} are in the risk set, {count} lack "
        f"a covariate of the model (size {count});"
    )
    assert caught.value.reason.fields["covariates"] == ["size"]


def test_a_stack_whose_pool_is_empty_is_told_what_widens_it():
    """With every candidate in a cluster with participants no covariate is to blame."""
    risk_sets, covariates = study()
    lost = (risk_sets["stack"] == 2010) & ~risk_sets["treated"] & (risk_sets["model"] == "main")
    with pytest.raises(SupportError) as caught:
        score_risk_sets(risk_sets[~lost], covariates, section())
    said = str(caught.value)
    assert said.startswith("main, stack 2010: no comparison firm is in the risk set")
    assert "covariate" not in said and "treatment.leave_out_entry_years" in said


def test_a_model_without_a_risk_set_is_named():
    risk_sets, covariates = study()
    unmatched = risk_sets[risk_sets["model"] == "unmatched"]
    with pytest.raises(SupportError, match=r"^main: no entry year"):
        score_risk_sets(unmatched, covariates, section())


@pytest.mark.parametrize(
    ("fit", "where"),
    [("per_stack", "main, stack 2009: "), ("pooled", "main, stacks 2009, 2010 pooled: ")],
)
def test_messages_begin_with_model_and_stack_and_name_no_firm(fit, where):
    risk_sets, covariates = study()
    with pytest.raises(DataError) as caught:
        score_risk_sets(risk_sets, covariates.assign(size=1.0), section(fit=fit))
    assert str(caught.value).startswith(where + "covariate size is constant")
    assert "id0" not in str(caught.value)
    leave_out = "leave_out_entry_years: [2009]"
    assert (leave_out in str(caught.value)) == (fit == "per_stack")


def test_support_is_judged_within_each_stack_and_counted():
    risk_sets, covariates = study()
    scored = score_risk_sets(risk_sets, covariates, section(support="min_max", fit="pooled"))
    main = scored.scores[scored.scores["model"] == "main"]
    lost = losses_of(scored)["n_off_support"]
    for stack, rows in main.groupby("stack"):
        score, treated = rows["linear_score"].to_numpy(), rows["treated"].to_numpy()
        expected = common_support(score, treated, "min_max")
        np.testing.assert_array_equal(rows["on_support"], expected)
        assert lost[stack, False] == (~expected & ~treated).sum() > 0


@pytest.mark.parametrize("fit", ["per_stack", "pooled"])
def test_a_refit_scores_the_firms_on_support_anew_and_leaves_the_others(fit):
    risk_sets, covariates = study()
    once = score_risk_sets(risk_sets, covariates, section(support="min_max", fit=fit))
    twice = score_risk_sets(risk_sets, covariates, section(support="min_max", fit=fit, refit=True))
    before, after = (s.scores[s.scores["model"] == "main"] for s in (once, twice))
    pd.testing.assert_series_equal(before["on_support"], after["on_support"])
    kept = before["on_support"].to_numpy()
    assert 0 < (~kept).sum() < kept.sum()
    pd.testing.assert_frame_equal(before[~kept], after[~kept])
    on_support = risk_sets[risk_sets["model"] == "main"].merge(
        before.loc[kept, ["stack", "firm_id"]], on=["stack", "firm_id"]
    )
    plain = pd.concat([on_support, on_support.assign(model="unmatched")])
    alone = score_risk_sets(plain, covariates, section(fit=fit))
    expected = alone.scores[alone.scores["model"] == "main"].reset_index(drop=True)
    pd.testing.assert_frame_equal(after[kept].reset_index(drop=True), expected)
    pd.testing.assert_frame_equal(twice.coefficients, alone.coefficients)


def test_a_refit_needs_a_support_rule():
    with pytest.raises(ValidationError, match="refit: true needs a support rule"):
        section(refit=True)


def test_row_order_changes_nothing_and_inputs_stay():
    risk_sets, covariates = study()
    before = risk_sets.copy(deep=True), covariates.copy(deep=True)
    plain = score_risk_sets(risk_sets, covariates, section(fit="pooled"))
    shuffled = score_risk_sets(
        risk_sets.sample(frac=1, random_state=1), covariates, section(fit="pooled")
    )
    pd.testing.assert_frame_equal(before[0], risk_sets)
    pd.testing.assert_frame_equal(before[1], covariates)
    pd.testing.assert_frame_equal(plain.losses, shuffled.losses)
    pd.testing.assert_frame_equal(plain.scores, shuffled.scores, rtol=0, atol=2e-10)


def test_losses_are_counted_in_their_own_stack_where_rows_have_been_dropped():
    """Labels of rows are not positions: those without covariates have left gaps."""
    members = pd.DataFrame(
        {"stack": [2009] * 3 + [2010] * 3, "treated": [True, False, True, True, True, True]},
        index=[1, 3, 4, 7, 8, 9],
    )
    scored = members.loc[[1, 3, 7, 9]].assign(on_support=[False, True, False, True])
    counts = count_losses(members, scored, scored, "logit").set_index(["stack", "treated"])
    assert counts["n_without_covariates"].to_dict() == {
        (2009, False): 0,
        (2009, True): 1,
        (2010, True): 1,
    }
    assert counts["n_off_support"].to_dict() == {
        (2009, False): 0,
        (2009, True): 1,
        (2010, True): 1,
    }


def drawn_firms(**change):
    """Return firms that count one to three times, and the same firms copied so often."""
    covariates, treated = firms(n=60)
    frequency = np.random.default_rng(1).integers(1, 4, 60).astype(float)
    covariates = covariates.assign(**{name: make(treated) for name, make in change.items()})
    row = np.repeat(np.arange(60), frequency.astype(int))
    return covariates, treated, frequency, covariates.iloc[row], treated[row]


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_firms_that_count_more_than_once_are_fitted_as_copies(link):
    covariates, treated, frequency, copied, of_copies = drawn_firms()

    def weighing(columns, treated, link):
        return maximise(columns, treated, link, frequency)

    design, optimum = find_optimum(covariates, treated, link, weighing, frequency)
    same, expected = find_optimum(copied, of_copies, link, maximise)
    row = np.repeat(np.arange(60), frequency.astype(int))
    np.testing.assert_allclose(optimum.index[row], expected.index, rtol=1e-10)
    np.testing.assert_allclose(design.standardised[row], same.standardised, rtol=1e-12, atol=1e-12)
    assert optimum.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"age": lambda treated: np.where(np.arange(60) < 2, np.nan, 1.0)}, "covariate_missing"),
        ({"age": lambda treated: np.ones(60)}, "covariate_constant"),
        ({"age": lambda treated: treated + 0.0}, "covariate_separates"),
        ({"sector": lambda treated: np.where(treated, "food", "wood")}, "category_without_group"),
        (
            {
                "size": lambda treated: np.arange(60) % 7.0,
                "age": lambda treated: np.arange(60) % 7 + 2.0 * treated,
            },
            "covariates_separate",
        ),
        (
            {
                "size": lambda treated: np.arange(60) % 7.0,
                "age": lambda treated: 1 + 2 * (np.arange(60) % 7.0),
            },
            "covariate_combination",
        ),
    ],
)
def test_faults_of_firms_that_count_more_than_once_are_those_of_copies(change, code):
    covariates, treated, frequency, copied, of_copies = drawn_firms(**change)

    def weighing(columns, treated, link):
        return maximise(columns, treated, link, frequency)

    with pytest.raises(EvaluationError) as caught:
        find_optimum(covariates, treated, "logit", weighing, frequency)
    with pytest.raises(EvaluationError) as expected:
        find_optimum(copied, of_copies, "logit", maximise)
    assert caught.value.reason == expected.value.reason
    assert caught.value.reason.code == code
    assert str(caught.value) == str(expected.value)


def test_a_group_that_is_empty_is_counted_with_copies():
    covariates, _, frequency, *_ = drawn_firms()
    with pytest.raises(SupportError, match=f"{frequency.sum():.0f} treated and 0 comparison"):
        find_optimum(covariates, np.ones(60, bool), "logit", maximise, frequency)


def test_columns_of_copies_are_centred_on_all_of_them():
    covariates, _, frequency, *_ = drawn_firms()
    columns = build_design_matrix(covariates, frequency).standardised
    np.testing.assert_allclose(frequency @ columns[:, 1:], 0, atol=1e-10)
    np.testing.assert_allclose(frequency @ columns[:, 1:] ** 2, frequency.sum())
