"""Group-time effects through a study: rows, reasons, bands, refusals."""

import numpy as np
import pandas as pd
import pytest
from keyed import figure, rows_with
from recovered import recovered
from stacked_tables import estimation, outcomes, random_study, treatment
from told import declared, estimate_specs

from pipeline.datasets.fits import FITS, PRE_TREND_POWER
from pipeline.datasets.results import ESTIMATES, TESTS
from pipeline.datasets.store import check
from pipeline.effects.study import outcome_sample, prepare_study
from pipeline.errors import DataError, ParamsError
from pipeline.estimators.group_time.group_time_samples import CovariateRows
from pipeline.estimators.stacked import event_effects, fit_cells
from pipeline.estimators.stacked_regressors import event_regressors
from pipeline.estimators.year_cells import year_cells
from pipeline.exhibits.numbers import term_key
from pipeline.inference.analytic import infer
from pipeline.panel.panel_index import NO_ROW
from pipeline.params.estimate import EstimateSection

ALL_TERMS = ["att", "att_gt", "event", "event_balanced", "simple", "cohort", "year"]


def group_time(missing="renormalise", **changes) -> EstimateSection:
    section = estimation(missing).model_dump(exclude_none=True)
    spec = {
        "name": "main",
        "estimator": "group_time",
        "designs": ["matched"],
        "outcomes": "all",
        "terms": ALL_TERMS,
        "average": "event",
        "method": "difference",
        "covariates": [],
        "base": "universal",
        "cluster": "firm",
        "bands": True,
        "balanced_last_event_time": 1,
    }
    return EstimateSection.model_validate(section | {"specs": [spec | changes]})


def run(panel, matches, weights, estimate, *, window=(-3, 2), covariates=None, matched=None):
    return estimate_specs(
        prepare_study(
            panel,
            matches,
            weights,
            outcomes=outcomes(),
            treatment=treatment(*window),
            matched_times=matched or {},
            estimate=estimate,
            covariates=covariates,
        )
    )


def pointwise(results):
    rows = results.estimates
    return rows[rows["band"] == "pointwise"].set_index("named")


def test_every_term_has_its_rows():
    results = run(*random_study(0), group_time())
    check(ESTIMATES, declared(results.estimates))
    check(TESTS, declared(results.tests))
    cells = {f"att_gt[{g},{g + e}]" for g in (2004, 2005) for e in range(-3, 3)}
    events = {f"event[{e}]" for e in range(-3, 3)} | {"event_average", "event_balanced_average"}
    families = {"cohort[2004]", "cohort[2005]", "cohort_average", "year_average", "simple", "att"}
    assert set(pointwise(results).index) >= cells | events | families
    rows = pointwise(results)
    assert rows.loc["att", "estimate"] == rows.loc["event_average", "estimate"]
    assert rows.loc["att_gt[2004,2003]", ["estimate", "note"]].tolist() == [0, "reference period"]
    assert rows.loc["att_gt[2005,2006]", ["cohort", "year", "event_time"]].tolist() == [
        2005,
        2006,
        1,
    ]


@pytest.mark.parametrize("missing", ["renormalise", "drop_set"])
def test_one_cohort_without_holes_agrees_with_the_stacked_estimator(missing):
    panel, matches, weights = random_study(1, missing_share=0)
    matches, weights = (t[t["stack"] == 2004] for t in (matches, weights))
    estimate = group_time(missing)
    study = prepare_study(
        panel,
        matches,
        weights,
        outcomes=outcomes(),
        treatment=treatment(-3, 2),
        matched_times={},
        estimate=estimate,
    )
    sample = outcome_sample(study, "matched", "sales")
    cells = year_cells(sample, panel, None)
    regressors = event_regressors(sample)
    fit = infer(event_effects(fit_cells(sample, regressors, cells), regressors), "firm")
    rows = pointwise(run(panel, matches, weights, estimate))
    names = [term_key(term) for term in fit.estimated.terms]
    found = rows.loc[names, "estimate"].to_numpy(float)
    assert found == pytest.approx(fit.estimated.estimates, abs=1e-10)
    n_clusters, n_obs = fit.counts.n_clusters, fit.counts.n_obs
    factor = n_clusters / (n_clusters - 1) * (n_obs - 1) / (n_obs - 5 - 6)
    errors = rows.loc[names, "std_error"].to_numpy(float)
    assert errors * np.sqrt(factor) == pytest.approx(np.sqrt(np.diag(fit.covariance)), abs=1e-10)


