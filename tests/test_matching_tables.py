"""The tables on matching: balance of every design, and what effects owe to its choices."""

import pytest
from results import study_results, with_details, with_figures

from pipeline.datasets.balance import BALANCE_SUMMARY, DIFFERENCES, INDEX_CONSTANT
from pipeline.datasets.fits import FITS
from pipeline.exhibits.tables.balance import balance_table
from pipeline.exhibits.tables.balance_summary import balance_summary
from pipeline.exhibits.tables.matching_choices import matching_choices
from pipeline.exhibits.tables.table import DASH, HIDDEN, Interval
from pipeline.exhibits.units import percent


@pytest.fixture(scope="module")
def results():
    figures = {
        ("covariates", "before"): {"rubin_b": 52.14},
        ("covariates", "after"): {"rubin_b": 2.15, "rubin_r": 0.903},
        ("covariates_lags", "after"): {"rubin_b": 0.0, "reason": INDEX_CONSTANT},
    }
    made = study_results()
    for (design, sample), own in figures.items():
        made = with_figures(made, BALANCE_SUMMARY, {"design": design, "sample": sample}, **own)
    place = {"design": "covariates", "outcome": "sales_log", "estimator": "stacked"}
    orders = {"att_order_low": 0.096, "att_order_high": 0.0991, "att_rows_reversed": 0.0978}
    return with_details(made, FITS, [place | orders])


def test_each_design_has_its_differences_and_rubins_figures(results):
    before, after = balance_summary(results)[0].panels
    assert [row.label for row in before.rows] == [
        "matched on covariates",
        "matched on covariates and lags",
    ]
    balance = results.balance
    chosen = balance[(balance["design"] == "covariates") & (balance["sample"] == "after")]
    cells = after.rows[0].cells
    assert cells[0].value == pytest.approx(chosen["std_diff"].abs().mean())
    assert cells[1].value == pytest.approx(chosen["std_diff"].abs().max())
    assert cells[2].plain() == f"{(chosen['std_diff'].abs() > 0.1).sum()} of {len(chosen)}"
    assert cells[3].value == pytest.approx(chosen["percent_bias"].abs().mean())
    assert [cells[i].plain() for i in (4, 5, 6)] == ["2.1", "0.90", "950"]
    assert before.rows[0].cells[4].plain() == "52.1"
    assert before.rows[0].cells[6] is None
    assert [cell.plain() for cell in after.rows[1].cells[4:6]] == ["0.0", DASH.plain()]


def test_a_missing_ratio_of_variances_says_why(results):
    notes = balance_summary(results)[0].notes
    assert "meet every moment, so that the score is constant: matched on covariates and lags" in (
        " ".join(notes)
    )
    assert "every moment" not in " ".join(balance_summary(study_results())[0].notes)


def test_the_verdict_on_the_threshold_names_designs(results):
    notes = " ".join(balance_summary(results)[0].notes)
    largest = {
        design: results.balance[
            (results.balance["design"] == design) & (results.balance["sample"] == "after")
        ]["std_diff"]
        .abs()
        .max()
        for design in ("covariates", "covariates_lags")
    }
    expected = "met by: " if largest["covariates"] <= 0.1 else "not met by: "
    assert f"{expected}matched on covariates" in notes


def test_differences_that_are_hidden_have_no_verdict(results):
    gone = dict.fromkeys(DIFFERENCES)
    place = {"design": "covariates_lags", "sample": "after"}
    hidden = with_figures(results, BALANCE_SUMMARY, place, **gone)
    cells = balance_summary(hidden)[0].panels[1].rows[1].cells
    assert cells[:4] == (HIDDEN,) * 4
    verdicts = [note for note in balance_summary(hidden)[0].notes if "met by: " in note]
    assert verdicts and "lags" not in " ".join(verdicts)
    foot = {row.label: row.cells for row in balance_table(hidden).foot}
    assert foot["Mean absolute std. diff."][4] == HIDDEN
    assert not any("threshold of 0.1 is" in note for note in balance_table(hidden).notes)


def test_effects_stand_by_pool_and_ranges_below(results):
    table = matching_choices(results)[0]
    assert table.panels[0].title == "Pool: never-treated firms outside clusters with participants"
    chosen = results.estimates[
        (results.estimates["outcome"] == "sales_log")
        & (results.estimates["design"] == "covariates")
        & (results.estimates["term"] == "att")
        & (results.estimates["estimator"] == "stacked")
    ].iloc[0]
    rows = {row.label: row for row in table.panels[0].rows if row.label}
    assert rows["matched on covariates"].cells[0].value == percent(chosen["estimate"])
    ranges = table.panels[-1].rows
    assert ranges[0].cells[0] == Interval(percent(0.096), percent(0.0991), 1)
    assert ranges[1].cells[0].value == percent(0.0978)
    assert ranges[0].cells[1] == DASH


def test_without_greedy_matching_there_is_no_range():
    titles = [panel.title for panel in matching_choices(study_results())[0].panels]
    assert titles == ["Pool: never-treated firms outside clusters with participants"]
