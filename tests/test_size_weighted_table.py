"""The table of effects by firm and by size: every cell is a row of ESTIMATES."""

import dataclasses

import latex
import pandas as pd
import pytest
from results import _table, study_results, with_details, with_settings
from text_tables import lines

from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.samples import CONCENTRATION, GROUPING_LOSSES
from pipeline.effects.terms import ATT
from pipeline.exhibits.render.latex import fits, fits_page, render_latex
from pipeline.exhibits.tables.size_weighted import size_weighted_tables
from pipeline.exhibits.units import percent
from pipeline.exhibits.words.language import speaking
from pipeline.publishing.disclosure.vet import vet
from pipeline.publishing.study import study_tables

ASKED = {
    "designs": ["covariates"],
    "outcomes": ["sales_log", "employment_log"],
    "cluster": "assignment",
    "comparison": "own_size",
    "by": {"jobs": {"column": "employment", "at": -2}},
}


def row(outcome, term, estimate, std_error, scale="log_points"):
    place = {"outcome": outcome, "design": "covariates", "arm": "all", "sample": "all"}
    place |= {"grouping": "jobs", "subgroup": "all"}
    kind = {"estimator": "size_weighted", "inference": "analytic", "band": "pointwise"}
    figures = {"estimate": estimate, "std_error": std_error, "n_treated": 390, "n_control": 900}
    return place | kind | figures | {"term": term, "estimand": "att", "scale": scale}


ROWS = [
    row("sales_log", "att_by", 0.0333, 0.0361),
    row("employment_log", "att_by", 0.0641, 0.0221),
    row("employment_log", "total", 1039.1, 336.2, "jobs"),
]


def made(largest=0.019, **exhibit):
    plain = study_results(**exhibit)
    asked = plain.settings.estimate.model_dump(exclude_unset=True)
    section = type(plain.settings.estimate).model_validate(
        asked | {"analyses": {"size_weighted": ASKED}}
    )
    shares, lost = {True: largest, False: 0.023}, {True: 10, False: 12}
    place = {"design": "covariates", "grouping": "jobs"}
    for table, rows in {
        CONCENTRATION: [
            place
            | {"outcome": "all", "treated": treated, "largest_firm_share": share}
            | {"largest_five_share": share + 0.05, "largest_five_band": "under_10"}
            for treated, share in shares.items()
        ],
        GROUPING_LOSSES: [
            place | {"estimator": "size_weighted", "treated": treated, "n_firms": n}
            for treated, n in lost.items()
        ],
    }.items():
        plain = with_details(plain, table, rows)
    more = pd.concat([plain.estimates, _table(ESTIMATES, ROWS)], ignore_index=True)
    chosen = dataclasses.replace(plain.settings, estimate=section)
    return with_settings(dataclasses.replace(plain, estimates=more), chosen)


def test_effects_by_firm_stand_above_those_by_size_and_the_total():
    results = made()
    (table,) = size_weighted_tables(results)
    by_firm = [
        results.effects[name, "covariates", "stacked", "pointwise"][ATT].estimate
        for name in ASKED["outcomes"]
    ]
    assert [panel.title for panel in table.panels] == [
        "All firms count the same",
        "By jobs in year −2 from entry",
    ]
    shown = [cell.value for cell in table.panels[0].rows[0].cells]
    assert shown == [percent(effect) for effect in by_firm]
    assert lines(table)[4:] == [
        ("Average effect", "3.4", "6.6"),
        ("", "(3.7)", "(2.4)"),
        ("95% CI", "", ""),
        ("Total of the treated, a year", "", "1,039"),
        ("", "", "(336)"),
        ("unit", "", "jobs"),
        ("Treated / comp.", "390 / 900", "390 / 900"),
    ]


def test_the_notes_say_what_the_weights_rest_on():
    notes = " ".join(size_weighted_tables(made())[0].notes)
    assert "comparison firms count by their own size" in notes
    assert (
        "the five largest have under 10 percent of the weight of the treated and under 10" in notes
    )
    assert "No jobs known for 10 treated firms. No jobs known for 12 comparison firms." in notes


def test_effects_that_one_firm_decides_are_not_published():
    shown = vet(made(largest=0.6))
    table = size_weighted_tables(shown)[0]
    assert {line[1:] for line in lines(table)[4:6]} == {("c", "c"), ("", "")}
    assert "not published: one firm has more than 50 percent" in " ".join(table.notes)
    kept = shown.estimates[shown.estimates["estimator"] != "size_weighted"]
    assert kept["estimate"].notna().sum() == study_results().estimates["estimate"].notna().sum()
    assert lines(size_weighted_tables(vet(made()))[0]) == lines(size_weighted_tables(made())[0])


def test_a_study_that_asks_for_no_size_has_no_table():
    assert size_weighted_tables(study_results()) == []


@pytest.mark.parametrize("language", ["es", "pt"])
def test_the_table_fits_a_page_in_every_language(language):
    results = made(largest=0.6, language=language, tables=["size_weighted"])
    (table,) = study_tables(vet(results)).values()
    with speaking(results.settings.exhibit):
        assert fits(table) and fits_page(table)
    reason = {"es": "no publicado: una empresa tiene", "pt": "não publicado: uma empresa tem"}
    assert reason[language] in " ".join(table.notes)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_the_latex_compiles_without_overfull_boxes(language, tmp_path):
    results = made(language=language, tables=["size_weighted"])
    with speaking(results.settings.exhibit):
        fragments = [render_latex(table) for table in study_tables(results).values()]
    code, log = latex.compile_latex("\\clearpage\n".join(fragments), tmp_path)
    assert (code, latex.faults(log)) == (0, [])
