"""The registry of tables is complete, and docs/extend.md says how to enter it."""

import csv
import io
from dataclasses import replace
from typing import get_args

import pandas as pd
import pytest
from extend_page import documented_blocks
from published import build_exhibits
from results import study_results
from ruamel.yaml import YAML

from pipeline.exhibits.figures.registry import FIGURES, RegisteredFigure
from pipeline.exhibits.tables import registry
from pipeline.exhibits.words import language
from pipeline.params.exhibit import FigureName, TableName
from pipeline.publishing import publication
from pipeline.publishing.study import build_published, study_tables


def test_every_table_that_params_name_is_registered():
    assert set(registry.TABLES) == set(get_args(TableName))


def test_every_caption_and_section_has_its_words():
    said = language.sentences("en")
    assert [name for name, row in registry.TABLES.items() if row.caption not in said] == []
    assert [section for section in registry.SECTIONS if f"report.{section}" not in said] == []


def test_every_figure_that_params_name_is_registered_with_its_caption():
    assert set(FIGURES) == set(get_args(FigureName))
    assert [n for n, row in FIGURES.items() if row.caption not in language.sentences("en")] == []
    with pytest.raises(TypeError, match="magnitudes"):
        RegisteredFigure(draw=None, caption="captions.overlap", counts=False)


def test_a_section_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="appendix is not a section: data, selection, effects"):
        replace(registry.TABLES["balance"], section="appendix")


def test_a_trait_left_out_is_refused():
    with pytest.raises(TypeError, match="magnitudes"):
        registry.RegisteredTable(make=None, caption="captions.balance", section="data")


def asking(results, *tables):
    exhibit = results.settings.exhibit.model_copy(update={"tables": list(tables), "figures": []})
    return replace(results, settings=replace(results.settings, exhibit=exhibit))


def test_a_table_that_there_is_not_is_an_error():
    with pytest.raises(KeyError, match="firms_behind"):
        study_tables(asking(study_results(), "firms_behind"))


@pytest.fixture
def documented(monkeypatch):
    """Return the files of a study with the page's table, which is registered for one test."""
    module, registration = documented_blocks("A table", "python")
    exec(module, code := {})
    monkeypatch.setitem(registry.TABLES, "firms_behind", None)  # and takes it out again
    exec(registration, vars(registry) | code)
    sections = YAML(typ="safe").load(documented_blocks("A table", "yaml")[0])
    said = {
        f"{section}.{code}": t for section, codes in sections.items() for code, t in codes.items()
    }
    known = language.sentences
    monkeypatch.setattr(language, "sentences", lambda spoken: {**known(spoken), **said})
    results = study_results()
    return results, build_exhibits(asking(results, "balance", "firms_behind", "cohorts"))


def test_the_documented_table_shows_the_firms_behind_each_effect(documented):
    results, files = documented
    shown = list(csv.DictReader(io.StringIO(files["tables/firms_behind.csv"].decode())))
    headline = results.settings.estimate.headline
    rows = results.estimates
    place = {"term": "att", "design": headline.design, "estimator": headline.spec}
    rows = rows[(rows[list(place)] == pd.Series(place)).all(axis=1) & rows["estimate"].notna()]
    expected = rows[["n_treated", "n_control"]].to_numpy().ravel()
    assert sorted(float(row["value"]) for row in shown) == sorted(expected)
    assert len(shown) > 2


def test_every_format_and_page_has_the_documented_table(documented):
    _, files = documented
    words = "many firms the effect on each outcome rests on"
    assert {f"tables/firms_behind.{kind}" for kind in ("tex", "md", "csv")} <= set(files)
    assert rf": how {words}}}\label{{tab:madeup:firms_behind}}" in files["tables.tex"].decode()
    page = files["report.html"].decode()
    assert page.index(language.sentences("en")["report.data"]) < page.index(f"How {words}")
    assert f"<summary>{language.sentences('en')['report.robustness']}" not in page
    manifest = {row[0]: row for row in csv.reader(io.StringIO(files["manifest.csv"].decode()))}
    assert manifest["tables/firms_behind.tex"][2] == "no_magnitudes"
    assert manifest["tables/balance.tex"][2] != "none in it"


def test_results_are_vetted_once_and_each_table_is_made_once(monkeypatch):
    calls = []

    def counted(name, function):
        return lambda *given: calls.append(name) or function(*given)

    row = registry.TABLES["balance"]
    monkeypatch.setitem(registry.TABLES, "balance", replace(row, make=counted("make", row.make)))
    monkeypatch.setattr(publication, "vet_arms", counted("vet_arms", publication.vet_arms))
    public = publication.publish(asking(study_results(), "balance"))
    assert "tables/balance.tex" in build_published(public)
    assert sorted(calls) == ["make", "vet_arms"]
