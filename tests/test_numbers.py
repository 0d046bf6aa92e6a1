import dataclasses
import json
import math

import latex
import pytest
from results import many_outcomes, study_results, with_figures

from pipeline.datasets.fits import DETECTABLE
from pipeline.exhibits.numbers import (
    headline_metrics,
    numbers_json,
    numbers_tex,
    study_numbers,
)
from pipeline.exhibits.units import percent

KEY = "madeup.sales_log.covariates_lags.stacked.att"


@pytest.fixture(scope="module")
def results():
    return study_results()


@pytest.fixture(scope="module")
def figures(results):
    return study_numbers(results)


def _row(results, outcome="sales_log"):
    table = results.estimates
    chosen = (table["outcome"] == outcome) & (table["term"] == "att")
    chosen &= (table["design"] == "covariates_lags") & (table["estimator"] == "stacked")
    return table[chosen].iloc[0]


def test_log_effect_in_percent():
    assert percent(0.082) == pytest.approx(100 * (math.exp(0.082) - 1))
    assert percent(math.log(0.5)) == pytest.approx(-50)


@pytest.mark.parametrize("name", ["estimate", "std_error", "conf_low", "conf_high", "p_value"])
def test_values_are_those_of_the_estimates(results, figures, name):
    assert figures[f"{KEY}.{name}"].value == _row(results)[name]


def test_percent_ends_are_exponentiated(results, figures):
    row = _row(results)
    assert figures[f"{KEY}.pct_low"].value == pytest.approx(100 * (math.exp(row.conf_low) - 1))
    assert figures[f"{KEY}.pct"].formatted == f"{100 * (math.exp(row.estimate) - 1):.1f}"


def test_shares_are_in_points_and_have_no_percent(results, figures):
    stem = KEY.replace("sales_log", "exports_any")
    assert figures[f"{stem}.pp"].value == pytest.approx(100 * _row(results, "exports_any").estimate)
    assert f"{stem}.pct" not in figures


def test_unobserved_outcome_has_no_number(figures):
    assert not any("exports_value" in key for key in figures)


def test_reference_period_has_no_number(figures):
    assert not any("event[-1]" in key for key in figures)
    assert any("event[-2]" in key for key in figures)


def test_json_holds_value_and_form(figures):
    content = json.loads(numbers_json(figures))
    assert content[f"{KEY}.n_control"] == {"value": 1071.0, "formatted": "1,071"}
    assert list(content) == sorted(content)


def test_metrics_have_the_same_keys_for_each_observed_outcome(results):
    metrics = json.loads(headline_metrics(results))
    assert list(metrics) == ["sales_log", "employment_log", "exports_any"]
    keys = {tuple(values) for values in metrics.values()}
    assert keys == {("estimate", "std_error", "t", "p_value", "n_treated")}
    row = _row(results)
    assert metrics["sales_log"]["t"] == pytest.approx(row.estimate / row.std_error, rel=1e-7)


def test_standard_error_of_zero_leaves_out_what_is_not_a_number(results):
    estimates = results.estimates.copy()
    exact = estimates["outcome"] == "sales_log"
    estimates.loc[exact, "std_error"] = 0.0
    estimates.loc[exact, ["statistic", "p_value"]] = math.nan
    metrics = json.loads(headline_metrics(dataclasses.replace(results, estimates=estimates)))
    assert list(metrics["sales_log"]) == ["estimate", "std_error", "n_treated"]
    assert "t" in metrics["exports_any"]


def test_minimum_detectable_effect_is_among_the_numbers(figures):
    assert figures[f"{KEY}.mde"].value == pytest.approx(2.8 * 0.031)


def test_many_outcomes_keep_their_own_decimals():
    figures = study_numbers(study_results(many_outcomes(3)))
    stem = "madeup.outcome_{}.covariates_lags.stacked.att.std_error"
    assert [figures[stem.format(i)].formatted for i in range(3)] == ["0.031", "0.0092", "4.2"]


@pytest.mark.slow
def test_known_key_prints_and_unknown_key_stops(figures, tmp_path):
    (tmp_path / "numbers.tex").write_bytes(numbers_tex(figures, "reports/madeup/numbers.tex"))
    start = r"\input{numbers.tex}"
    known, log = latex.compile_latex(rf"{start} \result{{{KEY}.conf_low}}", tmp_path)
    assert (known, latex.faults(log)) == (0, [])
    unknown, log = latex.compile_latex(rf"{start} \result{{{KEY}.typo}}", tmp_path)
    assert unknown != 0
    assert "reports/madeup/numbers.tex" in log.replace("\n", "")


def test_the_detectable_effect_is_quoted_in_the_unit_of_the_outcome(results):
    place = {"design": "covariates_lags", "outcome": "sales_log", "estimator": "stacked"}
    told = with_figures(results, DETECTABLE, place, effect_in_unit=61.624, unit="US$")
    figures = study_numbers(told)
    assert figures[f"{KEY}.mde_level"].formatted == "61.6"
