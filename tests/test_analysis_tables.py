"""Tables of margins, survival and groups: every cell is a row of a results table."""

import dataclasses
import math

import pandas as pd
import pytest
from results import (
    EVERYONE,
    OUTCOMES,
    _table,
    remarked,
    said,
    settings,
    study_results,
    with_details,
    with_settings,
)
from text_tables import lines

from pipeline.datasets.fits import DETECTABLE
from pipeline.datasets.reasons import with_reason
from pipeline.datasets.results import ESTIMATES, TESTS
from pipeline.datasets.samples import ATTRITION, GROUPING_LOSSES, GROUPS, ZEROS
from pipeline.effects.terms import ATT
from pipeline.errors import Reason
from pipeline.exhibits.group_numbers import group_numbers
from pipeline.exhibits.render.latex import fits
from pipeline.exhibits.tables.export_margins import export_margins_tables
from pipeline.exhibits.tables.heterogeneity import heterogeneity_tables
from pipeline.exhibits.tables.survival import survival_tables
from pipeline.exhibits.tables.table import DASH, TablePart
from pipeline.exhibits.words.language import speaking, tell
from pipeline.publishing.disclosure.groups import REASON as SECOND
from pipeline.publishing.disclosure.vet import vet
from pipeline.publishing.manifest import ShownTables, manifest
from pipeline.publishing.study import study_tables

BASICS = {"designs": ["covariates"], "cluster": "assignment"}
ANALYSES = {
    "margins": BASICS | {"outcomes": ["exports_value"], "unit_dependent": ["asinh"]},
    "survival": BASICS
    | {
        "outcomes": ["sales_log", "employment_log"],
        "exit": {"known_by": "last_year", "least_years_absent": 1},
        "limits": {"sales_log": {"lowest": 1, "highest": 500}},
    },
    "groups": BASICS
    | {
        "outcomes": ["sales_log"],
        "match": "common",
        "least_firms": 5,
        "by": {
            "size": {
                "label": "Size class",
                "transform": "level",
                "column": "jobs",
                "edges": [10, 50],
            }
        },
    },
}
LEE = {
    "name": "lee",
    "estimator": "lee_bounds",
    "designs": ["covariates"],
    "outcomes": ["exports_value"],
    "terms": ["att"],
    "cluster": "assignment",
}
IN_UNITS = {"own": 0.5, "unit": "US$", "hundredth": 0.9, "million": 0.001}
UNITS = Reason("depends_on_unit", IN_UNITS)
SUPPRESSED = Reason("group_too_small", {"least": 5})


NOBODY = Reason("no_event_time_with_both_groups")


def estimate(outcome, estimator, term, value, **more):
    plain = EVERYONE | {"inference": "analytic", "band": "pointwise"}
    return {
        "outcome": outcome,
        "design": "covariates",
        "estimator": estimator,
        "term": term,
        "estimand": "att",
        "estimate": value,
        "std_error": 0.05 if value is not None else None,
        "conf_low": value - 0.1 if value is not None else None,
        "conf_high": value + 0.1 if value is not None else None,
        "scale": "log_points",
        "n_treated": 80 if value is not None else None,
        "n_control": 70 if value is not None else None,
        **plain,
        **more,
    }


def bounded(outcome, estimator, term, low, high, **more):
    return [
        estimate(outcome, estimator, f"{term}_lower", low, **more),
        estimate(outcome, estimator, f"{term}_upper", high, **more),
        estimate(outcome, estimator, term, None, **more)
        | {"inference": "imbens_manski", "conf_low": low - 0.1, "conf_high": high + 0.1},
    ]


def p_value(test, group, value):
    place = EVERYONE | {"outcome": "sales_log", "design": "covariates"}
    return place | of(group) | {"estimator": "groups", "test": test, "p_value": value}


def of(group):
    return {"grouping": "size", "subgroup": group}


