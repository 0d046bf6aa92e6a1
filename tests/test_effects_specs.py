"""All estimates of a study: rows, reasons, what stands beside them, errors."""

import numpy as np
import pandas as pd
import pytest
from keyed import figure, rows_with
from recovered import recovered
from stacked_tables import (
    estimation,
    matches_from,
    outcomes,
    panel_from,
    random_study,
    treatment,
    weights_from,
)
from told import declared, estimate_specs

from pipeline.datasets.details import OF_ESTIMATE
from pipeline.datasets.fits import DETECTABLE, FITS
from pipeline.datasets.results import ESTIMATES, OUTCOME_PATHS, TESTS
from pipeline.datasets.samples import BASELINES, SAMPLES
from pipeline.datasets.store import check
from pipeline.effects.collected import Results
from pipeline.effects.study import prepare_study
from pipeline.errors import DataError, IdentificationError, ParamsError
from pipeline.params.estimate import EstimateSection

LEVEL = {"column": "sales", "transform": "level", "unit": "US$", "label": "Sales"}
UNOBSERVED = {"observed": False, "reason": "no customs data", "unit": "US$", "label": "Exports"}

# Two entry years as in a three-year panel: the first has one year before, the second one after.
SHORT = """
firm_id cluster 2001 2002 2003
T1      a       10   15   18
T2      b       10   11   20
C1      c       20   21   22
C2      d       30   31   32
"""
SHORT_SETS = """
stack set_id firm_id treated
2002  A      T1      1
2002  A      C1      0
2003  B      T2      1
2003  B      C2      0
"""


def run(panel, matches, weights, window=(-3, 2), *, named=None, matched=None, estimate=None):
    return estimate_specs(
        prepare_study(
            panel,
            matches,
            weights,
            outcomes=named or outcomes(),
            treatment=treatment(*window),
            matched_times=matched or {},
            estimate=estimate or estimation(),
        )
    )


def short(window=(-2, 1), **kwargs) -> Results:
    panel = panel_from(SHORT, {"T1": 2002, "T2": 2003})
    matches = matches_from(SHORT_SETS)
    return run(panel, matches, weights_from(matches, panel), window, **kwargs)


def by_term(results: Results, estimator: str = "main") -> pd.DataFrame:
    rows = results.estimates
    return rows[rows["estimator"] == estimator].set_index("named")


def two_specs(**second) -> EstimateSection:
    base = estimation().model_dump(exclude_unset=True)
    spec = base["specs"][0] | {"name": "second", "terms": ["att"]} | second
    if spec["estimator"] == "twoway":
        del spec["average"]
    base["specs"].append(spec)
    return EstimateSection.model_validate(base)


def test_tables_conform_and_every_event_time_has_a_row():
    results = run(*random_study(0), window=(-4, 4))
    for dataset, frame in (
        (ESTIMATES, results.estimates),
        (TESTS, results.tests),
        (OUTCOME_PATHS, results.paths),
        *((table, results.details[table.name]) for table in OF_ESTIMATE),
    ):
        check(dataset, declared(frame))
    events = {f"event[{e}]" for e in range(-4, 5)}
    assert set(by_term(results).index) == events | {"att", "event_average"}


def test_reference_row_is_zero_without_error():
    row = by_term(short()).loc["event[-1]"]
    assert row["estimate"] == 0 and np.isnan(row["std_error"]) and row["note"] == "reference period"


def test_hand_computed_event_study_and_the_entry_years_behind_it():
    rows = by_term(short())
    # Treated minus comparison, by event time: 2002 has -10, -6, -4 at -1, 0, 1; 2003 has
    # -20, -20, -12 at -2, -1, 0. Each entry year changes since its own reference year: 4 and 6,
    # and 0 and 8. Event time 0 is the mean of both; 1 and -2 are one entry year's own.
    assert rows.loc["event[0]", "estimate"] == pytest.approx((4 + 8) / 2)
    assert rows.loc["event[1]", "estimate"] == pytest.approx(6)
    assert rows.loc["event[-2]", "estimate"] == pytest.approx(0)
    assert rows.loc["event[0]", ["n_treated", "n_control"]].tolist() == [2, 2]
    assert rows.loc["event[1]", ["n_treated", "n_control"]].tolist() == [1, 1]
    # One treated firm a year: its residuals are zero, and would leave it out of the variance.
    alone = (
        "no standard error: in every entry year the treated or the comparison firms lie in a "
        "single cluster"
    )
    assert rows.loc["event[1]", "note"] == f"entry years 2002 only; {alone}"
    assert rows.loc["event[-2]", "note"] == f"entry years 2003 only; {alone}"
    assert rows.loc["event[0]", "note"] == alone
    assert rows.loc[["event[0]", "event[1]"], ["std_error", "p_value"]].isna().all(axis=None)
    assert rows.loc["att", ["n_treated", "n_control", "n_obs"]].tolist() == [2, 2, 12]
    assert rows.loc["att", ["n_clusters", "n_treated_clusters", "df"]].tolist() == [4, 2, 3]


