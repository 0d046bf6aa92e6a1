"""Notes say once, and short, what a table's reader must know; the rest on request."""

import dataclasses
import json

import pytest
from published import build_exhibits
from results import OUTCOMES, study_results

from pipeline.errors import ParamsError
from pipeline.exhibits.numbers import numbers_tex
from pipeline.exhibits.quoted_numbers import all_numbers, quoted_numbers
from pipeline.exhibits.tables.panels import Shown, lettered_panels
from pipeline.exhibits.words.cautions import panel_warnings
from pipeline.exhibits.words.main_notes import main_notes, reasons_of_dashes
from pipeline.exhibits.words.methods_paragraph import methods_sentences
from pipeline.exhibits.words.short_notes import short_notes
from pipeline.publishing.study import build_texts, study_tables

MOST_OF_MAIN, MOST = 110, 60
# The same sentences take a seventh more words in Spanish and Portuguese.
MOST_OF_METHODS = {"en": 180, "es": 205, "pt": 205}
KEY = "madeup.sales_log.covariates_lags.stacked"


def n_words(sentences):
    return len(" ".join(sentences).split())


def parts(results):
    """Return the notes of every panel, and what stands in them whatever the count."""
    shown = Shown(dict(enumerate(OUTCOMES, 1)), lettered_panels(results))
    exempt = [*panel_warnings(results, shown), *reasons_of_dashes(results, shown)]
    return short_notes(results, shown), main_notes(results, shown), exempt


def test_short_notes_of_the_main_table_keep_to_their_words_and_every_caution():
    short, full, exempt = parts(study_results())
    assert exempt and set(exempt) <= set(short) and set(exempt) <= set(full)
    others = [note for note in short if note not in exempt]
    assert 60 < n_words(others) <= MOST_OF_MAIN
    told = " ".join(others)
    for said in ("stacked difference-in-differences", "never-treated firms", "in brackets"):
        assert said in told
    assert "clustered by municipality x sector" in told


def test_notes_in_full_say_more_than_short_ones():
    short, full = (study_tables(study_results(notes=kind)) for kind in ("short", "full"))
    fuller = {n for n in short if n_words(full[n].notes) > n_words(short[n].notes)}
    assert fuller >= {"main_effects", "balance", "cohorts", "sample_flow", "dynamic_effects"}
    assert all(n_words(short[n].notes) <= n_words(full[n].notes) for n in short)


@pytest.mark.parametrize("name", ["balance", "cohorts", "sample_flow", "missingness"])
def test_other_short_notes_keep_to_their_words(name):
    assert n_words(study_tables(study_results(notes="short"))[name].notes) <= MOST


@pytest.mark.parametrize("code", MOST_OF_METHODS)
def test_conventions_stand_once_in_the_methods_paragraph(code):
    results = study_results(language=code)
    with results.speaking():
        sentences = methods_sentences(results)
    assert 100 < n_words(sentences) <= MOST_OF_METHODS[code]
    file = build_texts(results)["methods.tex"].decode()
    assert file.startswith("\\noindent\\textbf{")
    assert "G/(G$-$1)" in file


def test_a_clause_whose_option_is_off_is_not_said():
    results = study_results()
    with results.speaking():
        logs = methods_sentences(results)
    level = {"column": "jobs", "transform": "level", "unit": "jobs", "label": "Jobs"}
    plain = study_results({"jobs": level})
    with plain.speaking():
        levels = methods_sentences(plain)
    assert any("exp(b)" in sentence for sentence in logs)
    assert not any("exp(b)" in sentence for sentence in levels)


def test_numbers_for_prose_are_those_of_headline_and_panels():
    files = build_exhibits(study_results(tables=["main_effects"], figures=[]))
    every, quoted = (json.loads(files[name]) for name in ("numbers_all.json", "numbers.json"))
    assert quoted.keys() < every.keys()
    assert {f"{KEY}.event[-2].pct", f"{KEY}.att.pct_se", f"{KEY}.att.p_value"} <= quoted.keys()
    stored = ("estimate", "std_error", "conf_low", "conf_high", "mde")
    left = {key for key in every if key not in quoted and not key.endswith(stored)}
    assert left and all(".event[" in key and not key.startswith(KEY) for key in left)
    assert f"{KEY}.att.estimate" in every.keys() - quoted.keys(), "log points are told nowhere"


def quoting(*keys):
    results = study_results()
    exhibit = results.settings.exhibit.model_copy(update={"quote": list(keys)})
    return dataclasses.replace(
        results, settings=dataclasses.replace(results.settings, exhibit=exhibit)
    )


def test_a_key_that_is_quoted_joins_and_an_unknown_one_is_named():
    key = "madeup.sales_log.covariates.stacked.event[-2].pct"
    results = quoting(key)
    every = all_numbers(results)
    assert key not in quoted_numbers(study_results(), every)
    assert quoted_numbers(results, every)[key] == every[key]
    with pytest.raises(ParamsError, match=r"madeup.exhibit.quote: .*typo.* nearest is madeup"):
        quoted_numbers(quoting(f"{KEY}.att.typo"), every)


def test_latex_names_the_setting_that_brings_a_key_back():
    assert "exhibit.quote" in numbers_tex({}, "f").decode()