BASE = {"sample": "base_exporters"}
ROWS = [
    estimate("exports_value", "margins", "firms_above_zero", 0.1111),
    estimate("exports_value", "margins", "level_per_firm", 0.2222),
    estimate("exports_value", "margins", "level", 0.3333),
    estimate("exports_value", "margins", "att", 0.4444, **BASE),
    estimate("exports_value", "margins", "asinh", 0.5, **said(None, UNITS)),
    *bounded("exports_value", "lee", "att", -0.1234, 0.2361, **BASE),
    estimate("survival", "survival", "event", 0.0, event_time=0, std_error=None),
    estimate("survival", "survival", "event", 0.0211, event_time=1, scale="share"),
    estimate("survival", "survival", "event", 0.0322, event_time=2, scale="share"),
    estimate("survival", "survival", "att", 0.0266, scale="share"),
    estimate("sales_log", "survival", "att", 99.0, sample="exit_as_zero", scale="US$ million"),
    estimate("sales_log", "survival", "att", 28.0, sample="survivors", scale="US$ million"),
    *bounded("sales_log", "survival", "lee", 0.0633, 0.1484, sample="survivors"),
    *bounded("sales_log", "survival", "manski", -0.82, 0.81),
    estimate("employment_log", "survival", "manski", None, **said(NOBODY)),
    estimate("sales_log", "groups", "att", 0.1212, **of("g1")),
    estimate("sales_log", "groups", "att", 0.3434, **of("g2")),
    estimate("sales_log", "groups", "att", None, **of("g3"), **said(SUPPRESSED)),
]
SURVIVAL = {"design": "covariates", "event_time": 1, "n_observed": 70}
COVARIATES = {"design": "covariates", "outcome": "exports_value", "n_firms": 100}
LEVEL = {"design": "covariates", "grouping": "size", "transform": "level"}
SIZES = {"design": "covariates", "estimator": "groups", "grouping": "size"}
MORE_DETAILS = {
    ATTRITION: [
        SURVIVAL | {"treated": True, "share_alive": 0.9811, "n_gone": 9},
        SURVIVAL | {"treated": False, "share_alive": 0.96, "n_gone": 22},
    ],
    DETECTABLE: [SIZES | {"outcome": "sales_log", "effect": 0.13781, "scale": "log_points"}],
    GROUPS: [
        LEVEL | {"subgroup": "g1", "position": 1, "high": 10.0},
        LEVEL | {"subgroup": "g2", "position": 2, "low": 10.0, "high": 50.0},
        LEVEL | {"subgroup": "g3", "position": 3, "low": 50.0},
    ],
    ZEROS: [
        COVARIATES | {"treated": True, "n_above_zero_at_base": 96},
        COVARIATES | {"treated": False, "n_above_zero_at_base": 77},
    ],
}
MORE_TESTS = [
    p_value("equality", "all", 0.0412),
    p_value("q_value", "g1", 0.0201),
    p_value("q_value", "g2", 0.3),
]


def made(**exhibit):
    observed = {"column": "exports", "transform": "proportional", "observed": True}
    outcomes = OUTCOMES | {
        "exports_value": {**OUTCOMES["exports_value"], **observed, "reason": None}
    }
    plain = study_results(**exhibit)
    chosen = settings(outcomes, **exhibit)
    asked = chosen.estimate.model_dump(exclude_unset=True)
    asked["specs"].append(LEE)
    section = type(chosen.estimate).model_validate(asked | {"analyses": ANALYSES})
    for table, rows in MORE_DETAILS.items():
        plain = with_details(plain, table, rows)
    more = dataclasses.replace(
        plain,
        estimates=pd.concat([plain.estimates, _table(ESTIMATES, ROWS)], ignore_index=True),
        tests=pd.concat([plain.tests, _table(TESTS, MORE_TESTS)], ignore_index=True),
    )
    return with_settings(more, dataclasses.replace(chosen, estimate=section))


@pytest.fixture(scope="module")
def results():
    return made()


def test_margins_show_each_part_and_the_bounds(results):
    (table,) = export_margins_tables(results)
    shown = lines(table)
    assert shown[:3] == [
        ("Number of firms above zero", "0.111"),
        ("", "(0.050)"),
        ("Level per unit above zero", "0.222"),
    ]
    assert ("Level (sum of both)", "0.333") in shown
    assert ("Those still above zero", "56") in shown
    assert ("Bounds (Lee)", "[−12, 27]") in shown
    assert ("95% CI", "[−20, 40]") in shown
    assert ("Above zero at base", "96 / 77") in shown
    assert ("asinh", "65") in shown
    assert tell(UNITS) in " ".join(table.notes)


def test_the_share_above_zero_is_the_headline_estimate(results):
    panels = {panel.title: panel for panel in export_margins_tables(results)[0].panels}
    rows = results.estimates
    chosen = rows[
        (rows["outcome"] == "exports_any")
        & (rows["design"] == "covariates")
        & (rows["estimator"] == "stacked")
        & (rows["term"] == "att")
    ]
    shown = panels["Share above zero"].rows[0].cells[0]
    assert shown.value == 100 * chosen["estimate"].iloc[0]


def test_survival_shows_shares_and_attrition_beside_each_difference(results):
    by_year, outcomes = survival_tables(results)
    shown = lines(by_year)
    assert shown[0] == ("1", "2.1", "98.1", "96.0", "9 / 22", "—", "—")
    assert shown[1][1] == "(5.0)"
    assert shown[2][:4] == ("2", "3.2", "—", "—")
    assert shown[4][:2] == ("Average effect", "2.7")
    told = lines(outcomes)
    assert told[0] == ("Exit counted as zero", "99.000", "—")
    assert ("unit", "US$ million", "") in told
    assert ("Survive either way (Lee)", "[6.5, 16.0]", "—") in told
    assert ("Worst case (Manski)", "[−56.0, 124.8]", "—") in told
    assert "no event time has both groups" in " ".join(outcomes.notes)
    assert "Log sales, 1 to 500 US$ million" in " ".join(outcomes.notes)