def test_whole_sets_count_only_where_complete():
    panel, matches, weights = random_study(2, missing_share=0.3)
    cell = "att_gt[2004,2005]"
    row = pointwise(run(panel, matches, weights, group_time("drop_set"))).loc[cell]
    sales = panel.dropna(subset="sales").set_index(["firm_id", "year"])["sales"]
    changes = []
    for _, members in matches[matches["stack"] == 2004].groupby("set_id"):
        keys = [(f, y) for f in members["firm_id"] for y in (2003, 2005)]
        if all(key in sales.index for key in keys):
            change = members["firm_id"].map(lambda f: sales[f, 2005] - sales[f, 2003])
            sign = np.where(members["treated"], 1.0, -members["set_weight"])
            changes.append(float((sign * change).sum()))
    assert 0 < len(changes) < 6
    assert row["estimate"] == pytest.approx(np.mean(changes), abs=1e-12)
    assert row["n_treated"] == len(changes)


def test_bands_are_wider_and_centred_on_the_same_estimates():
    estimate = group_time(terms=["event"], balanced_last_event_time=None)
    results = run(*random_study(3), estimate)
    rows = results.estimates.set_index(["band", "named"])
    for event_time in (-3, -2, 0, 1, 2):
        plain = rows.loc[("pointwise", f"event[{event_time}]")]
        band = rows.loc[("simultaneous", f"event[{event_time}]")]
        assert band["estimate"] == plain["estimate"]
        assert band["conf_high"] - band["conf_low"] > plain["conf_high"] - plain["conf_low"]
        assert plain["conf_high"] - plain["estimate"] == pytest.approx(
            1.959964 * plain["std_error"], rel=1e-6
        )
    assert results.estimates["df"].isna().all()
    again = run(*random_study(3), estimate)
    pd.testing.assert_frame_equal(results.estimates, again.estimates)


def test_pre_trends_are_tested_jointly_over_cells():
    test = run(*random_study(4), group_time()).tests.iloc[0]
    assert (test["df"], test["df_denominator"]) == (4, np.inf)
    assert test["note"] == "4 effects of cohorts and years before entry"
    short = run(*random_study(4), group_time(), window=(-1, 2)).tests.iloc[0]
    assert np.isnan(short["statistic"]) and "no pre-trend can be seen" in short["note"]


def test_averages_without_an_estimate_are_rows_with_the_reason():
    """The entrants of 2004 are not observed from 2004 on, nobody's in 2006."""
    panel, matches, weights = random_study(0, missing_share=0)
    own = panel["firm_id"].isin(matches[matches["stack"] == 2004]["firm_id"])
    gone = (own & (panel["year"] >= 2004)) | (panel["year"] == 2006)
    panel = panel.assign(sales=panel["sales"].mask(gone))
    rows = pointwise(run(panel, matches, weights, group_time()))
    reason = "no treated firm is observed in this year and in the base year"
    for term in ("cohort[2004]", "year[2004]", "year[2006]", "event_balanced[1]"):
        assert np.isnan(rows.loc[term, "estimate"]), term
        assert rows.loc[term, "note"] == reason, term
    assert rows.loc["year[2006]", "year"] == 2006
    assert rows.loc["cohort[2004]", "cohort"] == 2004
    assert rows.loc["event_balanced[-1]", ["estimate", "note"]].tolist() == [0, "reference period"]
    assert rows.loc["event_balanced[0]", "std_error"] > 0