def test_event_average_is_the_mean_with_its_own_standard_error():
    results = run(*random_study(1))
    rows = by_term(results)
    after = [rows.loc[f"event[{e}]", "estimate"] for e in (0, 1, 2)]
    average = rows.loc["event_average"]
    assert average["estimate"] == pytest.approx(np.mean(after))
    errors = [rows.loc[f"event[{e}]", "std_error"] for e in (0, 1, 2)]
    assert 0 < average["std_error"] < np.mean(errors)
    assert "event times 0, 1, 2" in average["note"]


def test_the_average_effect_is_the_declared_one():
    pooled = by_term(short())
    # treated x post: the two sets' changes between their years before and after, (5 + 8) / 2
    assert pooled.loc["att", "estimate"] == pytest.approx((5 + 8) / 2)
    by_event = estimation().model_dump(exclude_unset=True)
    by_event["specs"][0]["average"] = "event"
    rows = by_term(short(estimate=EstimateSection.model_validate(by_event)))
    assert rows.loc["att", "estimate"] == pytest.approx((6 + 6) / 2)
    by_event["specs"][0]["average"] = "event"
    rows = by_term(run(*random_study(1), estimate=EstimateSection.model_validate(by_event)))
    same = ["estimate", "std_error", "conf_low", "conf_high", "note"]
    assert rows.loc["att", same].tolist() == rows.loc["event_average", same].tolist()


def test_pre_trends_are_tested_jointly():
    test = run(*random_study(1)).tests.iloc[0]
    assert test["test"] == "pre_trends" and test["note"] == "event times −3, −2"
    assert (test["df"], test["df_denominator"]) == (2, run(*random_study(1)).estimates["df"].max())
    assert 0 < test["p_value"] < 1


def test_lags_used_in_matching_leave_the_pre_trend_test():
    some = run(*random_study(1), matched={"matched": {"sales": frozenset({-2, -1})}})
    test = some.tests.iloc[0]
    assert test["note"] == "event times −3; matched on and left out: −2"
    assert test["df"] == 1
    every = run(*random_study(1), matched={"matched": {"sales": frozenset({-3, -2, -1})}})
    assert np.isnan(every.tests.iloc[0]["statistic"])
    assert "every year before the reference year was matched on" in every.tests.iloc[0]["note"]


def test_one_pre_year_is_a_row_that_says_so():
    test = short(window=(-1, 1)).tests.iloc[0]
    assert np.isnan(test["statistic"]) and "no pre-trend can be seen" in test["note"]


def test_fewer_clusters_than_leads_is_a_row_that_says_so():
    panel, matches, weights = random_study(1)
    halves = weights["firm_id"].str[1:].astype(int) % 2
    few = weights.assign(cluster=halves.map({0: "a", 1: "b"}))
    test = run(panel, matches, few, estimate=estimation(cluster="assignment")).tests.iloc[0]
    assert np.isnan(test["statistic"]) and "no joint test with 2 clusters" in test["note"]


def test_a_single_cluster_gives_an_estimate_without_error():
    panel, matches, weights = random_study(1)
    one = run(
        panel, matches, weights.assign(cluster="a"), estimate=estimation(cluster="assignment")
    )
    row = by_term(one).loc["att"]
    assert np.isfinite(row["estimate"]) and np.isnan(row["std_error"])
    assert row["note"] == "no standard error: the sample has a single cluster"
    assert np.isnan(figure(one, DETECTABLE, "effect"))


def test_a_single_treated_cluster_gives_an_estimate_without_error():
    panel, matches, weights = random_study(1)
    few = weights.assign(cluster=weights["cluster"].where(~weights["treated"], "only"))
    few = few.assign(cluster=few["cluster"].where(few["treated"], few["firm_id"]))
    estimate = estimation(cluster="assignment", wild_bootstrap={"draws": 99, "seed": 1})
    rows = run(panel, matches, few, estimate=estimate).estimates
    att = rows[rows["named"] == "att"].set_index("inference")
    row, wild = att.loc["analytic"], att.loc["wild_bootstrap"]
    assert np.isfinite(row["estimate"]) and np.isnan(row["std_error"])
    assert row["note"] == "no standard error: the treated firms lie in a single cluster"
    assert np.isnan(wild["p_value"]) and wild["note"].startswith("no bootstrap: without a standard")


