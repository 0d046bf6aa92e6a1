"""Exhibits in English, Spanish and Portuguese: nothing unsaid, numbers as readers write."""

import re
from string import Formatter

import latex
import pytest
from results import OUTCOMES, many_outcomes, study_results
from said import named_codes, reasons, said_codes, texts_of_code

from pipeline.errors import Reason
from pipeline.exhibits.numbers import numbers_json, numbers_tex, study_numbers
from pipeline.exhibits.render import rounding
from pipeline.exhibits.render.latex import fits, fits_page, render_latex
from pipeline.exhibits.tables.table import Interval
from pipeline.exhibits.words import language
from pipeline.params.exhibit import ExhibitSection
from pipeline.params.nouns import one_of
from pipeline.publishing.study import build_texts, study_tables

LANGUAGES = ["en", "es", "pt"]
TRANSLATIONS = ["es", "pt"]
ENGLISH_SENTENCES = language.sentences("en")
NASTY = r"R&D_100% ~ año #1 ${x}^\ "


# The study's words for the unit and the period, of which each language needs other forms.
WORDS = {"firm", "firms", "Firms", "period", "periods", "Period", "Periods", "by_period", "agree"}


def fields(phrase):
    return {name for _, name, _, _ in Formatter().parse(phrase) if name is not None} - WORDS


@pytest.mark.parametrize("code", TRANSLATIONS)
def test_languages_have_the_same_codes_in_the_same_order_with_the_same_fields(code):
    sentences = language.sentences(code)
    assert list(sentences) == list(ENGLISH_SENTENCES)
    for name, sentence in sentences.items():
        assert fields(sentence) == fields(ENGLISH_SENTENCES[name]), name


def test_every_code_that_is_said_has_a_sentence():
    codes, patterns = said_codes()
    sections = {code.split(".")[0] for code in ENGLISH_SENTENCES}
    assert sorted((codes | named_codes(sections)) - set(ENGLISH_SENTENCES)) == []
    empty = [p for p in patterns if not any(re.fullmatch(p, c) for c in ENGLISH_SENTENCES)]
    assert empty == []


# Said by the code that a reason or a step has, and by their fields.
_GIVEN = ("reason", "step", "issue", "action")
_OF_REASONS = {*_GIVEN, "group", "weights"}
TOLD = {c.split(".")[1]: c for c in ENGLISH_SENTENCES if c.split(".")[0] in _GIVEN}


def test_every_reason_that_is_given_has_a_sentence_with_its_fields():
    given = list(reasons())
    assert len(given) > 100
    for code, names in given:
        found = [told for told in TOLD if re.fullmatch(code, told)]
        assert found, code
        wanted = [fields(ENGLISH_SENTENCES[TOLD[told]]) for told in found]
        assert names is None or names - WORDS in wanted, code


def test_every_sentence_of_a_reason_is_one_that_is_given():
    texts = texts_of_code()
    patterns = re.compile("|".join(sorted(code for code, _ in reasons() if "[" in code)))
    assert [c for c in TOLD if c not in texts and not patterns.fullmatch(c)] == []


def test_every_sentence_has_a_code_that_says_it():
    codes, patterns = said_codes()
    named = codes | named_codes({code.split(".")[0] for code in ENGLISH_SENTENCES})
    of_params = re.compile("|".join(sorted(patterns)))
    ours = [c for c in ENGLISH_SENTENCES if c.split(".")[0] not in _OF_REASONS]
    unused = [c for c in ours if c not in named and not of_params.fullmatch(c)]
    assert unused == []


def test_an_unknown_code_is_an_error_that_names_it():
    with pytest.raises(KeyError, match=r"row\.nobody_says_this"):
        language.say("row.nobody_says_this")


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
        assert language.say("row.average_effect") == "Efecto medio"