@pytest.mark.parametrize(
    ("base", "times", "n_tested"),
    [
        ("universal", {-2, -1}, 2),
        ("universal", {-3, -2}, 0),
        ("varying", {-1}, 4),  # event time -1 against -2, which nothing made alike
        ("varying", {-2, -1}, 2),
    ],
)
def test_lags_used_in_matching_leave_the_pre_trend_test(base, times, n_tested):
    matched = {"matched": {"sales": frozenset(times)}}
    results = run(*random_study(4), group_time(base=base), matched=matched)
    test, slopes = results.tests.iloc[0], rows_with(results, PRE_TREND_POWER)
    if not n_tested:
        assert "every year before the reference year was matched on" in test["note"]
        assert slopes.empty
        return
    assert test["df"] == n_tested
    assert ("2 matched on left out" in test["note"]) == (n_tested == 2)
    whole = rows_with(run(*random_study(4), group_time(base=base)), PRE_TREND_POWER)
    columns = ["slope_jointly", "slope_by_any"]
    assert len(slopes) == len(whole) == 2
    if n_tested == 2:
        assert (slopes[columns] != whole[columns]).all(axis=None)


def test_a_cohort_in_a_single_cluster_has_no_standard_error():
    panel, matches, weights = random_study(5)
    alone = weights["treated"] & (weights["stack"] == 2004)
    weights = weights.assign(cluster=weights["cluster"].where(~alone, "only"))
    rows = pointwise(run(panel, matches, weights, group_time(cluster="assignment")))
    assert np.isnan(rows.loc["cohort[2004]", "std_error"])
    assert "single cluster" in rows.loc["att_gt[2004,2005]", "note"]
    assert rows.loc["cohort[2005]", "std_error"] > 0


def test_a_row_of_each_average_when_nothing_is_observed():
    panel, matches, weights = random_study(6)
    early = panel.assign(sales=panel["sales"].where(panel["year"] < 2004))
    rows = run(early, matches, weights, group_time()).estimates
    assert rows["estimate"].isna().all() and rows["note"].str.len().min() > 0
    assert {"att", "event_average", "cohort_average", "year_average"} <= set(rows["named"])


def test_covariates_come_dated_from_the_score_stage():
    """A covariate that drives growth biases the difference; adjusting removes it exactly."""
    panel, matches, weights = random_study(7, missing_share=0)
    own = pd.Series(np.random.default_rng(0).normal(size=40), index=sorted(set(panel["firm_id"])))
    growth = panel["firm_id"].map(own) * (panel["year"] - 2001).astype(float)
    panel = panel.assign(sales=growth + 0.1 * panel["year"].astype(float))
    covariates = weights[["stack", "firm_id"]].assign(size=weights["firm_id"].map(own))
    adjusted = {"method": "outcome_regression", "covariates": ["size"], "terms": ["att"]}
    adjusted["balanced_last_event_time"] = None
    plain = group_time(terms=["att"], balanced_last_event_time=None)
    bias = pointwise(run(panel, matches, weights, plain)).loc["att", "estimate"]
    found = run(panel, matches, weights, group_time(**adjusted), covariates=covariates)
    assert abs(bias) > 0.1
    assert pointwise(found).loc["att", "estimate"] == pytest.approx(0, abs=1e-9)
    holes = covariates.assign(size=covariates["size"].where(covariates.index % 4 > 0))
    lost = run(panel, matches, weights, group_time(**adjusted), covariates=holes)
    assert figure(lost, FITS, "n_without_covariates") == holes["size"].isna().sum()
    assert pointwise(lost).loc["att", "estimate"] == pytest.approx(0, abs=1e-9)
    with pytest.raises(ParamsError, match="names the covariate size"):
        run(panel, matches, weights, group_time(**adjusted))


