"""Only what was matched is called so: other studies are weighted, or compare all firms."""

import dataclasses
import re

import pytest
from results import study_results, with_figures, with_settings

from pipeline.datasets.designs import DESIGNS
from pipeline.exhibits.figures.love_plot import love_plot
from pipeline.exhibits.headlines import headlines
from pipeline.exhibits.ran import picking
from pipeline.exhibits.report import report_page
from pipeline.exhibits.summary import summary
from pipeline.exhibits.words.methods_paragraph import methods_sentences
from pipeline.params.exhibit import PanelSection
from pipeline.publishing.study import study_tables

OF_MATCHING = {
    "en": re.compile(r"\bmatch(ed|ing|es)?\b", re.IGNORECASE),
    "es": re.compile(r"\b(pareja|empareja\w*)\b", re.IGNORECASE),
    "pt": re.compile(r"\b(par|pares|parea\w*)\b", re.IGNORECASE),
}
# What denies matching, and covariates' and designs' own labels.
DENIED = re.compile(
    r"no matching|without a match|sin emparejar|sin emparejamiento|sem pareamento", re.IGNORECASE
)
TABLES = ("main_effects", "dynamic_effects", "balance", "cohorts", "sample_flow")


def of_design(design, **changes):
    """Return the study as if nothing but one design were asked for."""
    results = study_results(tables=list(TABLES), **changes)
    settings = results.settings
    headline = settings.estimate.headline.model_copy(update={"design": design})
    specs = [s.model_copy(update={"designs": [design]}) for s in settings.estimate.specs[:1]]
    updates = {"headline": headline, "specs": specs}
    panel = PanelSection(design=design, spec="stacked", label="Difference-in-differences")
    chosen = dataclasses.replace(
        settings,
        estimate=settings.estimate.model_copy(update=updates),
        exhibit=settings.exhibit.model_copy(update={"panels": [panel]}),
    )
    if design == "unmatched":
        chosen = dataclasses.replace(chosen, match=chosen.match.model_copy(update={"designs": {}}))
    return with_settings(results, chosen)


def texts(results):
    """Return everything that is said beside the headline, by place."""
    with results.speaking():
        tables = study_tables(results)
        page = report_page(results, {}).decode()
        said = {name: " ".join(tables[name].notes) for name in TABLES if name in tables}
        spans = [column.spanner for column in tables["balance"].columns]
        key = [t.get_text() for legend in love_plot(results).legends for t in legend.get_texts()]
        return said | {
            "heads": " ".join([*spans, *key]),
            "summary": summary(results),
            "page": re.sub("<style.*?</style>|<code>.*?</code>", "", page, flags=re.DOTALL),
            "index": headlines(results).decode(),
            "methods": " ".join(methods_sentences(results)),
        }


@pytest.mark.parametrize("notes", ["short", "full"])
@pytest.mark.parametrize("code", OF_MATCHING)
def test_a_study_without_matching_never_speaks_of_it(code, notes):
    results = of_design("unmatched", language=code, notes=notes)
    for place, text in texts(results).items():
        assert OF_MATCHING[code].findall(DENIED.sub("", text)) == [], place


def test_a_study_that_weights_takes_weights_as_given():
    matched = of_design("covariates", notes="full")
    weighted = with_figures(matched, DESIGNS, {"design": "covariates"}, method="odds")
    assert [picking(r, ["covariates"]) for r in (matched, weighted)] == ["matched", "weighted"]
    said, told = texts(matched), texts(weighted)
    for place, of_matches, of_weights in (
        ("methods", "take the match as given", "take the weights as given"),
        ("main_effects", "conditional on the match", "conditional on the weights"),
        ("heads", "After matching", "After weighting"),
    ):
        assert (of_matches in said[place], of_weights in said[place]) == (True, False), place
        assert (of_matches in told[place], of_weights in told[place]) == (False, True), place


def test_a_table_of_several_designs_speaks_of_matching_where_one_matches():
    results = study_results()
    assert picking(results, ["unmatched", "covariates"]) == "matched"
    weighted = with_figures(results, DESIGNS, {"design": "covariates"}, method="entropy")
    assert picking(weighted, ["unmatched", "covariates"]) == "weighted"
    assert picking(weighted, ["unmatched"]) == "unmatched"
