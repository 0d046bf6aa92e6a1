"""The appendix table of group-time effects: every cell is a row of ESTIMATES."""

import dataclasses

import pandas as pd
import pytest
from results import _table, settings, study_results, with_settings

from pipeline.datasets.reasons import packed
from pipeline.datasets.results import ESTIMATES
from pipeline.effects.terms import Term
from pipeline.errors import Reason
from pipeline.exhibits.tables.group_time import group_time_tables
from pipeline.exhibits.tables.table import DASH
from pipeline.exhibits.units import percent, shown_error
from pipeline.exhibits.words.language import tell

SPEC = {
    "name": "group_time",
    "estimator": "group_time",
    "designs": ["unmatched"],
    "outcomes": "all",
    "terms": ["att_gt"],
    "average": "event",
    "method": "difference",
    "base": "universal",
    "covariates": [],
    "bands": None,
    "cluster": "assignment",
}

NOBODY = Reason("nobody_in_both_years_of_cell", {"group": "treated"})


def row(cohort, year, estimate, std_error, reason=None):
    return {
        "outcome": "sales_log",
        "design": "unmatched",
        **dict.fromkeys(("arm", "sample", "grouping", "subgroup"), "all"),
        "estimator": "group_time",
        "inference": "analytic",
        "band": "pointwise",
        **Term("att_gt", cohort, year, year - cohort).columns,
        "estimand": "att",
        "estimate": estimate,
        "std_error": std_error,
        "scale": "log_points",
        **packed(reason),
    }


@pytest.fixture(scope="module")
def results():
    plain = study_results()
    estimate = plain.settings.estimate.model_dump()
    estimate["specs"].append(SPEC)
    chosen = dataclasses.replace(
        settings(), estimate=type(plain.settings.estimate).model_validate(estimate)
    )
    rows = [
        row(2009, 2008, 0.0, float("nan"), Reason("reference_period")),
        row(2009, 2009, 0.1234, 0.0456),
        row(2010, 2010, -0.02, 0.03),
        row(2010, 2011, float("nan"), float("nan"), NOBODY),
    ]
    more = pd.concat([plain.estimates, _table(ESTIMATES, rows)], ignore_index=True)
    return with_settings(dataclasses.replace(plain, estimates=more), chosen)


def test_each_entry_year_has_a_panel_and_each_cell_its_estimate(results):
    table = group_time_tables(results)[0]
    assert [panel.title for panel in table.panels] == ["Entry in 2009", "Entry in 2010"]
    shown = {r.label: r.cells[0] for panel in table.panels for r in panel.rows if r.label}
    assert shown["2009"].value == percent(0.1234)
    assert shown["2010"].value == percent(-0.02)
    assert shown["2011"] == DASH
    errors = [panel.rows[i].cells[0] for panel in table.panels for i in (1, 3)]
    told = [shown_error(0.0456, 0.1234, "log_points"), shown_error(0.03, -0.02, "log_points")]
    assert [None if cell is None else cell.value for cell in errors] == [None, *told, None]


def test_a_dash_has_its_reason(results):
    assert tell(NOBODY) in " ".join(group_time_tables(results)[0].notes)


def test_a_study_without_such_effects_has_no_table():
    assert group_time_tables(study_results()) == []