@pytest.mark.parametrize("missing", ["drop_set", "renormalise"])
def test_a_constant_outcome_is_a_row_with_a_reason_and_nothing_to_draw(missing):
    panel, matches, weights = random_study(1)
    estimate = estimation(missing, wild_bootstrap={"draws": 99, "seed": 1})
    rows = run(panel.assign(sales=3.0), matches, weights, estimate=estimate).estimates
    assert set(rows["named"]) == {"att", "event_average"} and set(rows["inference"]) == {"analytic"}
    assert rows[["estimate", "std_error", "p_value"]].isna().all(axis=None)
    assert (rows["note"] == "the outcome does not vary within the absorbed effects").all()


def test_event_times_outside_the_panel_have_a_reason():
    rows = by_term(short(window=(-3, 2)))
    assert np.isnan(rows.loc["event[2]", "estimate"])
    assert "inside the years of the panel" in rows.loc["event[2]", "note"]


def test_event_times_without_comparison_have_a_reason():
    text = SHORT.replace("20   21   22", "20   21   .")
    panel = panel_from(text, {"T1": 2002, "T2": 2003})
    matches = matches_from(SHORT_SETS)
    rows = by_term(run(panel, matches, weights_from(matches, panel), (-2, 1)))
    assert "no entry year has both treated and comparison" in rows.loc["event[1]", "note"]


def test_unobserved_outcome_is_a_row_with_its_reason():
    results = short(named=outcomes(sales=LEVEL, exports=UNOBSERVED))
    rows = results.estimates[results.estimates["outcome"] == "exports"]
    assert set(rows["named"]) == {"att", "event_average"}
    assert rows["estimate"].isna().all()
    assert (rows["note"] == "not observed: no customs data").all()


def test_an_outcome_of_any_that_is_never_zero_says_so():
    results = short(named=outcomes(sales=LEVEL, any=LEVEL | {"transform": "any"}))
    rows = results.estimates[results.estimates["outcome"] == "any"]
    assert set(rows["named"]) == {"att", "event_average"}
    assert (rows["note"] == "never zero: blanks are missing, not zero").all()


def test_nothing_left_after_the_missing_rule_is_a_row_with_a_reason():
    text = SHORT.replace("20   21   22", ".   21   22").replace("30   31   32", "30   .    32")
    panel = panel_from(text, {"T1": 2002, "T2": 2003})
    matches = matches_from(SHORT_SETS)
    results = run(panel, matches, weights_from(matches, panel), (-2, 1))
    assert results.estimates["note"].str.startswith("no treated and comparison").all()
    assert figure(results, SAMPLES, "n_treated_missing") == 2
    assert results.paths.empty and results.tests.empty


def test_figures_of_the_sample():
    results = short()
    assert figure(results, BASELINES, "mean", treated=False) == pytest.approx((20 + 31) / 2)
    assert figure(results, BASELINES, "mean", treated=True) == pytest.approx((10 + 11) / 2)
    years = [figure(results, SAMPLES, n) for n in ("n_stacks", "first_year", "last_year")]
    assert years == [2, 2001, 2003]
    assert figure(results, SAMPLES, "n_firms_reused") == 0
    assert figure(results, SAMPLES, "n_treated_clusters") == 2
    row = by_term(results).loc["att"]
    known = {"treated_clusters": None, "event_time": None}
    smallest = figure(results, DETECTABLE, "effect", **known)
    assert smallest == pytest.approx((3.182446 + 0.978472) * row["std_error"])


def test_baseline_mean_of_a_share_is_the_share():
    panel = panel_from(SHORT.replace("20   21", "0    21"), {"T1": 2002, "T2": 2003})
    matches = matches_from(SHORT_SETS)
    named = outcomes(sales_any=LEVEL | {"transform": "any", "unit": "share"})
    results = run(panel, matches, weights_from(matches, panel), (-2, 1), named=named)
    assert figure(results, BASELINES, "mean", treated=False) == pytest.approx(1 / 2)


def test_baseline_mean_of_a_log_outcome_is_in_levels():
    results = short(named=outcomes(sales_log=LEVEL | {"transform": "log"}))
    assert figure(results, BASELINES, "mean", treated=False) == pytest.approx((20 + 31) / 2)
    assert set(rows_with(results, BASELINES)["unit"]) == {"US$"}
    assert set(results.estimates["scale"]) == {"log_points"}


