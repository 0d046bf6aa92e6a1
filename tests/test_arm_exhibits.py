"""Exhibits of arms: what each did, who else was affected, and against whom, said truly."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from arm_results import LABELS, OUTCOMES, arm_results, effect
from arms_study import estimated_project, results_of
from results import study_results
from test_report import Page, words_outside_tables

from pipeline.datasets.arms import ARM_CONTRASTS, ARM_FLOW
from pipeline.datasets.exposure import EXPOSED
from pipeline.datasets.reasons import packed
from pipeline.datasets.store import conform
from pipeline.errors import Reason
from pipeline.exhibits.arms import arm_effect, direct_arms, exposed_arms
from pipeline.exhibits.figures.drawing import render_figure
from pipeline.exhibits.figures.registry import FIGURES, drawn_figures
from pipeline.exhibits.headlines import headlines
from pipeline.exhibits.numbers import translated_value
from pipeline.exhibits.quoted_numbers import all_numbers, quoted_numbers
from pipeline.exhibits.render.latex import render_latex
from pipeline.exhibits.report import report_page
from pipeline.exhibits.summary import summary
from pipeline.exhibits.tables.registry import named_tables
from pipeline.exhibits.tables.settings import settings_table
from pipeline.exhibits.tables.table import HIDDEN, Number, WholeNumbers
from pipeline.exhibits.words.arms import arms_sentences, others_sentences
from pipeline.exhibits.words.methods_paragraph import methods_sentences
from pipeline.params.exhibit import ARM_TABLES
from pipeline.publishing.study import study_tables

CHOSEN = {"tables": ["main_effects", *ARM_TABLES], "notes": "short"}


@pytest.fixture(scope="module")
def results():
    return arm_results(**CHOSEN)


@pytest.fixture(scope="module")
def one():
    """Return a study without arms."""
    return study_results(OUTCOMES, **CHOSEN)


@pytest.fixture(scope="module")
def tables(results):
    return study_tables(results)


@pytest.fixture(scope="module")
def page(results, tables):
    return page_of(results, tables)


def page_of(results, tables) -> str:
    with results.speaking():
        return report_page(results, tables).decode()


def section(page: str, name: str) -> str:
    found = re.search(rf'<section id="{name}">.*?</section>', page, re.S)
    return "" if found is None else found[0]


def words(html: str) -> str:
    return " ".join("".join(Page(html).text).split())


def test_each_arm_has_a_row_with_its_effect_and_what_it_is_of(results, tables):
    panels = {panel.title: panel.rows for panel in tables["arms"].panels}
    assert list(panels) == [
        "Took part: total on treated",
        "Did not take part, exposed: spillover (spill)",
    ]
    rows = {
        row.label: row for own in panels.values() for row in own if row.label in LABELS.values()
    }
    assert list(rows) == [LABELS[arm] for arm in results.arms]
    for arm in results.arms:
        cell = rows[LABELS[arm]].cells[0]
        assert isinstance(cell, Number)
        stored = effect(results.arms[arm], "sales_log")
        assert cell.value == pytest.approx(100 * np.expm1(stored), rel=1e-9)
        assert cell.decimals == results.decimals["sales_log"]


def test_counts_that_are_not_published_have_their_sign(results):
    own = results.arms["credit"]
    hidden = replace(own, estimates=own.estimates.assign(n_treated=None))
    made = study_tables(replace(results, arms={**results.arms, "credit": hidden}))
    rows = made["arms"].panels[0].rows
    counts = [row.cells[0] for row in rows if row.label == "Joined / comp."]
    assert counts == [WholeNumbers((398, 1071)), HIDDEN]


def test_sums_stand_by_what_they_are_of_and_the_assumption_once(tables):
    table = tables["arm_contrasts"]
    assert [panel.title.split(":")[0] for panel in table.panels] == [
        "Own effect",
        "Overall effect",
        "Contrasts of arms",
    ]
    notes = " ".join(table.notes)
    assert notes.count("which no data show") == 1
    assert "Training less credit: Training − Credit" in notes
    assert "joint covariance" in notes


def test_classes_have_the_labels_of_their_arms_and_small_counts_a_sign(results):
    exposed = results.exposed.copy()
    exposed.loc[exposed["class"] == 2, "n_firms"] = None
    hidden = replace(results, exposed=exposed)
    with results.speaking():
        (table,) = named_tables(hidden, "exposed").values()
    assert table.panels[0].title == "Kilometres to the nearest participant"
    rows = {row.label: row.cells for row in table.panels[0].rows}
    assert list(rows) == ["Within 5 km", "5 to 15 km", "Not exposed"]
    assert rows["Within 5 km"][0] == WholeNumbers((150,))
    assert rows["5 to 15 km"][0] == HIDDEN


def test_a_second_exposure_and_firms_of_neither_kind_are_told(results):
    second = results.exposed.assign(
        exposure="far", n_also=9, n_outside=4 * results.exposed["class"]
    )
    both = replace(results, exposed=conform(EXPOSED, pd.concat([results.exposed, second])))
    with results.speaking():
        (table,) = named_tables(both, "exposed").values()
    assert [panel.title for panel in table.panels] == [
        "Kilometres to the nearest participant, far",
        "Kilometres to the nearest participant, near",
    ]
    assert table.columns[-1].heading == "Also"
    assert table.panels[0].rows[0].cells[-1] == WholeNumbers((9,))
    assert any("in no class and not clean: far, 12." in note for note in table.notes)


def test_notes_are_short_and_tables_stand_in_latex(tables):
    for name in ARM_TABLES:
        assert sum(len(note.split()) for note in tables[name].notes) <= 65, name
        assert r"\begin{tabular" in render_latex(tables[name])


def test_tables_of_one_arm_say_which(tables, results):
    assert tables["main_effects"].notes[-1].startswith("Treated firms: the arm Training")
    own = study_tables(results.arms["within_5"])
    assert set(own) == {"main_effects"}
    assert "does not take part but is exposed" in own["main_effects"].notes[-1]


def test_the_pool_is_said_as_it_is(results, tables, one):
    clean = "firms in none of the arms and not exposed, outside clusters with participants"
    with results.speaking():
        methods, exposed = methods_sentences(results), results.arms["within_5"]
        assert "never-treated" not in " ".join([*methods, *methods_sentences(exposed)])
        assert f"took part (Training) with {clean}" in methods[0]
        said = methods_sentences(exposed)[0]
        settings = {row.label: row.cells[0] for row in settings_table(results).rows()}
    assert f"are exposed (Within 5 km) with {clean}" in said
    assert any(clean in note for note in tables["main_effects"].notes)
    assert settings["Comparison"].plain() == "With firms in none of the arms and not exposed"
    assert "with never-treated firms outside clusters" in methods_sentences(one)[0]


def test_the_page_says_who_else_was_affected_in_fixed_words(results, page):
    shown = words(section(page, "others"))
    assert shown.startswith("Who else was affected? Among firms that did not take part")
    for arm in exposed_arms(results):
        assert LABELS[arm] in shown
    assert re.search(r"Annual sales \(−\d.* to \+\d.* percent\) .*cannot be told", shown)
    assert "Participants and exposed together: " in shown
    assert "(compared)" in shown
    assert not section(page, "arms")
    answered = words(section(page, "answer"))
    assert "Training: compared with firms in none of the arms and not exposed" in answered
    assert not Page(page).faults
    assert len(words_outside_tables(page)) <= 1300


def test_arms_without_exposure_have_a_section_of_their_own():
    found = arm_results(exposed=False, **CHOSEN)
    page = page_of(found, {})
    shown = words(section(page, "arms"))
    assert "(compared)" in shown
    assert "Training: whether there is a change in Annual sales" in shown
    assert "Of 2 contrasts between arms 1 exclude zero: Training less credit, Annual sales" in shown
    assert not section(page, "others")
    with found.speaking():
        assert others_sentences(found) == []
        assert "in none of the arms, outside" in methods_sentences(found)[0]


def test_a_study_of_one_arm_has_neither_section_nor_table(one):
    made = study_tables(one)
    assert set(made) & set(ARM_TABLES) == set()
    with one.speaking():
        assert others_sentences(one) == arms_sentences(one) == []
    assert "arms" not in drawn_figures(one)
    page = page_of(one, {})
    assert not section(page, "others")
    assert not section(page, "arms")


def test_numbers_of_arms_and_sums_have_keys(results):
    every = all_numbers(results)
    quoted = quoted_numbers(results, every)
    place = "covariates_lags.stacked.att.pct"
    for arm in direct_arms(results)[1:] + exposed_arms(results):
        shown = arm_effect(results, arm, "sales_log")
        assert shown is not None
        key = f"madeup.{arm}.sales_log.{place}"
        assert quoted[key].formatted == translated_value(shown, shown.estimate)
    for start in ("own.training.near", "overall.all.near", "contrast.less_credit"):
        assert f"madeup.{start}.sales_log.{place}" in quoted
    assert not any(key.startswith("madeup.training.") for key in every)
    assert json.dumps(sorted(quoted)) == json.dumps(list(quoted))


def test_the_summary_and_the_index_do_not_leave_others_out(results):
    with results.speaking():
        found = summary(results)
    assert "Programme, arm Training" in found
    assert "Among firms that did not take part" in found
    told = json.loads(headlines(results))
    assert any("did not take part" in finding for finding in told["findings"])


def test_a_sum_that_is_not_there_has_its_reason_with_the_labels_of_arms(results):
    why = packed(Reason("arm_without_effect", {"arms": ["within_5"]}))
    table = results.arm_contrasts.copy()
    rows = table["estimand"] == "own"
    numbers = [n for n, column in ARM_CONTRASTS.columns.items() if column.kind == "number"]
    table.loc[rows, numbers] = None
    table = table.assign(
        reason=table["reason"].astype(object).where(~rows, why["reason"]),
        reason_fields=table["reason_fields"].astype(object).where(~rows, why["reason_fields"]),
    )
    without = replace(results, arm_contrasts=conform(ARM_CONTRASTS, table))
    notes = " ".join(study_tables(without)["arm_contrasts"].notes)
    assert "no effect is estimated of Within 5 km" in notes


def test_an_arm_without_support_is_told_with_the_reason(results):
    flow = results.arm_flow.astype({"reason": "str", "reason_fields": "str"}).set_index("arm")
    why = packed(Reason("arm_too_small", {"least": 5}))
    flow.loc["within_15", list(why)] = list(why.values())
    others = {arm: own for arm, own in results.arms.items() if arm != "within_15"}
    without = replace(results, arms=others, arm_flow=conform(ARM_FLOW, flow.reset_index()))
    made = study_tables(without)
    told = "5 to 15 km: fewer than 5 firms in the arm"
    assert any(told in note for note in made["arms"].notes)
    assert any(told in note for note in made["arm_flow"].notes)
    with without.speaking():
        assert "5 to 15 km: fewer than 5 firms in the arm." in others_sentences(without)[0]


def test_the_figure_has_arms_in_order_and_the_comparison_at_zero(results):
    with results.speaking():
        data = FIGURES["arms"].data(results)
        drawn = render_figure(FIGURES["arms"].draw, results, formats=("svg",))
    own = data[data["outcome"] == "sales_log"]
    names = ["Training", "Credit", "Within 5 km", "5 to 15 km", "Out of reach (compared)"]
    assert list(own["name"])[:5] == names
    assert own["headline"].to_list()[:5] == [True, False, False, False, False]
    at_zero = own.iloc[4]
    assert at_zero["estimate"] == at_zero["conf_low"] == at_zero["conf_high"] == 0
    assert drawn["svg"]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["es", "pt"])
def test_other_languages_say_the_same(language):
    found = arm_results(language=language, firms="empresas", **CHOSEN)
    tables = study_tables(found)
    page = page_of(found, tables)
    assert section(page, "others")
    assert "none of the arms" not in page
    assert set(ARM_TABLES) <= set(tables)


@pytest.mark.slow
def test_a_cluster_programme_is_shown_from_the_register_to_the_page(tmp_path):
    found = results_of(estimated_project(tmp_path))
    tables = study_tables(found)
    assert set(ARM_TABLES) <= set(tables)
    shown = words(section(page_of(found, tables), "others"))
    assert "evidence of a rise" in shown
    with found.speaking():
        for arm, gain in {"training": 0.12, "within_5": 0.05, "within_15": 0.02}.items():
            known = arm_effect(found, arm, "sales_log")
            assert known is not None
            assert known.conf_low < gain < known.conf_high, arm


@pytest.mark.parametrize(
    ("arm", "told"), [("training", "totals on the"), ("within_5", "spillover")]
)
def test_tables_of_effects_say_first_what_they_are_of(results, arm, told):
    of_arm = results.arms[arm]
    with of_arm.speaking():
        (table, *_) = named_tables(of_arm, "dynamic_effects").values()
        (scores, *_) = named_tables(of_arm, "balance").values()
    assert table.notes[0].startswith(f"Effects are {told}")
    assert not any(note.startswith("Effects are") for note in scores.notes)
