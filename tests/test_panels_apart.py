"""Two panels of one design and estimator never carry the same words for what sets them apart."""

import dataclasses

import pandas as pd
import pytest
from results import study_results, with_figures, with_settings

from pipeline.datasets.reasons import packed_list
from pipeline.datasets.specs import SPECS
from pipeline.exhibits.tables.panels import Shown, lettered_panels
from pipeline.exhibits.words.main_notes import main_notes
from pipeline.exhibits.words.short_notes import short_notes
from pipeline.params.exhibit import PanelSection

TWIN = {"estimator": "twin", "design": "unmatched"}
COLUMNS = {1: "sales_log", 2: "employment_log"}

# Options of the second panel, and words that say them.
APART = [
    ({"gaps": ["balanced"]}, "only firms observed in every year count"),
    ({"average": "pooled"}, "treated \u00d7 post, against all years before entry pooled"),
    ({"covariates": ["age"]}, "adjusted for Age (t\u22121)"),
    ({"weight_by": ["age"]}, "firms weighted by Age (t\u22121)"),
    ({"year_effects_by": "sector"}, "sector \u00d7 year \u00d7 entry-year"),
    ({"event_base": "varying"}, "changes from the year before in Panel E"),
]
GROUP_TIME = [
    ({"firms": "panel"}, "comparisons are among all firms of the panel"),
    ({"method": ["ipw"]}, "by inverse probability weighting"),
    ({"weight_matched_again": True}, "on top of the matching weights"),
]


@pytest.fixture(scope="module")
def results():
    """Return the study with a panel E that repeats A under another name."""
    plain = study_results()
    settings = plain.settings
    (stacked, *others) = settings.estimate.specs
    twin = stacked.model_copy(update={"name": "twin", "designs": ["unmatched"]})
    panel = PanelSection(design="unmatched", spec="twin", label="Twin")
    changed = dataclasses.replace(
        settings,
        estimate=settings.estimate.model_copy(update={"specs": [stacked, *others, twin]}),
        exhibit=settings.exhibit.model_copy(update={"panels": [*settings.exhibit.panels, panel]}),
    )
    rows = plain.estimates[
        (plain.estimates["estimator"] == "stacked") & (plain.estimates["design"] == "unmatched")
    ]
    estimates = dataclasses.replace(plain, estimates=_with_twins(plain.estimates, rows))
    return with_settings(estimates, changed)


def _with_twins(estimates, rows):
    return pd.concat([estimates, rows.assign(estimator="twin")], ignore_index=True)


def notes(results, make):
    return " ".join(make(results, Shown(COLUMNS, lettered_panels(results))))


def altered(results, options, **place):
    values = {k: packed_list(v) if isinstance(v, list) else v for k, v in options.items()}
    return with_figures(results, SPECS, place, **values)


@pytest.mark.parametrize("make", [short_notes, main_notes])
@pytest.mark.parametrize(("options", "words"), APART)
def test_what_sets_panels_apart_is_said(results, options, words, make):
    assert words not in notes(results, make)
    assert words in notes(altered(results, options, **TWIN), make)


@pytest.mark.parametrize("make", [short_notes, main_notes])
@pytest.mark.parametrize(("options", "words"), GROUP_TIME)
def test_what_sets_group_time_panels_apart_is_said(results, options, words, make):
    both = {"kind": "group_time", "method": ["difference"], "gaps": ["pairs"], "average": "event"}
    alike = altered(altered(results, both, **TWIN), both, estimator="stacked")
    assert words not in notes(alike, make)
    assert words in notes(altered(alike, options, **TWIN), make)


def test_panels_of_different_estimators_need_no_such_words():
    assert "How panels of one estimator differ" not in notes(study_results(), short_notes)