@pytest.mark.parametrize(
    ("firms", "code", "firm"),
    [
        ("plants", "en", "plant"),
        ("enterprises", "en", "enterprise"),
        ("empresas", "es", "empresa"),
        ("indústrias", "pt", "indústria"),
        ("companies", "en", "company"),
        ("Counties", "en", "county"),
        ("productores", "es", "productor"),
        ("buses", "en", "unit"),
        ("granjas avícolas", "es", "unidad"),
        ("aviários", "pt", "unidade"),
    ],
)
def test_one_of_the_firms_is_called_by_a_known_word_or_a_unit(firms, code, firm):
    assert exhibit(firms=firms, language=code).firm == firm
    assert exhibit(firms=firms, language=code, firm="own word").firm == "own word"


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_word_for_the_units_is_cut(code):
    """What stands where one is meant is a known word, or a unit."""
    known = {one_of(word, code) for word in ("firms", "empresas", "nobody's word")}
    for firms in ("wives", "lenses", "crises", "oficinas", "quintais"):
        assert one_of(firms, code) in known


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
    assert language.say("row.average_effect") == "Average effect"
    assert rounding.fixed(0.5, 1) == "0.5"


def test_a_reason_is_told_with_its_fields_and_the_text_of_users_stays_theirs():
    matched = Reason("event_times_tested", {"times": [-4, -3]})
    nobody = Reason("nobody_in_one_of_two_years", {"group": "comparison"})
    nested = Reason("cells_untested", {"n": 2, "reason": nobody})
    own = Reason("not_observed", {"reason": "US$ {million}"})
    drawn = Reason("randomisation_random", {"n_clusters": 2015, "drawn": 4999, "possible": 12870})
    drawn = Reason(drawn.code, {**drawn.fields, "smallest_p": 0.00012345})
    assert language.tell_all([matched, own]) == "event times −4, −3; not observed: US$ {million}"
    assert language.tell(nested).endswith(
        "entry: no comparison firm is observed in one of the two years"
    )
    with language.speaking(exhibit(language="es")):
        assert language.tell(nested).endswith(
            "ninguna empresa de comparación se observa en uno de los dos años"
        )
        told = language.tell(drawn)
    assert "entre 2015 conglomerados, 4.999 al azar de 12.870 asignaciones" in told
    assert told.endswith("0,00012")


@pytest.mark.parametrize("code", LANGUAGES)
def test_levels_in_reasons_are_called_as_the_study_calls_them(code):
    nested = Reason("two_way_nested", {"inner_level": "firm", "outer_level": "assignment"})
    split = Reason(
        "two_way_splits_assignment", {"first_level": "assignment", "second_level": "firm"}
    )
    words = {"firm": "<unit>", "assignment": "<place>"}
    with language.speaking(exhibit(language=code), words):
        told = language.tell(nested)
        assert told.index("<unit>") < told.index("<place>")
        told = language.tell(split)
        assert told.index("<place>") < told.index("<unit>")
        with pytest.raises(KeyError):
            language.tell(Reason(nested.code, {**nested.fields, "outer_level": "unknown"}))


# A covariate of the made-up study is called so.
COVARIATE = "(% of sales)"

ENGLISH = re.compile(r"\b(the|of|with|and|which|their|is|are|by)\b")


@pytest.mark.parametrize("code", TRANSLATIONS)
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
    assert "Generated" not in lines and "is not in" not in lines
    assert r"\num[output-decimal-marker={,}, group-separator={.}" in lines
    assert not re.search(r"\\num\[[^]]*\]\{[^}]*,", lines)


@pytest.mark.parametrize("code", TRANSLATIONS)
def test_tables_still_fit_the_page(code):
    for table in study_tables(study_results(many_outcomes(4), language=code)).values():
        assert fits(table)
        assert fits_page(table)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_page_names_its_language(code):
    page = build_texts(study_results(language=code))["report.html"].decode()
    assert f'<html lang="{code}">' in page


@pytest.mark.slow
@pytest.mark.parametrize("code", LANGUAGES)
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
