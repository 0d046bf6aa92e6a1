"""The table of what the flat two-way figure averages: every cell stands in DECOMPOSED_KINDS."""

import dataclasses

import latex
import pandas as pd
import pytest
from results import _table, study_results, with_details
from shown_tables import effect_tables
from text_tables import lines

from pipeline.datasets.fits import DECOMPOSED_COHORTS, DECOMPOSED_KINDS, DECOMPOSITION, FITS
from pipeline.datasets.reasons import packed
from pipeline.datasets.results import TESTS
from pipeline.effects.terms import ATT
from pipeline.errors import Reason
from pipeline.estimators.decomposition import by_kind
from pipeline.estimators.goodman_bacon import TwoByTwo
from pipeline.exhibits.render.latex import fits, fits_page, render_latex
from pipeline.exhibits.tables.table import HIDDEN
from pipeline.exhibits.tables.twoway_weights import twoway_weights_tables
from pipeline.exhibits.words.language import speaking, tell
from pipeline.publishing.disclosure.vet import vet
from pipeline.publishing.study import study_tables

# Entry year, and that of the comparison: weight and estimate.
COMPARISONS = {
    (2006, None): (0.5, 0.2),
    (2009, None): (0.3, 0.1),
    (2006, 2009): (0.08, 0.3),
    (2009, 2006): (0.12, -0.4),
}
KINDS = {(2006, 2009): "not_yet", (2009, 2006): "already"}
FIRMS = {2006: 40, 2009: 20, None: 1140}
PLACE = {"design": "unmatched", "outcome": "sales_log", "estimator": "flat"}


def decomposed(results, firms):
    """Return the results with a decomposition of the flat figure of log sales."""
    whole = {"decomposed_first_year": 2006, "decomposed_last_year": 2013}
    tables = {
        DECOMPOSITION: [
            PLACE
            | {"cohort": pair[0], "control": pair[1], "kind": KINDS.get(pair, "never")}
            | {"weight": weight, "estimate": estimate}
            for pair, (weight, estimate) in COMPARISONS.items()
        ],
        DECOMPOSED_KINDS: [PLACE | row for row in by_kind(_comparisons())],
        DECOMPOSED_COHORTS: [PLACE | {"cohort": c, "n_firms": n} for c, n in firms.items()],
        FITS: [PLACE | whole | {"share_already_treated": COMPARISONS[2009, 2006][0]}],
    }
    for table, rows in tables.items():
        results = with_details(results, table, rows)
    return results


def _comparisons():
    return [
        TwoByTwo(*pair, KINDS.get(pair, "never"), *figures) for pair, figures in COMPARISONS.items()
    ]


def made(firms=FIRMS, **exhibit):
    plain = decomposed(study_results(**exhibit), firms)
    missing = dict.fromkeys(("arm", "sample", "grouping", "subgroup"), "all") | PLACE
    missing |= {"outcome": "employment_log", "test": "goodman_bacon"}
    missing |= packed(Reason("bacon_unbalanced", {"n_short": 7, "n_firms": 1200, "n_years": 8}))
    return dataclasses.replace(
        plain, tests=pd.concat([plain.tests, _table(TESTS, [missing])], ignore_index=True)
    )


def test_kinds_sum_weights_and_average_estimates():
    results = made()
    (table,) = twoway_weights_tables(results)
    figure = results.effects["sales_log", "unmatched", "flat", "pointwise"][ATT].estimate
    assert [panel.title for panel in table.panels] == ["Log sales (log points)"]
    # (.5 x .2 + .3 x .1) / .8 = .1625; .13 + .08 x .3 - .12 x .4 = .106
    assert lines(table) == [
        ("Never treated", "2", "0.800", "0.163"),
        ("Not yet treated", "1", "0.080", "0.300"),
        ("Already treated", "1", "0.120", "−0.400"),
        ("Balanced part, together", "4", "1.000", "0.106"),
        ("Two-way figure of the sample", "", "", f"{figure:.3f}"),
    ]
    notes = " ".join(table.notes)
    assert "Log sales, 2006 to 2013 (1,200)" in notes
    assert "No balanced part to decompose: Log employment." in notes


def test_the_main_table_says_how_much_rests_on_treated_firms():
    notes = " ".join(note for table in effect_tables(made()).values() for note in table.notes)
    assert "treated firms (Goodman-Bacon), at most: 12.0." in notes


def test_nothing_of_a_decomposition_with_few_firms_is_published():
    shown = vet(made(firms=FIRMS | {2009: 3}))
    for table, columns in {
        DECOMPOSITION: ["weight", "estimate"],
        DECOMPOSED_KINDS: ["weight", "estimate"],
        DECOMPOSED_COHORTS: ["n_firms"],
        FITS: ["share_already_treated"],
    }.items():
        assert len(shown.details.of(table))
        assert shown.details.of(table)[columns].isna().all(axis=None)
    (table,) = twoway_weights_tables(shown)
    assert table.panels[0].rows[0].cells[1:] == (HIDDEN, HIDDEN)
    assert "Log sales, 2006 to 2013 (c)" in " ".join(table.notes)
    (whole,) = twoway_weights_tables(vet(made()))
    assert lines(whole)[0] == ("Never treated", "2", "0.800", "0.163")


def test_a_study_without_a_decomposition_has_no_table():
    assert twoway_weights_tables(study_results()) == []


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_the_table_fits_a_page_in_every_language(language):
    (table,) = study_tables(made(language=language, tables=["twoway_weights"])).values()
    assert fits(table) and fits_page(table)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_the_latex_compiles_without_overfull_boxes(language, tmp_path):
    results = made(language=language, tables=["twoway_weights"])
    with speaking(results.settings.exhibit):
        fragments = [render_latex(table) for table in study_tables(results).values()]
    code, log = latex.compile_latex("\\clearpage\n".join(fragments), tmp_path)
    assert (code, latex.faults(log)) == (0, [])


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        (Reason("few_firms_in_group", {"least": 5}), HIDDEN.plain()),
        (Reason("no_outcome_variation"), "\u2014"),
    ],
)
def test_a_figure_that_is_not_there_has_its_reason_and_is_no_nan(reason, shown):
    results = made()
    estimates = results.estimates.copy()
    lost = (estimates["estimator"] == "flat") & (estimates["outcome"] == "sales_log")
    estimates.loc[lost, ["estimate", "std_error", "conf_low", "conf_high"]] = float("nan")
    estimates.loc[lost, ["reason", "reason_fields"]] = list(packed(reason).values())
    (table,) = twoway_weights_tables(dataclasses.replace(results, estimates=estimates))
    assert lines(table)[-1] == ("Two-way figure of the sample", "", "", shown)
    assert tell(reason) in " ".join(table.notes)


def test_a_figure_whose_parts_are_hidden_is_not_said_to_have_none():
    results = made()
    own = results.tests["test"] == "goodman_bacon"
    hidden = results.tests.assign(reason=results.tests["reason"].mask(own, "tells_hidden_effect"))
    said = {
        name: " ".join(note for table in twoway_weights_tables(one) for note in table.notes)
        for name, one in {
            "none": results,
            "hidden": dataclasses.replace(results, tests=hidden),
        }.items()
    }
    label = results.settings.outcome("employment_log").label
    assert label in said["none"] and label not in said["hidden"]