def test_groups_stand_in_the_order_of_their_bins_with_q_and_the_test(results):
    (table,) = heterogeneity_tables(results)
    assert [panel.title for panel in table.panels] == ["Size class"]
    assert lines(table) == [
        ("<10", "12.9"),
        ("", "(5.6)"),
        ("95% CI", "[2.1, 24.8]"),
        ("Treated / comp.", "80 / 70"),
        ("q-value", "0.02"),
        ("10 to <50", "41.0"),
        ("", "(7.0)"),
        ("95% CI", "[27.6, 55.8]"),
        ("Treated / comp.", "80 / 70"),
        ("q-value", "0.30"),
        ("50 or more", "—"),
        ("", ""),
        ("95% CI", ""),
        ("Treated / comp.", ""),
        ("q-value", "—"),
        ("Equal effects, p", "0.04"),
        ("Detectable difference", "14.8"),
    ]
    assert table.panels[0].rows[10].cells[0] is DASH
    assert tell(SUPPRESSED) in " ".join(table.notes)
    assert "not rejected is not equality" in " ".join(table.notes)


def test_a_study_that_asks_for_none_has_none():
    plain = study_results()
    assert export_margins_tables(plain) == survival_tables(plain) == []
    assert heterogeneity_tables(plain) == []


def test_an_average_effect_on_all_firms_is_not_that_of_a_group(results):
    att = results.effects[("sales_log", "covariates", "stacked", "pointwise")][ATT]
    assert not math.isnan(att.estimate)
    assert ("sales_log", "covariates", "groups", "pointwise") not in results.effects


@pytest.mark.parametrize("code", ["es", "pt"])
def test_notes_and_reasons_are_told_in_the_language_of_the_report(code):
    results = made(language=code, tables=["export_margins", "survival", "heterogeneity"])
    names = ("export_margins", "survival", "survival_2", "heterogeneity")
    tables = study_tables(results)
    with speaking(results.settings.exhibit):
        told = " ".join(note for name in names for note in tables[name].notes)
        assert all(fits(tables[name]) for name in names)
    assert "suprimido: menos de 5" in told
    for english in ("Standard errors", "Groups with", "suppressed", "depends on", "alive"):
        assert english not in told


def test_few_treated_clusters_are_told_under_every_table():
    """The count stands in the rows; the text of the row's own caution is for programs."""
    results = made(tables=["export_margins", "survival", "heterogeneity"], language="es")
    estimates = results.estimates.assign(n_treated_clusters=7)
    caution = Reason("few_treated_clusters", {"n_treated_clusters": 7})
    estimates = remarked(estimates, estimates["term"] == "asinh", UNITS, caution)
    few = dataclasses.replace(results, estimates=estimates)
    with speaking(few.settings.exhibit):
        tables = [
            *export_margins_tables(few),
            *survival_tables(few),
            *heterogeneity_tables(few),
        ]
        plenty = export_margins_tables(results)[0]
    for table in tables:
        assert "Menos de 20 conglomerados tratados" in " ".join(table.notes)
        assert "treated clusters" not in " ".join(table.notes)
        assert "depends on" not in " ".join(table.notes)
    assert "Menos de 20" not in " ".join(plenty.notes)


def test_a_group_that_would_tell_another_is_hidden_everywhere():
    """`50 or more` has too few firms and 40 of the 80 are below 10: both are hidden."""
    results = made()
    estimates = results.estimates.copy()
    smaller = estimates["subgroup"] == "g1"
    estimates.loc[smaller, ["n_treated", "n_control"]] = 40
    published = vet(dataclasses.replace(results, estimates=estimates))
    (table,) = heterogeneity_tables(published)
    shown = lines(table)
    assert shown[:5] == [
        ("<10", "c"), ("", ""), ("95% CI", ""), ("Treated / comp.", ""), ("q-value", "—")
    ]  # fmt: skip
    assert shown[5:7] == [("10 to <50", "41.0"), ("", "(7.0)")]
    assert shown[8] == ("Treated / comp.", "80 / 70")
    assert tell(SECOND) in " ".join(table.notes)
    hidden = published.estimates.loc[smaller].iloc[0]
    assert hidden[["estimate", "std_error", "n_treated", "n_control"]].isna().all()
    assert hidden["reason"] == SECOND.code
    placed = {"heterogeneity": dataclasses.replace(table, part=TablePart("heterogeneity"))}
    listed = manifest({"tables/heterogeneity.tex": b""}, [ShownTables(published, placed)])
    assert b"tables/heterogeneity.tex,70," in listed


