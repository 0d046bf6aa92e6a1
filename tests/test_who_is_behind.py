"""Beside effects stands who of the treated is behind them, where others were lost, whose ended."""

from dataclasses import replace

import pandas as pd
import pytest
from results import study_results, with_figures

from pipeline.datasets.matches import MATCHED
from pipeline.datasets.panel import ISSUES
from pipeline.datasets.reasons import packed_list
from pipeline.datasets.specs import SPECS
from pipeline.datasets.store import conform
from pipeline.exhibits.beneficiaries import beneficiaries
from pipeline.exhibits.headlines import headlines
from pipeline.exhibits.report import report_page
from pipeline.exhibits.summary import summary
from pipeline.exhibits.tables.main_effects import main_effects
from pipeline.exhibits.words.methods_paragraph import methods_sentences
from pipeline.publishing.publication import as_published

HEADLINE = ("covariates_lags", "stacked")
BEHIND = "Of 420 treated firms, 398 are behind the effects; lost: 8 in cleaning; 14 without"


@pytest.fixture(scope="module")
def results():
    return study_results()


def notes(results):
    return " ".join(note for table in main_effects(results) for note in table.notes)


def counted(results, **counts):
    """Return the results with other counts of treated firms behind effects on one outcome."""
    table, columns = results.estimates.copy(), [*counts]
    rows = table["outcome"] == "sales_log"
    table.loc[rows, columns] = list(counts.values())
    return replace(results, estimates=table)


def with_issue(results, rule, **counts):
    row = {"issue": 99, "rule": rule, "column": "grant", "action": "treated_from_entry_on"}
    row |= {"count": 30, "firms": 20, "first_year": 2009, "last_year": 2010} | counts
    issues = pd.concat([results.issues, pd.DataFrame([row])], ignore_index=True)
    return replace(results, issues=conform(as_published(ISSUES), issues[list(ISSUES.columns)]))


def without_losses(results):
    flow = results.sample_flow.assign(treated_firms=398)
    everyone = {"n_treated": 398, "n_treated_matched": 398}
    return with_figures(replace(results, sample_flow=flow), MATCHED, {"stack": "all"}, **everyone)


def page_of(results):
    with results.speaking():
        return report_page(results, {}).decode()


def places(results):
    """Return what is read beside the effects, by where."""
    return {
        "summary": summary(results),
        "index": headlines(results).decode(),
        "page": page_of(results),
    }


def test_every_loss_adds_up_to_those_behind_the_effect(results):
    found = beneficiaries(counted(results, n_treated=380), "sales_log", *HEADLINE)
    lost = [found.not_in_panel, found.cleaning, found.not_active, found.design, found.outcome]
    assert [one.value for one in lost] == [0, 8, 0, 14, 18]
    assert found.everyone - sum(one.value for one in lost) == found.behind == 380


def test_who_is_lost_is_said_wherever_the_headline_is(results):
    for place, text in places(results).items():
        assert BEHIND in text, place
    assert "Treated firms lost before the estimates, of 420: 8 in cleaning; without the" in (
        notes(results)
    )
    assert "support or a comparison: 14 of 412 (Panel" in notes(results)


def test_outcomes_with_other_firms_are_named(results):
    text = summary(counted(results, n_treated=380))
    assert "380 (Annual sales), 398 (Log employment) and 398 (Any exports) are behind" not in text
    assert "380 (Annual sales) and 398 (Log employment) are behind the effects" in text
    assert "18 without the outcome" not in text
    assert "18 (Annual sales) without the outcome." in text


def test_few_that_are_lost_are_not_counted(results):
    assert "few (Annual sales) without the outcome" in summary(counted(results, n_treated=396))


def test_where_nobody_is_lost_nothing_is_said(results):
    whole = without_losses(results)
    for place, text in places(whole).items():
        assert "behind the effects" not in text, place
    assert "lost before the estimates" not in notes(whole)


def test_firms_outside_risk_sets_are_lost_unless_all_firms_are_compared(results):
    idle = with_figures(results, MATCHED, {"design": "unmatched", "stack": "all"}, n_treated=406)
    assert "6 in no risk set (not active in base and entry year)" in summary(idle)
    rows = {"estimator": "stacked", "design": "covariates_lags"}
    every_firm = with_figures(idle, SPECS, rows, firms="panel")
    assert "in no risk set" not in summary(every_firm)
    assert "14 without covariates, support" not in summary(every_firm)
    assert "14 without the outcome" in summary(every_firm)
    adjusted = with_figures(every_firm, SPECS, rows, covariates=packed_list(["age"]))
    assert "14 without the outcome or a covariate of the estimate" in summary(adjusted)


@pytest.mark.parametrize(
    ("rule", "counts", "words"),
    [
        ("switched_off", {}, "ended for 20 treated firms (30 yearly rows without support)"),
        ("switched_off", {"count": pd.NA, "firms": pd.NA}, "for few treated firms (few yearly"),
        ("leaves_programme", {}, "20 treated firms left the programme"),
    ],
)
def test_a_treatment_that_ends_is_said_wherever_effects_are(results, rule, counts, words):
    ended = with_issue(results, rule, **counts)
    methods = " ".join(methods_sentences(ended))
    told = places(ended) | {"notes": notes(ended), "methods": methods}
    for place, text in told.items():
        assert words in text, place
    assert "they count as treated from entry on" not in notes(results)
