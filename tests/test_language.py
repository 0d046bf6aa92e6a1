"""Exhibits in English, Spanish and Portuguese: nothing unsaid, numbers as readers write."""

import re
import sys
from string import Formatter

import latex
import pytest
from phrases import phrases_of_the_code, reasons_of_estimators
from results import OUTCOMES, many_outcomes, study_results

from pipeline.exhibits.numbers import numbers_json, numbers_tex, study_numbers
from pipeline.exhibits.render import rounding
from pipeline.exhibits.render.latex import fits, fits_page, render_latex
from pipeline.exhibits.tables.table import Interval
from pipeline.exhibits.words import language
from pipeline.exhibits.words.portuguese import PORTUGUESE, PORTUGUESE_RETOLD
from pipeline.exhibits.words.spanish import SPANISH, SPANISH_RETOLD
from pipeline.inference.few_clusters import UNBOUNDED
from pipeline.params.exhibit import ExhibitSection
from pipeline.publishing.study import build_exhibits, build_texts, study_tables

CATALOGUES = {"es": SPANISH, "pt": PORTUGUESE}
RETOLD = {"es": SPANISH_RETOLD, "pt": PORTUGUESE_RETOLD}
NASTY = r"R&D_100% ~ año #1 ${x}^\ "


def fields(phrase):
    return {name for _, name, _, _ in Formatter().parse(phrase) if name is not None}


@pytest.mark.parametrize("code", CATALOGUES)
def test_every_phrase_of_the_code_has_a_translation(code):
    assert sorted(phrases_of_the_code() - set(CATALOGUES[code])) == []


@pytest.mark.parametrize("code", CATALOGUES)
def test_a_translation_has_the_fields_of_its_phrase(code):
    for phrase, translation in {**CATALOGUES[code], **RETOLD[code]}.items():
        assert fields(phrase) == fields(translation), phrase


def test_both_catalogues_hold_the_same_phrases():
    assert set(SPANISH) == set(PORTUGUESE)
    assert set(SPANISH_RETOLD) == set(PORTUGUESE_RETOLD)


def exhibit(**changes):
    return study_results(**changes).settings.exhibit


@pytest.mark.parametrize(
    ("code", "expected"),
    [("en", "1,234.50"), ("es", "1.234,50"), ("pt", "1.234,50")],
)
def test_numbers_follow_the_language(code, expected):
    with language.speaking(exhibit(language=code)):
        assert rounding.fixed(1234.5, 2) == expected
        assert rounding.canonical(rounding.fixed(-1234.5, 2)) == "-1234.50"


def test_marks_are_apart_from_the_language():
    mexican = exhibit(language="es", decimal_mark=".", group_mark=",")
    with language.speaking(mexican):
        assert rounding.fixed(1234.5, 1) == "1,234.5"
        assert language.say("Average effect") == "Efecto medio"


def test_equal_marks_are_refused():
    with pytest.raises(ValueError, match="decimal_mark and group_mark are the same"):
        ExhibitSection.model_validate(
            exhibit().model_dump() | {"decimal_mark": ",", "group_mark": ","}
        )


def test_an_interval_with_decimal_commas_is_split_by_a_semicolon():
    with language.speaking(exhibit(language="es")):
        assert Interval(-0.5, 1.25, 2).plain() == "[−0,50; 1,25]"
    assert Interval(-0.5, 1.25, 2).plain() == "[−0.50, 1.25]"


def test_outside_of_a_study_everything_is_english():
    with language.speaking(exhibit(language="pt")):
        pass
    assert language.say("Average effect") == "Average effect"
    assert rounding.fixed(0.5, 1) == "0.5"


def test_words_of_other_stages_are_retold_and_those_of_the_user_are_not():
    with language.speaking(exhibit(language="es")):
        assert language.retell("entry years 1989 only") == "solo los años de entrada 1989"
        assert language.retell("US$ {million}") == "US$ {million}"


@pytest.mark.parametrize("code", ["es", "pt"])
@pytest.mark.parametrize(
    "ties",
    [
        "p = 0.5 where only larger statistics count (boottest)",
        "only larger statistics count (boottest)",
    ],
)
@pytest.mark.parametrize("few", ["", "; uninformative with 1 treated clusters"])
@pytest.mark.parametrize("unbounded", ["", f"; {UNBOUNDED}"])
def test_every_note_of_the_wild_bootstrap_is_retold(code, ties, few, unbounded):
    note = f"restricted wild cluster bootstrap, Webb, 99 draws; {ties}{few}{unbounded}"
    with language.speaking(exhibit(language=code)):
        told = language.retell(note)
    english = ("restricted", "where", "only", "treated", "reject")
    assert not any(word in told.split() for word in english)


