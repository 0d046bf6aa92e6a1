"""Sun & Abraham, extended two-way and imputation through a study."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from keyed import figure
from recovered import recovered
from stacked_tables import estimation, outcomes, panel_from, random_study, treatment
from told import declared, estimate_specs

from pipeline.datasets.fits import FITS
from pipeline.datasets.results import ESTIMATES, TESTS
from pipeline.datasets.store import check
from pipeline.effects.study import prepare_study
from pipeline.effects.terms import ATT
from pipeline.estimators.cohort_regression import fit_extended_twoway, interaction_sample
from pipeline.estimators.imputation import impute, imputed_averages
from pipeline.estimators.twoway import FlatSample
from pipeline.inference.analytic import infer
from pipeline.params.estimate import EstimateSection

ESTIMATORS = ["sun_abraham", "extended_twoway", "imputation"]


def by_cohort(estimator, average="event", missing="renormalise", **changes) -> EstimateSection:
    section = estimation(missing).model_dump(exclude_unset=True)
    spec = section["specs"][0] | {"estimator": estimator, "average": average}
    return EstimateSection.model_validate(section | {"specs": [spec | changes]})


def run(tables, estimate, covariates=None, matched=None):
    return estimate_specs(
        prepare_study(
            *tables,
            outcomes=outcomes(),
            treatment=treatment(-3, 2),
            matched_times=matched or {},
            estimate=estimate,
            covariates=covariates,
        )
    )


def with_effects(seed, missing_share):
    """Return a study without noise whose effects differ by cohort and event time."""
    panel, matches, weights = random_study(seed, missing_share)
    cohort = panel["cohort"].to_numpy(dtype=float, na_value=np.inf)
    year = panel["year"].to_numpy(dtype=float)
    effect = np.where(year >= cohort, (year - cohort + 1) * (cohort - 2003), 0.0)
    own = pd.factorize(panel["firm_id"])[0]
    untreated = panel.assign(sales=panel["sales"].where(panel["sales"].isna(), own + year**2))
    return untreated, untreated.assign(sales=untreated["sales"] + effect), matches, weights


@pytest.mark.parametrize("average", ["event", "simple"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_effects_that_differ_by_cohort_and_year_are_found(estimator, average):
    untreated, observed, matches, weights = with_effects(0, 0.2)
    estimate = by_cohort(estimator, average)
    results = run((observed, matches, weights), estimate)
    check(ESTIMATES, declared(results.estimates))
    check(TESTS, declared(results.tests))
    found = recovered(observed, untreated, matches, weights, estimate)
    truth = found.set_index("named")["truth"]
    rows = results.estimates.set_index("named")
    assert rows.loc["att", "estimate"] == pytest.approx(truth["att"], abs=1e-9)
    assert truth["att"] > 1
    if estimator == "sun_abraham":
        assert rows.loc["event[-3]", "estimate"] == pytest.approx(0, abs=1e-9)
        assert rows.loc["event[-1]", "note"] == "reference period"


def test_pre_trends_of_the_interaction_weighted_estimator():
    test = run(random_study(1), by_cohort("sun_abraham")).tests.iloc[0]
    assert (test["df"], test["note"]) == (4, "4 effects of cohorts and years before entry")
    assert 0 < test["p_value"] < 1


def test_lags_used_in_matching_leave_the_pre_trend_test():
    spec = by_cohort("sun_abraham")
    some = {"matched": {"sales": frozenset({-2, -1})}}
    test = run(random_study(1), spec, matched=some).tests.iloc[0]
    assert test["df"] == 2
    assert test["note"] == "2 effects of cohorts and years before entry; 2 matched on left out"
    every = {"matched": {"sales": frozenset({-3, -2, -1})}}
    test = run(random_study(1), spec, matched=every).tests.iloc[0]
    assert np.isnan(test["statistic"])
    assert "every year before the reference year was matched on" in test["note"]


def test_comparison_firms_that_enter_later_compare_in_the_interaction_weighted_estimator():
    """They are never treated in the sample: no effects of their own, no rows outside the window."""
    panel, matches, weights = random_study(1)
    later = panel["firm_id"].isin(weights.loc[~weights["treated"], "firm_id"])
    spec = by_cohort("sun_abraham")
    entering = panel.assign(cohort=panel["cohort"].mask(later, 2010))
    found, never = (run((p, matches, weights), spec) for p in (entering, panel))
    pd.testing.assert_frame_equal(found.estimates, never.estimates)
    pd.testing.assert_frame_equal(found.tests, never.tests)


def test_what_firms_lend_outside_their_own_window_has_no_effect_of_its_own():
    flat = flat_study(0, n=40)
    lends = (flat.cohort == 2005) & (flat.year < 2003)
    kept = interaction_sample(replace(flat, ever_treated=flat.ever_treated & ~lends))
    assert kept.panel_row.tolist() == flat.panel_row[~lends].tolist()
    assert kept.cohort.tolist() == flat.cohort[~lends].tolist()


def test_no_never_treated_firm_is_a_row_with_a_reason():
    text = """
    firm_id cluster 2001 2002 2003 2004
    T1      a       1    2    5    6
    T2      b       1    2    3    8
    """
    panel = panel_from(text, {"T1": 2003, "T2": 2004})
    tables = random_study(2)
    sets = (
        tables[1]
        .iloc[:2]
        .assign(stack=2003, set_id="A", firm_id=["T1", "T2"], treated=[True, False], set_weight=1.0)
    )
    weights = (
        tables[2]
        .iloc[:2]
        .assign(stack=2003, firm_id=["T1", "T2"], treated=[True, False], weight=1.0, base_year=2002)
    )
    rows = run((panel, sets, weights), by_cohort("sun_abraham")).estimates
    assert rows["note"].str.contains("needs never-treated").all()
    assert set(rows["named"]) == {"att", "event_average"}
    found = run((panel, sets, weights), by_cohort("imputation")).estimates.set_index("named")
    assert found.loc["event[0]", "estimate"] == pytest.approx(2)
    assert "single cluster" in found.loc["event[0]", "note"]


def test_extended_two_way_adjusts_for_covariates():
    panel, matches, weights = random_study(3, missing_share=0)
    own = pd.Series(np.random.default_rng(0).normal(size=40), index=sorted(set(panel["firm_id"])))
    growth = panel["firm_id"].map(own) * (panel["year"] - 2001).astype(float)
    panel = panel.assign(sales=growth + 0.1 * panel["year"].astype(float))
    covariates = weights[["stack", "firm_id"]].assign(size=weights["firm_id"].map(own))
    tables = panel, matches, weights
    plain = run(tables, by_cohort("extended_twoway")).estimates.set_index("named")
    adjusted = by_cohort("extended_twoway", covariates=["size"])
    found = run(tables, adjusted, covariates).estimates.set_index("named")
    assert abs(plain.loc["att", "estimate"]) > 0.1
    assert found.loc["att", "estimate"] == pytest.approx(0, abs=1e-9)
    holes = covariates.assign(size=covariates["size"].where(covariates.index % 5 > 0))
    assert figure(run(tables, adjusted, holes), FITS, "n_without_covariates") > 0


def flat_study(seed, n=40):
    rng = np.random.default_rng(seed)
    firm, year = np.repeat(np.arange(n), 6), np.tile(np.arange(2001, 2007), n)
    cohort = rng.choice([2003.0, 2005.0, np.inf], n)[firm]
    kept = rng.random(len(firm)) > 0.15
    return FlatSample(
        firm=firm,
        year=year,
        y=rng.normal(size=len(firm)),
        weight=rng.uniform(0.5, 2, n)[firm],
        cohort=cohort,
        treated_post=year >= cohort,
        anticipated=np.zeros(len(firm), dtype=bool),
        ever_treated=np.isfinite(cohort),
        panel_row=np.arange(len(firm)),
        assignment=np.arange(n) // 2,
    ).where(kept)


def test_an_imputed_average_is_its_dense_regression():
    """sum w (y - Z b) with b from dense least squares on untreated rows, and eq. (8) in full."""
    flat = flat_study(0)
    imputed = impute(flat)
    weight = np.where(imputed.imputable, flat.weight, 0.0)
    weight /= weight.sum()
    cluster = flat.assignment[flat.firm]
    found = imputed_averages(imputed, flat, weight[:, None], [ATT])
    dummies = np.hstack([np.eye(40)[flat.firm], np.eye(6)[flat.year - 2001][:, 1:]])
    free = ~flat.treated_post
    root = np.sqrt(flat.weight[free])
    inverse = np.linalg.pinv(dummies[free] * root[:, None])
    fitted = dummies @ (inverse @ (flat.y[free] * root))
    effect = flat.y - fitted
    assert found.estimate(ATT) == pytest.approx(weight @ effect, abs=1e-10)
    implied = weight.copy()
    implied[free] = -(weight @ dummies @ inverse) * root
    error = effect.copy()
    for cell in {(g, t) for g, t, w in zip(flat.cohort, flat.year, weight, strict=True) if w}:
        member = (flat.cohort == cell[0]) & (flat.year == cell[1]) & (weight > 0)
        v = np.bincount(cluster, weight * member, 20)
        v_effect = np.bincount(cluster[member], (weight * effect)[member], 20)
        error[member] -= (v * v_effect).sum() / (v**2).sum()
    expected = np.bincount(cluster, np.where(implied != 0, implied * error, 0), 20)
    influence = infer(found, "assignment").influence[:, 0]
    assert influence == pytest.approx(expected, abs=1e-10)


def test_each_covariate_enters_the_extended_two_way_once():
    """Dense least squares of Wooldridge's equation with two covariates, neither with the other."""
    flat = flat_study(2)
    own = np.random.default_rng(1).normal(size=(40, 2))[flat.firm]
    found = fit_extended_twoway(flat, -1, own, "firm")
    cells = np.array(
        [
            (flat.cohort == g) & (flat.year == t)
            for g in (2003, 2005)
            for t in range(g, 2007)
        ]
    ).T.astype(float)  # fmt: skip
    means = (flat.weight[:, None] * cells).T @ own / (flat.weight @ cells)[:, None]
    years = np.eye(6)[flat.year - 2001][:, 1:]
    columns = [cells, np.eye(40)[flat.firm], years]
    for k in range(2):
        columns += [cells * (own[:, [k]] - means[:, k]), own[:, [k]] * years]
    root = np.sqrt(flat.weight)[:, None]
    expected = np.linalg.lstsq(np.hstack(columns) * root, flat.y * root[:, 0])[0]
    n_cells = cells.shape[1]
    assert found.effects.estimates == pytest.approx(expected[:n_cells], abs=1e-8)
    assert len(found.effects.terms) == n_cells


def test_treated_rows_that_cannot_be_predicted_are_left_out_and_counted():
    flat = flat_study(1)
    always = np.unique(flat.firm[flat.treated_post & (flat.year == 2006)])[0]
    flat = flat.where((flat.firm != always) | flat.treated_post)
    imputed = impute(flat)
    assert not imputed.imputable[flat.firm == always].any()
    assert imputed.imputable[flat.treated_post & (flat.firm != always)].any()


def test_settings_of_other_estimators_are_refused():
    with pytest.raises(ValueError, match="only extended_twoway takes covariates"):
        by_cohort("imputation", covariates=["size"])
    with pytest.raises(ValueError, match="only extended_twoway takes covariates"):
        by_cohort("sun_abraham", effects="cohort")