def test_paths_are_weighted_means_on_the_same_rows():
    paths = short().paths.set_index(["treated", "event_time"])
    assert paths.loc[(True, 0), "mean"] == pytest.approx((15 + 20) / 2)
    assert paths.loc[(False, -1), "mean"] == pytest.approx((20 + 31) / 2)
    assert paths.loc[(True, 1), "mean"] == 18 and paths.loc[(True, 1), "n_firms"] == 1


def test_estimand_says_whether_every_treated_firm_is_used():
    panel, matches, weights = random_study(2)
    every = pd.concat([weights, weights.assign(design="unmatched")])
    assert set(run(panel, matches, every).estimates["estimand"]) == {"att"}
    lost = every[~((every["design"] == "matched") & (every["firm_id"] == "F000"))]
    kept = matches[matches["set_id"] != "2004-0"]
    assert set(run(panel, kept, lost).estimates["estimand"]) == {"att_matched"}


def test_two_way_row_is_labelled():
    results = run(*random_study(3), estimate=two_specs(estimator="twoway", cluster="assignment"))
    row = by_term(results, "second").loc["att"]
    assert row["note"].startswith("for comparability")
    assert row["n_clusters"] == 9 and row["std_error"] > 0
    assert row["n_obs"] <= by_term(results).loc["att", "n_obs"]


def test_category_shocks_are_absorbed_by_year_effects_by():
    panel, matches, weights = random_study(4)
    shock = np.where(panel["sector"] == "s1", 5.0 * (panel["year"] - 2000), 0.0).astype(float)
    spec = two_specs(year_effects_by="sector")
    before = by_term(run(panel, matches, weights, estimate=spec), "second")
    shaken = panel.assign(sales=panel["sales"] + shock)
    after = by_term(run(shaken, matches, weights, estimate=spec), "second")
    assert after.loc["att", "estimate"] == pytest.approx(before.loc["att", "estimate"], abs=1e-9)


def test_row_order_is_irrelevant_and_inputs_are_not_mutated():
    tables = random_study(5)
    copies = [table.copy(deep=True) for table in tables]
    spec = two_specs(estimator="twoway")
    first = run(*tables, estimate=spec)
    for table, copy in zip(tables, copies, strict=True):
        pd.testing.assert_frame_equal(table, copy)
    shuffled = run(*[table.sample(frac=1, random_state=1) for table in tables], estimate=spec)
    pd.testing.assert_frame_equal(first.estimates, shuffled.estimates, rtol=1e-8, atol=1e-10)
    for name, table in first.details.items():
        pd.testing.assert_frame_equal(table, shuffled.details[name], rtol=1e-8)


def test_a_constant_effect_without_noise_is_found_by_every_estimator():
    panel, matches, weights = random_study(6)
    late = panel["year"] >= panel["cohort"].fillna(9999)
    untreated = panel.assign(sales=panel["sales"].where(panel["sales"].isna(), panel["year"] * 0.1))
    panel = untreated.assign(sales=untreated["sales"] + 2.0 * late.to_numpy(dtype=float))
    spec = two_specs(estimator="twoway")
    found = recovered(panel, untreated, matches, weights, spec).set_index(["estimator", "named"])
    for key in (("main", "att"), ("main", "event_average"), ("second", "att")):
        assert found.loc[key, "estimate"] == pytest.approx(2.0, abs=1e-9)
        assert found.loc[key, "truth"] == pytest.approx(2.0, abs=1e-9)
    assert found.loc[("main", "event[-2]"), "truth"] == pytest.approx(0.0, abs=1e-12)


def test_truth_has_the_estimators_own_weights():
    """With heterogeneous effects and no noise the estimate equals the truth exactly."""
    panel, matches, weights = random_study(7)
    cohort = panel["cohort"].to_numpy(dtype=float, na_value=np.nan)
    year = panel["year"].to_numpy(dtype=float)
    own = pd.factorize(panel["firm_id"])[0]
    effect = np.where(year >= cohort, (year - cohort + 1) * (1 + own % 3), 0.0)
    untreated = panel.assign(sales=panel["sales"].where(panel["sales"].isna(), own + year))
    observed = untreated.assign(sales=untreated["sales"] + effect)
    found = recovered(observed, untreated, matches, weights, estimation()).set_index("named")
    assert {"att", "event_average", "event[2]"} < set(found.index)
    assert found["estimate"].to_numpy() == pytest.approx(found["truth"].to_numpy(), abs=1e-9)
    assert found.loc["att", "truth"] > 1


