"""Proportional effects through a study: rows, reasons, concentration, truth."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from keyed import figure, rows_with
from stacked_tables import (
    estimation,
    matches_from,
    outcomes,
    panel_from,
    random_study,
    stacked_rows,
    treatment,
    weights_from,
)
from told import estimate_specs, with_names

from pipeline.analyses.recovery import recover
from pipeline.datasets.fits import FITS
from pipeline.datasets.samples import BASELINES, CONCENTRATION
from pipeline.effects.study import prepare_study
from pipeline.errors import DataError
from pipeline.params.estimate import EstimateSection, TwowaySpec

VALUE = {"column": "sales", "transform": "proportional", "unit": "US$", "label": "Exports"}

# One entry year, two matched pairs; C3 never exports.
TEXT = """
firm_id cluster 2001 2002
T1      a       10   40
T2      b       30   20
C1      c       20   10
C2      d       0    30
T3      e       0    0
C3      f       0    0
"""
SETS = """
stack set_id firm_id treated
2002  A      T1      1
2002  A      C1      0
2002  B      T2      1
2002  B      C2      0
2002  C      T3      1
2002  C      C3      0
"""


def run(panel, matches, weights, window, estimate=None):
    return estimate_specs(study(panel, matches, weights, window, estimate))


def study(panel, matches, weights, window, estimate=None):
    return prepare_study(
        panel,
        matches,
        weights,
        outcomes=outcomes(value=VALUE),
        treatment=treatment(*window),
        matched_times={"matched": {"sales": frozenset({-2})}},
        estimate=estimate or estimation(),
    )


def pairs(text=TEXT, average="pooled"):
    panel = panel_from(text, {"T1": 2002, "T2": 2002, "T3": 2002})
    matches = matches_from(SETS)
    estimate = estimation(average=average)
    return run(panel, matches, weights_from(matches, panel), (-1, 0), estimate)


@pytest.mark.parametrize("average", ["pooled", "event"])
def test_two_years_give_the_ratio_of_ratios(average):
    results = pairs(average=average)
    rows = results.estimates[results.estimates["sample"] == "all"].set_index("named")
    assert rows.loc["att", "estimate"] == pytest.approx(np.log((60 / 40) / (40 / 20)))
    assert rows.loc["event[0]", "estimate"] == pytest.approx(rows.loc["att", "estimate"])
    assert rows.loc["att", "scale"] == "log_points"
    assert rows.loc["att", ["n_treated", "n_control", "n_obs"]].tolist() == [2, 2, 8]
    assert figure(results, FITS, "n_all_zero") == 4
    assert figure(results, BASELINES, "mean", treated=False) == pytest.approx(20 / 3)


def test_shares_of_the_largest_and_the_estimate_without_them():
    results = pairs(TEXT.replace("10   40", "10   80"))
    largest = {
        treated: figure(results, CONCENTRATION, "largest_firm_share", treated=treated)
        for treated in (True, False)
    }
    assert largest == pytest.approx({True: 90 / 140, False: 0.5})
    five = figure(results, CONCENTRATION, "largest_five_share", treated=True)
    assert np.isnan(five), "of two firms"
    rows = results.estimates.set_index(["sample", "named"])
    without = rows.loc[("without_largest_firm", "att")]
    # T2 was larger before entry, whatever T1 became afterwards
    assert without["estimate"] == pytest.approx(np.log((80 / 10) / (40 / 20)))
    assert without["n_treated"] == 1
    assert np.isnan(rows.loc[("without_largest_five", "att"), "estimate"])
    assert rows.loc[("without_largest_five", "att"), "note"]


def test_the_largest_firm_may_be_a_comparison_firm():
    """C1 is the largest before entry, and smaller than both treated firms after it."""
    results = pairs(TEXT.replace("20   10", "50   10").replace("0    30", "5    30"))
    rows = results.estimates.set_index(["sample", "named"])
    without = rows.loc[("without_largest_firm", "att")]
    assert without["estimate"] == pytest.approx(np.log((60 / 40) / (30 / 5)))
    assert without[["n_treated", "n_control"]].tolist() == [2, 1]


def test_two_specs_of_one_sample_share_what_is_told_of_it():
    panel = panel_from(TEXT, {"T1": 2002, "T2": 2002, "T3": 2002})
    matches = matches_from(SETS)
    section = estimation().model_dump(exclude_unset=True)
    again = section["specs"][0] | {"name": "by_firm", "cluster": "firm"}
    both = EstimateSection.model_validate(section | {"specs": [*section["specs"], again]})
    results = run(panel, matches, weights_from(matches, panel), (-1, 0), both)
    att = results.estimates.query("term == 'att' and sample == 'all'")
    assert set(att["estimator"]) == {"main", "by_firm"}
    assert len(rows_with(results, CONCENTRATION, treated=True)) == 1
    assert len(rows_with(results, FITS)) == 2


@pytest.mark.parametrize("average", ["pooled", "event"])
def test_no_exports_after_entry_is_separation(average):
    results = pairs(TEXT.replace("10   40", "10   0").replace("30   20", "30   0"), average)
    rows = results.estimates.set_index(["sample", "named"])
    for term in ("att", "event[0]", "event_average"):
        assert np.isnan(rows.loc[("all", term), "estimate"])
        note = rows.loc[("all", term), "note"]
        assert note.startswith("no finite effect: separation, with 2 firm-years")


# Entry years 2002 and 2003 with one year before and two after; the second ratio doubles.
TWO_ENTRIES = """
firm_id cluster 2001 2002 2003 2004
T1      a       10   40   20   10
C1      c       20   20   10   10
T2      b       5    10   40   80
C2      d       10   20   10   10
"""
TWO_SETS = """
stack set_id firm_id treated
2002  A      T1      1
2002  A      C1      0
2003  B      T2      1
2003  B      C2      0
"""


def two_entries(text=TWO_ENTRIES):
    panel = panel_from(text, {"T1": 2002, "T2": 2003})
    matches = matches_from(TWO_SETS)
    results = run(
        panel, matches, weights_from(matches, panel), (-1, 1), estimation(average="event")
    )
    return results.estimates[results.estimates["sample"] == "all"].set_index("named")


def test_an_event_time_is_the_mean_of_each_entry_years_log_ratio():
    rows = two_entries()
    first, second = np.log([4.0, 4.0]), np.log([8.0, 16.0])
    assert rows.loc["event[0]", "estimate"] == pytest.approx((first[0] + second[0]) / 2)
    assert rows.loc["event[1]", "estimate"] == pytest.approx((first[1] + second[1]) / 2)
    assert rows.loc["att", "estimate"] == pytest.approx((first + second).mean() / 2)
    assert rows.loc["att", "note"].startswith("proportional effect on the level, by Poisson; ")


def test_one_entry_year_without_a_finite_effect_leaves_its_event_time_and_the_average_without():
    rows = two_entries(TWO_ENTRIES.replace("40   20   10", "40   0    10"))
    assert rows.loc["event[0]", "estimate"] == pytest.approx(np.log(4 * 8) / 2)
    for term in ("event[1]", "att", "event_average"):
        assert np.isnan(rows.loc[term, "estimate"])
        assert rows.loc[term, "note"].startswith("no finite effect: separation, with 1 firm-years")


def test_lags_used_in_matching_leave_the_pre_trend_test():
    panel, matches, weights = random_study(0)
    panel = panel.assign(sales=np.exp(panel["sales"]))
    test = run(panel, matches, weights, (-3, 2)).tests.iloc[0]
    assert test["note"] == "event times −3; matched on and left out: −2"


def test_no_exports_at_all_is_a_row_with_a_reason():
    text = TEXT
    for found in ("10   40", "30   20", "20   10", "0    30"):
        text = text.replace(found, "0    0")
    rows = pairs(text).estimates
    assert rows["estimate"].isna().all()
    assert set(rows["named"]) == {"att", "event_average"}
    assert rows["note"].str.contains("positive outcome").all()


def test_negative_values_are_refused():
    with pytest.raises(DataError, match="1 values are negative"):
        pairs(TEXT.replace("10   40", "10   -40"))


def test_other_estimators_have_a_row_with_the_reason():
    section = estimation().model_dump(exclude_none=True)
    flat = section["specs"][0] | {"estimator": "twoway", "terms": ["att"]}
    flat = {key: flat[key] for key in TwowaySpec.model_fields if key in flat}
    estimate = EstimateSection.model_validate(section | {"specs": [flat]})
    panel, matches, weights = random_study(0)
    panel = panel.assign(sales=np.exp(panel["sales"]))
    rows = run(panel, matches, weights, (-3, 2), estimate).estimates
    assert rows["note"].tolist() == [
        "effects in proportion to the level are estimated by the stacked estimator only"
    ]


@pytest.mark.parametrize("average", ["pooled", "event"])
def test_a_constant_proportional_effect_is_found_and_is_the_truth(average):
    panel, matches, weights = random_study(1)
    own = 1.0 + pd.factorize(panel["firm_id"])[0] % 5
    level = own * np.exp(0.1 * (panel["year"].to_numpy(float) - 2001))
    untreated = panel.assign(sales=panel["sales"].where(panel["sales"].isna(), level))
    cohort = panel["cohort"].to_numpy(dtype=float, na_value=np.inf)
    factor = np.where(panel["year"].to_numpy(float) >= cohort, 1.5, 1.0)
    observed = untreated.assign(sales=untreated["sales"] * factor)
    estimate = estimation(average=average)
    prepared = study(observed, matches, weights, (-3, 2), estimate)
    truth = untreated[["firm_id", "year", "sales"]].rename(columns={"sales": "sales_untreated"})
    found = recover(prepared, truth, estimate_specs(prepared).estimates)
    found = with_names(found).set_index("named")
    for term in ("att", "event[0]", "event[2]", "event_average"):
        assert found.loc[term, "estimate"] == pytest.approx(np.log(1.5), abs=1e-9)
        assert found.loc[term, "truth"] == pytest.approx(np.log(1.5), abs=1e-9)
    assert found.loc["event[-2]", "truth"] == pytest.approx(0, abs=1e-12)


def test_adjustment_for_covariates_is_the_regression_with_their_slopes_by_stack_and_year():
    """Against a Poisson regression with one column for every effect and slope."""
    panel, matches, weights = random_study(4, missing_share=0.0)
    panel = panel.assign(sales=np.exp(panel["sales"]))
    firms = weights[["stack", "firm_id"]].drop_duplicates()
    size = np.random.default_rng(3).normal(size=len(firms))
    covariates = firms.assign(size=size)
    prepared = prepare_study(
        panel,
        matches,
        weights,
        outcomes=outcomes(value=VALUE),
        treatment=treatment(-3, 2),
        matched_times={},
        estimate=estimation(missing="renormalise", covariates=["size"]),
        covariates=covariates,
    )
    found = estimate_specs(prepared).estimates.query("sample == 'all'").set_index("named")
    dense = stacked_rows(panel, weights, covariates)
    rows, unit, year = dense.rows, dense.unit, dense.year
    values = rows["size"].to_numpy()
    slopes = [dense.at[c] * (values - values.mean()) / values.std() for c in dense.cells]
    columns = [*dense.treated_at, *slopes]
    redundant = [year[(rows["stack"] == g).to_numpy()][0] for g in (2004, 2005)]
    in_year = np.delete(np.eye(year.max() + 1), redundant, axis=1)[year]
    design = np.column_stack([*columns, np.eye(unit.max() + 1)[unit], in_year])
    fitted = sm.GLM(
        rows["sales"].to_numpy(),
        design,
        family=sm.families.Poisson(),
        freq_weights=rows["weight"].to_numpy(),
    ).fit(tol=1e-11, tol_criterion="params", maxiter=500)
    effect = dict(zip(dense.cells, fitted.params, strict=False))
    for e in (-3, 0, 2):
        expected = (effect[2004, e] + effect[2005, e]) / 2
        assert found.loc[f"event[{e}]", "estimate"] == pytest.approx(expected, abs=1e-7)
    plain = run(panel, matches, weights, (-3, 2), estimation(missing="renormalise")).estimates
    unadjusted = plain.query("sample == 'all'").set_index("named").loc["event[2]", "estimate"]
    assert abs(found.loc["event[2]", "estimate"] - unadjusted) > 1e-3


def test_a_placebo_entry_is_a_ratio_before_true_entry():
    """Entry in 2003, dated 2002: log of (20 + 30) / (10 + 30) over (15 + 25) / (20 + 20)."""
    text = """
firm_id cluster 2001 2002 2003
T1      a       10   20   900
T2      b       30   30   10
C1      c       20   15   1
C2      d       20   25   70
"""
    panel = panel_from(text, {"T1": 2003, "T2": 2003})
    matches = matches_from(
        "stack set_id firm_id treated\n2003 A T1 1\n2003 A C1 0\n2003 B T2 1\n2003 B C2 0"
    )
    weights = weights_from(matches, panel)
    asked = estimation(average="event", placebo_entry_years=1)
    rows = run(panel, matches, weights, (-2, 0), asked).estimates
    placebo = rows[rows["sample"] == "placebo_entry"].set_index("named").loc["att"]
    assert placebo["estimate"] == pytest.approx(np.log((50 / 40) / (40 / 40)))
    assert placebo["note"] == "placebo entry 1 years early, years before entry only"
