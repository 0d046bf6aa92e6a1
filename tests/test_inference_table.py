"""The average effect under several methods of inference, side by side."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from results import study_results

from pipeline.datasets.reasons import packed_remarks
from pipeline.errors import Reason
from pipeline.exhibits.tables.inference import inference_tables

DRAWN = Reason("wild_bootstrap", {"weights": "rademacher", "draws": 999})


@pytest.fixture(scope="module")
def results():
    plain = study_results()
    table = plain.estimates
    chosen = table[
        (table["design"] == "covariates_lags")
        & (table["term"] == "att")
        & (table["estimator"] == "stacked")
        & table["estimate"].notna()
    ]
    reduced = chosen.assign(inference="bias_reduced", std_error=chosen["std_error"] * 1.1, df=41.26)
    wild = chosen.assign(
        inference="wild_bootstrap",
        df=np.nan,
        p_value=0.0004,
        remarks=packed_remarks([DRAWN]),
    )
    more = pd.concat([table, reduced, wild], ignore_index=True)
    return dataclasses.replace(plain, estimates=more)


def test_each_method_has_a_panel_in_order(results):
    panels = inference_tables(results)[0].panels
    assert [panel.title.split(",")[0] for panel in panels] == [
        "Clustered",
        "CR2",
        "Restricted wild cluster bootstrap",
    ]


def test_figures_are_those_of_the_estimates(results):
    analytic, reduced, wild = inference_tables(results)[0].panels
    rows = {row.label: row.cells[0] for row in reduced.rows}
    plain = {row.label: row.cells[0] for row in analytic.rows}
    assert rows["Std. error"].value == pytest.approx(1.1 * plain["Std. error"].value)
    assert rows["Degrees of freedom"].plain() == "41.3"
    assert [row.label for row in wild.rows] == ["95% CI", "p-value"]
    assert wild.rows[1].cells[0].plain() == "<0.01"


def test_an_outcome_that_is_not_observed_has_no_column(results):
    table = inference_tables(results)[0]
    assert "Export value" not in [column.heading for column in table.columns]
    assert "Export value: not observed" in " ".join(table.notes)


def test_the_note_tells_the_draws(results):
    notes = " ".join(inference_tables(results)[0].notes)
    assert "Restricted wild cluster bootstrap, Rademacher, 999 draws." in notes


def test_with_one_method_there_is_no_table():
    assert inference_tables(study_results()) == []


def test_p_values_over_a_family_stand_below(results):
    row = {"outcome": "sales_log", "design": "covariates_lags", "sample": "all"}
    row |= {"estimator": "stacked", "test": "romano_wolf", "p_value": 0.031}
    tests = pd.concat([results.tests, pd.DataFrame([row])], ignore_index=True)
    panel = inference_tables(dataclasses.replace(results, tests=tests))[0].panels[-1]
    assert panel.title == "Over the outcomes of a family"
    assert [(r.label, r.cells[0].plain()) for r in panel.rows] == [
        ("p-value (Romano-Wolf)", "0.03")
    ]
