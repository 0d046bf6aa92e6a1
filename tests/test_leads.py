"""What is said of effects before entry holds for all of them that are shown, and for no other."""

import dataclasses

import numpy as np
import pytest
from results import remarked, said, study_results, with_figures
from shown_tables import effect_tables

from pipeline.datasets.reasons import packed_list
from pipeline.datasets.specs import SPECS
from pipeline.errors import Reason
from pipeline.exhibits.checks.cautions import study_cautions
from pipeline.exhibits.figures.event_study import event_study
from pipeline.exhibits.leads import headline_pre_trends
from pipeline.exhibits.report import report_page
from pipeline.exhibits.summary import summary
from pipeline.exhibits.tables.dynamic_effects import dynamic_effects

HEADLINE = {"estimator": "stacked", "design": "covariates_lags"}
LONE = Reason("event_times_untested", {"times": [-3], "reason": Reason("one_cluster")})


@pytest.fixture(scope="module")
def results():
    plain = study_results()
    return with_figures(plain, SPECS, HEADLINE, matched_event_times=packed_list([]))


@pytest.fixture(scope="module")
def varying(results):
    """Return the study with effects before entry against the year before, -1 among them."""
    base = (results.estimates["event_time"] == -1) & (results.estimates["band"] == "pointwise")
    estimates = results.estimates.copy()
    figures = {"estimate": 0.01, "std_error": 0.03, "conf_low": -0.05, "conf_high": 0.07}
    estimates.loc[base, list(figures)] = list(figures.values())
    estimates.loc[base, list(said())] = list(said().values())
    changed = with_figures(results, SPECS, HEADLINE, event_base="varying")
    return dataclasses.replace(changed, estimates=estimates)


def only(results, time, years):
    """Return the results with one effect on log sales that some entry years alone have."""
    table = results.estimates
    rows = (table["event_time"] == time) & (table["outcome"] == "sales_log")
    reason = Reason("entry_years_only", {"years": years})
    return dataclasses.replace(results, estimates=remarked(table, rows, reason))


def untested(results, reason):
    """Return the results without a joint test on log sales, for a reason."""
    tests = results.tests.copy()
    rows = tests["outcome"] == "sales_log"
    tests.loc[rows, "p_value"] = np.nan
    for name, value in said(reason).items():
        tests.loc[rows, name] = value
    return dataclasses.replace(results, tests=tests)


def notes(results):
    return " ".join(note for table in effect_tables(results).values() for note in table.notes)


def drawn(results):
    """Return what the first panel of the event study says, and its hollow points."""
    panel = event_study(results).axes[0]
    words = " ".join(" ".join(text.get_text().split()) for text in panel.texts)
    hollow = [line for line in panel.lines if line.get_markerfacecolor() == "white"]
    return words, sorted(x for line in hollow for x in line.get_xdata())


def labels(results):
    return [
        row.label
        for table in dynamic_effects(results)
        for panel in table.panels
        for row in panel.rows
        if row.label
    ]


def test_an_entry_year_with_one_lead_is_not_denied_it(results):
    partial = only(results, -3, [2010])
    assert headline_pre_trends(partial, "sales_log").entry_years == ()
    assert "for others no pre-trend can be seen" not in notes(partial)
    assert "2010" not in drawn(partial)[0] + summary(partial)


def test_entry_years_without_any_lead_are_denied_it(results):
    partial = only(only(results, -3, [2010]), -2, [2009, 2010])
    assert headline_pre_trends(partial, "sales_log").entry_years == (2009, 2010)
    assert "entry years 2009, 2010 only, for others no pre-trend can be seen" in notes(partial)
    assert "entry 2009, 2010 only" in drawn(partial)[0]
    assert "(entry years 2009, 2010 only)" in summary(partial)


def test_leads_without_a_joint_test_are_not_denied(results):
    without = untested(results, LONE)
    assert "no joint pre-trend test" in drawn(without)[0]
    assert "without a joint test, for Annual sales (event times −3: no standard error" in (
        summary(without)
    )
    assert "none can be seen for Log employment" in summary(without)
    found = {c.code for c in study_cautions(without) if c.outcome == "sales_log"}
    assert "gap_before" in found and "no_look_before" not in found


def test_where_nothing_can_be_seen_it_is_said(results):
    without = untested(results, Reason("no_pre_year"))
    assert "no pre-trend can be seen" in drawn(without)[0]
    assert "none can be seen for Annual sales, Log employment" in summary(without)


def test_a_varying_base_shows_the_effect_at_the_reference(results, varying):
    assert "\u22121" in labels(varying) and "\u22121" not in labels(results)
    said_of = " ".join(dynamic_effects(varying)[0].notes)
    assert "Before entry each effect is relative to the year before it" in said_of
    assert "Effects are relative to" not in said_of
    assert (drawn(results)[1], drawn(varying)[1]) == ([-1], [])
    assert -1 in headline_pre_trends(varying, "sales_log").leads


def test_a_varying_base_is_said_wherever_effects_before_entry_are(results, varying):
    page = report_page(varying, {}).decode()
    assert "hollow points" not in page
    assert "Before entry each gap is against the year before it." in page
    fixed = report_page(results, {}).decode()
    assert "hollow points are the reference year." in fixed
    assert "against the year before it" not in fixed
    assert "changes before entry, each from the year before" in summary(varying)
    assert "changes from the year before in Panel C" in notes(varying)
    assert "changes from the year before" not in notes(results)
