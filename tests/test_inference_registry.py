"""The registry of methods of inference is complete, and adding a method is local to it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from results import study_results
from stacked_tables import (
    TWO_PAIRS,
    TWO_PAIRS_PANEL,
    estimation,
    matches_from,
    outcomes,
    panel_from,
    treatment,
    weights_from,
)
from told import estimate_specs

from pipeline.datasets.specs import SPECS
from pipeline.effects.study import prepare_study
from pipeline.estimators.registry import ESTIMATORS
from pipeline.exhibits.tables.inference import inference_tables
from pipeline.exhibits.words import language
from pipeline.inference.inferences import redone_rows
from pipeline.inference.registry import REGISTRY, Rows, require_rows
from pipeline.params.inference_methods import METHODS, Method
from pipeline.params.spec_options import OPTIONS
from pipeline.params.valid_inference import VALID

BESIDE_ANY = Method(
    option=None, primary=False, redoes=False, average_only=False, std_error=True, drawn={}
)


def doubled(known, settings):
    pairs = [(row, row.get("std_error", np.nan)) for row in known.rows]
    return [row | {"inference": "doubled", "std_error": 2 * error} for row, error in pairs]


def redone_twice(study, redo, analytic):
    return [row | {"inference": "redone_twice"} for row in analytic]


@pytest.fixture
def made_up(monkeypatch):
    """Register a method for one test, and what tables call it."""

    def register(name, method, rows):
        said = {**language.sentences("en"), f"inference_method.{name}": "Made up"}
        monkeypatch.setitem(METHODS, name, method)
        monkeypatch.setitem(REGISTRY, name, rows)
        monkeypatch.setattr(language, "sentences", lambda _: said)

    return register


def two_pairs():
    panel = panel_from(TWO_PAIRS_PANEL, {"T1": 2002, "T2": 2002})
    matches = matches_from(TWO_PAIRS)
    asked = {"column": "sales", "transform": "level", "unit": "US$", "label": "Sales"}
    return prepare_study(
        panel,
        matches,
        weights_from(matches, panel),
        outcomes=outcomes(sales=asked),
        treatment=treatment(-1, 1),
        matched_times={},
        estimate=estimation(),
    )


def estimated():
    return estimate_specs(two_pairs())


def with_rows_of(method):
    """Return made-up results whose headline effects have a row of another method beside."""
    plain = study_results()
    table, headline = plain.estimates, plain.settings.estimate.headline
    place = [headline.design, headline.spec, headline.term]
    of_headline = (table[["design", "estimator", "term"]] == place).all(axis=1)
    chosen = table[of_headline & table["estimate"].notna()]
    more = pd.concat([table, chosen.assign(inference=method)], ignore_index=True)
    return dataclasses.replace(plain, estimates=more)


def test_the_registry_holds_the_methods_of_params():
    assert list(REGISTRY) == list(METHODS)
    assert {name for name, _ in VALID} <= set(METHODS)


def test_every_method_is_what_an_estimator_says_may_stand_beside_or_the_analytic_one():
    named = frozenset().union(*(row.inference for row in ESTIMATORS.values()))
    assert named | {"analytic"} == set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_an_option_that_asks_for_a_method_is_one_of_specs(name):
    assert METHODS[name].option in {None, *OPTIONS}


@pytest.mark.parametrize("name", METHODS)
def test_settings_of_draws_have_columns_of_specs(name):
    assert set(METHODS[name].drawn.values()) <= set(SPECS.columns)


@pytest.mark.parametrize("trait", [field.name for field in dataclasses.fields(Method)])
def test_a_trait_left_out_is_refused(trait):
    others = {k: v for k, v in vars(BESIDE_ANY).items() if k != trait}
    with pytest.raises(TypeError, match=trait):
        Method(**others)


@pytest.mark.parametrize(
    ("name", "rows", "why"),
    [
        ("jackknife", Rows(beside=doubled), "jackknife is no method of inference: analytic"),
        ("analytic", Rows(beside=doubled), "its traits ask for `own`"),
        ("randomisation", Rows(beside=doubled), "its traits ask for `again`"),
        ("bias_reduced", Rows(), "its traits ask for `beside`"),
        ("bias_reduced", Rows(beside=doubled, again=redone_twice), "its traits ask for `beside`"),
    ],
)
def test_rows_that_are_not_made_as_the_traits_say_are_refused(name, rows, why):
    with pytest.raises(ValueError, match=why):
        require_rows(name, rows)


@pytest.mark.parametrize("language_code", ["en", "es", "pt"])
def test_every_method_has_a_name_in_tables(language_code):
    said = language.sentences(language_code)
    named = {c.split(".")[1] for c in said if c.startswith("inference_method.")}
    assert named == set(METHODS)


@pytest.mark.parametrize("name", [name for name in METHODS if name != "analytic"])
def test_the_table_shows_the_rows_of_every_method(name):
    panels = inference_tables(with_rows_of(name))[0].panels
    said = [language.say(f"inference_method.{method}") for method in ("analytic", name)]
    assert [panel.title for panel in panels] == said
    labels = {row.label for row in panels[1].rows}
    assert ("Std. error" in labels) == METHODS[name].std_error


def test_rows_of_a_method_that_nobody_knows_are_an_error_of_the_table():
    with pytest.raises(ValueError, match="jackknife is no method of inference"):
        inference_tables(with_rows_of("jackknife"))


def test_rows_of_a_method_that_nobody_knows_are_an_error_of_the_results(monkeypatch):
    monkeypatch.setitem(REGISTRY, "jackknife", Rows(beside=doubled))
    monkeypatch.setitem(METHODS, "jackknife", BESIDE_ANY)
    with pytest.raises(ValueError, match="doubled is no method of inference"):
        estimated()


def test_a_method_added_to_the_registry_has_its_rows(made_up):
    plain = estimated().estimates
    made_up("doubled", BESIDE_ANY, Rows(beside=doubled))
    rows = estimated().estimates.set_index(["term", "event_time", "inference"])
    added = rows.xs("doubled", level="inference")["std_error"]
    assert len(rows) == 2 * len(plain)
    assert added.to_dict() == pytest.approx(
        (2 * rows.xs("analytic", level="inference")["std_error"]).to_dict(), nan_ok=True
    )


def test_a_method_added_to_the_registry_is_recorded_in_specs(made_up):
    made_up("doubled", BESIDE_ANY, Rows(beside=doubled))
    assert set(estimated().details["SPECS"]["inference"]) == {'["analytic", "doubled"]'}


def test_a_method_added_to_the_registry_is_shown(made_up):
    made_up("doubled", BESIDE_ANY, Rows(beside=doubled))
    titles = [panel.title for panel in inference_tables(with_rows_of("doubled"))[0].panels]
    assert titles[1] == "Made up"


def test_a_method_that_redoes_designs_is_run_once_for_all_specs(made_up):
    again = dataclasses.replace(BESIDE_ANY, redoes=True)
    made_up("redone_twice", again, Rows(again=redone_twice))
    found = redone_rows(two_pairs(), None, [{"inference": "analytic"}])
    assert {row["inference"] for row in found} == {"redone_twice"}