def test_a_note_names_the_group_that_has_no_estimate():
    notes = " ".join(heterogeneity_tables(made())[0].notes)
    label = ANALYSES["groups"]["by"]["size"]["label"]
    assert f"Not estimated: {label}, 50 or more: {tell(SUPPRESSED)}." in notes
    assert "are not shown" not in notes


def test_groups_with_few_treated_clusters_are_a_warning():
    results = made()
    estimates = results.estimates.copy()
    estimates.loc[estimates["subgroup"] == "g1", "n_treated_clusters"] = 4
    estimates.loc[estimates["subgroup"] == "g2", "n_treated_clusters"] = 25
    notes = heterogeneity_tables(dataclasses.replace(results, estimates=estimates))[0].notes
    (warning,) = [note for note in notes if "treated clusters" in note]
    label = ANALYSES["groups"]["by"]["size"]["label"]
    assert warning.endswith(f"p-values too: {label}, <10, 4.")


def test_numbers_of_groups_are_those_of_the_table():
    found = group_numbers(made())
    start = "madeup.sales_log.covariates.groups.size"
    assert found[f"{start}.g2.pct_se"].formatted == "7.0"
    assert found[f"{start}.g2.pct"].value == pytest.approx(100 * math.expm1(0.3434))
    assert found[f"{start}.g1.q_value"].formatted == "0.02"
    assert found[f"{start}.equality.p_value"].value == 0.0412
    assert found[f"{start}.equality.detectable_difference_pct"].formatted == "14.8"
    assert not any("g3" in key for key in found), "it has no estimate"
    assert group_numbers(study_results()) == {}


def regrouped(*groups):
    """Return results whose groups are told otherwise, in place of those with the same code."""
    return with_details(made(), GROUPS, list(groups))


def first_cells(results):
    return [row for row, _ in lines(heterogeneity_tables(results)[0])]


def test_groups_are_called_by_label_value_or_edges_and_stand_by_position():
    first = LEVEL | {"subgroup": "g1", "position": 11, "label": "tiny"}
    text = LEVEL | {"subgroup": "g3", "position": 1, "transform": "category"}
    shown = first_cells(regrouped(first, text))
    called = [name for name in shown if name in ("tiny", "g3", "10 to <50")]
    assert called == ["g3", "10 to <50", "tiny"]
    above = LEVEL | {"transform": "any"}
    pair = [above | {"subgroup": f"g{n}", "position": n} for n in (1, 2)]
    assert [n for n in first_cells(regrouped(*pair)) if "zero" in n] == ["zero", "above zero"]


def test_texts_that_agree_but_for_markup_have_keys_of_their_own():
    results = made()
    texts = {"g1": "a & b", "g2": "a / b"}
    recoded = {
        name: table.assign(subgroup=table["subgroup"].replace(texts))
        for name, table in (("estimates", results.estimates), ("tests", results.tests))
    }
    rows = results.details.of(GROUPS).assign(transform="category")
    details = results.details.replaced(
        GROUPS, rows.assign(subgroup=rows["subgroup"].replace(texts))
    )
    found = group_numbers(dataclasses.replace(results, **recoded, details=details))
    start = "madeup.sales_log.covariates.groups.size"
    assert found[f"{start}.a_b_1.estimate"].formatted == "0.121"
    assert found[f"{start}.a_b_2.estimate"].formatted == "0.343"


@pytest.mark.parametrize(("count", "said"), [(0.0, None), (12.0, "12"), (math.nan, "few")])
def test_treated_firms_of_no_group_are_counted_in_the_note(count, said):
    row = SIZES | {"treated": True, "n_firms": None if math.isnan(count) else count}
    results = with_details(made(), GROUPING_LOSSES, [row])
    notes = heterogeneity_tables(results)[0].notes
    found = [note for note in notes if "group is not known" in note]
    label = ANALYSES["groups"]["by"]["size"]["label"]
    assert found == (
        [f"Treated firms whose group is not known are in none: {label}, {said}."] if said else []
    )


def test_estimates_without_a_standard_error_say_why_and_nothing_is_left_open(results):
    """The reason stands under margins, survival and groups; no sentence lacks its end."""
    estimates = results.estimates.copy()
    names = ["std_error", "statistic", "df", "p_value", "conf_low", "conf_high"]
    estimates.loc[:, names] = math.nan
    known = estimates["estimate"].notna()
    estimates = with_reason(estimates, known, Reason("treated_in_one_cluster"))
    spoilt = dataclasses.replace(results, estimates=estimates)
    for made in (export_margins_tables, survival_tables, heterogeneity_tables):
        for table in made(spoilt):
            notes = " ".join(table.notes)
            assert "No standard error: the treated firms lie in a single cluster." in notes
            assert "Effects on ." not in notes