def test_unknown_names_are_refused():
    with pytest.raises(ParamsError, match="design absent, which match did not produce"):
        short(estimate=two_specs(designs=["absent"]))
    with pytest.raises(ParamsError, match=r"specs\.second names the outcome absent"):
        short(estimate=two_specs(outcomes=["absent"]))
    with pytest.raises(ParamsError, match=r"outcomes\.x\.column is gone"):
        short(named=outcomes(x=LEVEL | {"column": "gone"}))


def test_an_outcome_never_observed_before_entry_is_refused():
    panel = panel_from(SHORT, {"T1": 2002, "T2": 2003})
    panel["sales"] = panel["sales"].where(panel["year"] == 2003)
    matches = matches_from(SHORT_SETS)
    with pytest.raises(IdentificationError) as stopped:
        run(panel, matches, weights_from(matches, panel), (-2, 1))
    message = str(stopped.value)
    assert "outcomes.sales is never observed in the years before entry (2001-2002)" in message
    assert "set outcomes.sales.post_only to true" in message
    assert not any(firm in message for firm in ("T1", "T2", "C1", "C2"))


def test_a_missing_category_in_the_base_year_is_refused_without_naming_firms():
    panel, matches, weights = random_study(4)
    panel["sector"] = panel["sector"].where(panel["firm_id"] != "F000")
    with pytest.raises(DataError, match="1 firms have no `sector`") as stopped:
        run(panel, matches, weights, estimate=two_specs(year_effects_by="sector"))
    assert "F000" not in str(stopped.value)


def test_weights_of_a_firm_outside_the_panel_are_refused_without_naming_it():
    panel, matches, weights = random_study(4)
    with pytest.raises(DataError, match="have no firm in PANEL") as stopped:
        run(panel[panel["firm_id"] != "F000"], matches, weights)
    assert "F000" not in str(stopped.value)


@pytest.mark.parametrize("estimator", ["stacked", "twoway"])
def test_an_effect_that_the_effects_absorb_is_a_row_with_a_reason(estimator):
    """Every firm its own category (stacked), or treated from the first year on (two-way)."""
    panel, matches, weights = random_study(4)
    panel["sector"] = panel["firm_id"]
    if estimator == "twoway":
        panel["cohort"] = panel["cohort"].where(panel["cohort"].isna(), 1990)
    spec = {"stacked": {"year_effects_by": "sector"}, "twoway": {}}[estimator]
    results = run(panel, matches, weights, estimate=two_specs(estimator=estimator, **spec))
    row = by_term(results, "second").loc["att"]
    assert np.isnan(row["estimate"])
    assert row["note"] in (
        "collinear with the absorbed effects",
        "every firm-year is alone in one of its effects",
    )
    assert np.isfinite(by_term(results).loc["att", "estimate"])


def test_event_times_that_categories_absorb_have_a_reason():
    """Only treated firms of one sector at the last event time: nothing to compare them with."""
    panel, matches, weights = random_study(4, missing_share=0.0)
    treated = panel["firm_id"].isin(weights.loc[weights["treated"], "firm_id"])
    panel["sector"] = np.where(treated & (panel["firm_id"] > "F000"), "s1", "s0")
    spec = two_specs(year_effects_by="sector", terms=["att", "event"])
    rows = by_term(run(panel, matches, weights, estimate=spec), "second")
    assert np.isfinite(rows.loc["att", "estimate"])
    again = run(panel, matches, weights, estimate=spec)
    lost = figure(again, FITS, "n_treated_without_comparison", estimator="second")
    assert lost == rows.loc["att", "n_treated"] - 1
    lonely = panel.assign(sector=np.where(treated, "s1", "s0"))
    rows = by_term(run(lonely, matches, weights, estimate=spec), "second")
    assert (rows["note"] == "collinear with the absorbed effects").all()


def test_q_values_within_a_family_of_outcomes():
    panel, matches, weights = random_study(8)
    panel = panel.assign(jobs=panel["sales"] ** 2, other=panel["sales"] ** 3)
    named = outcomes(
        sales=LEVEL,
        jobs=LEVEL | {"column": "jobs"},
        other=LEVEL | {"column": "other", "family": "alone"},
    )
    results = run(panel, matches, weights, named=named)
    p_values = by_term(results).loc["att"].set_index("outcome")["p_value"]
    found = results.tests[results.tests["test"] == "q_value"].set_index("outcome")["p_value"]
    assert set(found.index) == {"sales", "jobs"}
    first, second = sorted(p_values[["sales", "jobs"]])
    assert sorted(found) == pytest.approx([min(2 * first, second), second])
