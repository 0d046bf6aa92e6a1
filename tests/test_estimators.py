"""The registry of estimators is complete, and docs/extend.md says how to enter it."""

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

import bad_chains
import lalonde
import numpy as np
import pytest
from extend_page import documented_blocks
from keyed import figure
from ruamel.yaml import YAML
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
from test_match_order import PAIRS, lalonde_study
from told import estimate_specs

import pipeline.params.estimate as estimate_params
from pipeline.datasets.fits import DETECTABLE
from pipeline.effects.collected import Results
from pipeline.effects.study import prepare_study
from pipeline.estimators import registry
from pipeline.estimators.estimator import Estimator
from pipeline.exhibits.words.estimators import COMPOSED
from pipeline.exhibits.words.language import sentences
from pipeline.inference.match_order import order_effects


def named_by_params() -> set[str]:
    specs = get_args(get_args(estimate_params.Spec)[0])
    fields = [spec.model_fields["estimator"].annotation for spec in specs]
    return {name for field in fields for name in get_args(field)}


def test_every_estimator_that_params_name_is_registered():
    assert set(registry.ESTIMATORS) == named_by_params()


def test_every_estimator_has_a_name_in_tables():
    named = {c.split(".")[1] for c in sentences("en") if c.startswith("estimator.")}
    assert named == named_by_params()


@pytest.fixture
def documented(monkeypatch):
    """Return the settings of the page's estimator, which is registered for one test."""
    module, settings, registration = documented_blocks("An estimator", "python")
    exec(settings, names := dict(vars(estimate_params)))
    monkeypatch.setattr(
        estimate_params, "MeanDifferenceSpec", names["MeanDifferenceSpec"], raising=False
    )
    exec(module, code := {})
    monkeypatch.setitem(registry.ESTIMATORS, "mean_difference", None)  # and takes it out again
    exec(registration, vars(registry) | code | {"MeanDifferenceSpec": names["MeanDifferenceSpec"]})
    ((name, asked),) = YAML(typ="safe").load(documented_blocks("An estimator", "yaml")[0]).items()
    asked |= {"name": name, "designs": ["matched"]}
    return names["MeanDifferenceSpec"].model_validate(asked)


def run(spec, **outcome) -> Results:
    panel = panel_from(TWO_PAIRS_PANEL, {"T1": 2002, "T2": 2002})
    matches = matches_from(TWO_PAIRS)
    asked = {"column": "sales", "transform": "level", "unit": "US$", "label": "Sales"} | outcome
    study = prepare_study(
        panel,
        matches,
        weights_from(matches, panel),
        outcomes=outcomes(sales=asked),
        treatment=treatment(-1, 1),
        matched_times={},
        estimate=estimation().model_copy(update={"specs": [spec]}),
    )
    return estimate_specs(study)


def test_the_documented_estimator_estimates(documented):
    results = run(documented)
    row, early = results.estimates.to_dict("records")
    assert (early["sample"], early["reason"]) == ("placebo_entry", "no_placebo_years")
    assert row["estimator"] == "means"
    assert row["estimate"] == pytest.approx(np.mean([15, 18, 11, 20]) - np.mean([21, 22, 31, 33]))
    assert row["std_error"] > 0
    assert row["n_clusters"] == 4
    assert figure(results, DETECTABLE, "effect", estimator="means", treated_clusters=None) > 0


def test_the_documented_estimator_says_that_it_has_no_ratios(documented):
    (row,) = run(documented, transform="proportional").estimates.to_dict("records")
    assert row["reason"] == "ratios_by_stacked_only"


def test_the_documented_estimator_is_drawn_again(documented, monkeypatch):
    """Bootstrap and the analytic row are of the same estimate; draws make the error."""
    drawn = {"inference": "cluster_bootstrap", "draws": 50, "seed": 1}
    plain = documented.model_dump(exclude={"randomisation"}) | drawn | {"designs": ["odds"]}
    own = type(documented).model_validate(plain)
    section = bad_chains.estimate_section
    monkeypatch.setattr(
        bad_chains,
        "estimate_section",
        lambda **asked: section(**asked).model_copy(update={"specs": [own]}),
    )
    stand_in = bad_chains.named("means", "stacked", average="event", designs=["odds"])
    rows = bad_chains.chained(specs=[stand_in]).estimates.set_index(["inference", "sample"])
    rows = rows[rows["estimator"] == "means"]
    analytic, bootstrap = (rows.loc[(name, "all")] for name in ("analytic", "cluster_bootstrap"))
    assert bootstrap["estimate"] == analytic["estimate"]
    assert bootstrap["std_error"] > 0
    assert bootstrap["std_error"] != analytic["std_error"]


def test_the_documented_estimator_is_matched_in_other_orders(documented):
    """LaLonde's 894.37 becomes 908.20 with rows reversed, as by the stacked estimator."""
    table = lalonde.read_lalonde()
    tables, sections, redo = lalonde_study(table, PAIRS)
    own = documented.model_copy(update={"name": "main"})
    sections["estimate"] = sections["estimate"].model_copy(update={"specs": [own]})
    (row,) = order_effects(prepare_study(*tables, **sections), redo)
    assert row["att_rows_reversed"] == pytest.approx(908.20, abs=5e-3)


@pytest.mark.parametrize("trait", [field.name for field in fields(Estimator)])
def test_a_trait_left_out_is_refused(trait):
    others = {k: v for k, v in vars(registry.ESTIMATORS["stacked"]).items() if k != trait}
    with pytest.raises(TypeError, match=trait):
        Estimator(**others)


@pytest.mark.parametrize(
    ("name", "traits", "why"),
    [
        ("twoway", {"inference": frozenset()}, "bias_reduced, which the trait `inference` lacks"),
        ("twoway", {"inference": frozenset({"jackknife"})}, "jackknife is no method of inference"),
        ("stacked", {"redone": None}, "the trait `redone` is None"),
        ("stacked", {"estimate": None}, "either answers a task"),
        ("lee_bounds", {"anew": print}, "either answers a task"),
    ],
)
def test_traits_that_contradict_what_specs_can_ask_for_are_refused(name, traits, why):
    with pytest.raises(ValueError, match=why):
        replace(registry.ESTIMATORS[name], **traits)


def test_an_estimator_that_is_not_redone_says_so():
    with pytest.raises(ValueError, match="TwowaySpec is not redone on samples made again"):
        registry.ESTIMATORS["twoway"].again()


def test_every_estimator_has_its_sentence_or_says_that_its_name_is_one():
    assert {row.words for row in registry.ESTIMATORS.values()} - {None} == set(COMPOSED)


def test_every_block_of_the_page_on_estimators_is_a_spec():
    """docs/estimators.md shows a valid entry for every estimator."""
    page = (Path(__file__).parent.parent / "docs" / "estimators.md").read_text(encoding="utf-8")
    found = {}
    for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL):
        found |= YAML(typ="safe").load(block)
    section = estimation().model_dump(exclude_unset=True)
    designs = {design for spec in found.values() for design in spec["designs"]}
    headline = {"spec": "stacked", "design": "covariates", "term": "att"}
    made = type(estimation()).model_validate(section | {"specs": found, "headline": headline})
    assert {spec.estimator for spec in made.specs} == set(registry.ESTIMATORS)
    assert designs == {"unmatched", "covariates", "entropy"}