def test_weights_make_the_effect_on_totals():
    """Weighted by size the cell is the difference of size-weighted mean changes."""
    panel, matches, weights = random_study(9, missing_share=0)
    weights = weights.assign(design="unmatched")
    own = pd.Series(np.arange(40) % 7 + 0.5, index=sorted(set(panel["firm_id"])))
    covariates = weights[["stack", "firm_id"]].assign(size=weights["firm_id"].map(own))
    section = group_time().model_dump(exclude_none=True)
    section["headline"]["design"] = "unmatched"
    section["specs"][0] |= {"designs": ["unmatched"], "weight_by": "size"}
    estimate = EstimateSection.model_validate(section)
    tables = panel, matches, weights
    rows = pointwise(run(*tables, estimate, covariates=covariates))
    sales = panel.set_index(["firm_id", "year"])["sales"]
    members = weights[weights["stack"] == 2004].set_index("firm_id")
    change = pd.Series({f: sales[f, 2006] - sales[f, 2003] for f in members.index})
    mass = own[members.index]
    means = [
        np.average(change[group], weights=mass[group])
        for group in (members["treated"], ~members["treated"])
    ]
    assert rows.loc["att_gt[2004,2006]", "estimate"] == pytest.approx(means[0] - means[1])
    assert "; firms weighted by size; " in rows.loc["att", "note"]
    holes = covariates.assign(size=covariates["size"].where(covariates.index % 4 > 0))
    lost = run(*tables, estimate, covariates=holes)
    assert figure(lost, FITS, "n_without_covariates") == holes["size"].isna().sum()
    with pytest.raises(DataError, match="are negative"):
        run(*tables, estimate, covariates=covariates.assign(size=-1.0))
    with pytest.raises(ValueError, match="matched sets have own weights"):
        group_time(weight_by="size")


@pytest.mark.parametrize("average", ["event", "simple", "cohort", "year"])
def test_truth_has_the_estimators_own_weights(average):
    panel, matches, weights = random_study(8)
    cohort = panel["cohort"].to_numpy(dtype=float, na_value=np.inf)
    year = panel["year"].to_numpy(dtype=float)
    firm = pd.factorize(panel["firm_id"])[0]
    effect = np.where(year >= cohort, (year - cohort + 1) * (1 + firm % 3), 0.0)
    untreated = panel.assign(sales=panel["sales"].where(panel["sales"].isna(), firm + year))
    observed = untreated.assign(sales=untreated["sales"] + effect)
    estimate = group_time("drop_set", average=average)
    found = recovered(observed, untreated, matches, weights, estimate)
    truth = found.set_index("named")["truth"]
    rows = pointwise(run(observed, matches, weights, estimate))
    assert rows.loc["att", "estimate"] == pytest.approx(truth["att"], abs=1e-9)
    assert truth["att"] > 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "ipw", "covariates": ["size"]}, "weight_matched_again"),
        ({"method": "ipw"}, "takes no covariates"),
        ({"covariates": ["size"]}, "takes no covariates"),
        ({"balanced_last_event_time": None}, "go together"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        group_time(**changes)


def test_weighting_again_is_possible_by_name():
    spec = group_time(method="ipw", covariates=["size"], weight_matched_again=True).specs[0]
    assert spec.method == "ipw"


def test_covariates_that_a_firm_lacks_are_missing():
    values = pd.DataFrame({"size": [1.0, 2.0], "sector": ["a", "b"]})
    rows = CovariateRows(values, {2005: np.array([1, NO_ROW, 0])})
    found = rows.of(2005, np.array([2, 1, 0, 2]))
    assert found["size"].tolist() == pytest.approx([1, np.nan, 2, 1], nan_ok=True)
    assert found["sector"].isna().tolist() == [False, True, False, False]
    assert rows.of(2006, np.array([0, 2])).isna().all(axis=None)