@pytest.mark.parametrize("code", CATALOGUES)
def test_no_phrase_is_said_that_has_no_translation(code, monkeypatch):
    """What the static search cannot see: phrases looked up in lists and attributes."""
    unknown = set()
    original = language.say

    def watched(phrase, **given):
        if phrase not in CATALOGUES[code]:
            unknown.add(phrase)
        return original(phrase, **given)

    for module in [m for n, m in sys.modules.items() if n.startswith("pipeline.exhibits.")]:
        if getattr(module, "say", None) is original:
            monkeypatch.setattr(module, "say", watched)
    build_exhibits(study_results(language=code))
    assert sorted(unknown) == []


# A covariate of the made-up study is called so.
COVARIATE = "(% of sales)"

ENGLISH = re.compile(r"\b(the|of|with|and|which|their|is|are|by)\b")


@pytest.mark.parametrize("code", CATALOGUES)
def test_notes_hold_no_english_but_labels(code):
    """The study's labels are replaced by words that are in no English sentence."""
    outcomes = {
        name: {**outcome, "label": "Xx", "unit": "yy", "reason": "zz"}
        if "reason" in outcome
        else {**outcome, "label": "Xx", "unit": "yy"}
        for name, outcome in OUTCOMES.items()
    }
    results = study_results(
        outcomes,
        language=code,
        firms="empresas",
        cluster="municipio",
        source="ww",
        title="tt",
        programme="pp",
        design_labels={"unmatched": "d0", "covariates": "d1", "covariates_lags": "d2"},
        panels=[
            {**panel, "label": "ll"}
            for panel in study_results().settings.exhibit.model_dump()["panels"]
        ],
    )
    for name, table in study_tables(results).items():
        for note in table.notes:
            assert ENGLISH.search(note.replace(COVARIATE, "")) is None, f"{name}: {note}"


def test_values_are_the_same_in_every_language():
    english = study_numbers(study_results())
    spanish = study_results(language="es")
    with language.speaking(spanish.settings.exhibit):
        figures = study_numbers(spanish)
        lines = numbers_tex(figures, "f").decode()
    assert {k: v.value for k, v in figures.items()} == {k: v.value for k, v in english.items()}
    assert numbers_json(figures) != numbers_json(english)
    assert r"\num[output-decimal-marker={,}, group-separator={.}" in lines
    assert not re.search(r"\\num\[[^]]*\]\{[^}]*,", lines)


@pytest.mark.parametrize("code", CATALOGUES)
def test_tables_still_fit_the_page(code):
    for table in study_tables(study_results(many_outcomes(4), language=code)).values():
        assert fits(table)
        assert fits_page(table)


@pytest.mark.parametrize("code", ["en", *CATALOGUES])
def test_the_page_names_its_language(code):
    page = build_texts(study_results(language=code))["report.html"].decode()
    assert f'<html lang="{code}">' in page


@pytest.mark.slow
@pytest.mark.parametrize("code", ["en", *CATALOGUES])
def test_every_table_compiles_in_every_language_with_nasty_labels(code, tmp_path):
    results = study_results(
        many_outcomes(4, NASTY + "x"), language=code, firms="R&D_firms", source=NASTY, title=NASTY
    )
    with language.speaking(results.settings.exhibit):
        fragments = [render_latex(table) for table in study_tables(results).values()]
        numbers = numbers_tex(study_numbers(results), "numbers.tex")
    (tmp_path / "numbers.tex").write_bytes(numbers)
    head = "\\begin{table}\\centering\\caption{What the table shows}\n"
    body = "\n".join(f"{head}{fragment}\\end{{table}}\\clearpage" for fragment in fragments)
    key = "madeup.outcome_0.covariates_lags.stacked.att.pct"
    code_, log = latex.compile_latex(rf"\input{{numbers}}\result{{{key}}}" + body, tmp_path)
    assert latex.faults(log) == []
    assert code_ == 0


@pytest.mark.parametrize("code", ["es", "pt"])
def test_reasons_of_estimators_are_retold(code):
    """Whatever an estimator raises or notes as the reason of a missing row has a translation."""
    with language.speaking(exhibit(language=code)):
        untold = [
            reason
            for reason in reasons_of_estimators()
            if all(language.retell(filled(reason, word)) == filled(reason, word) for word in FILLS)
        ]
    assert untold == []


def test_reasons_are_found_where_estimators_raise_them():
    found = reasons_of_estimators()
    assert "no firm has a positive weight" in found
    assert any(reason.startswith("no {} firm is observed in this year") for reason in found)


FILLS = ("treated", "7")


def filled(reason, word):
    return reason.replace("{}", word)
