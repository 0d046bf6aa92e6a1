"""The registry of estimators is complete, and docs/extend.md says how to enter it."""

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from extend_page import documented_blocks
from keyed import figure
from ruamel.yaml import YAML
from stacked_tables import estimation, matches_from, outcomes, panel_from, treatment, weights_from
from told import estimate_specs

import pipeline.params.estimate as estimate_params
from pipeline.datasets.fits import DETECTABLE
from pipeline.effects.collected import Results
from pipeline.effects.study import prepare_study
from pipeline.estimators import registry
from pipeline.exhibits.words.language import sentences

PANEL = """
firm_id cluster 2001 2002 2003
T1      a       10   15   18
T2      b       10   11   20
C1      c       20   21   22
C2      d       30   31   33
"""
SETS = """
stack set_id firm_id treated
2002  A      T1      1
2002  A      C1      0
2002  B      T2      1
2002  B      C2      0
"""


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
    panel = panel_from(PANEL, {"T1": 2002, "T2": 2002})
    matches = matches_from(SETS)
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
    (row,) = results.estimates.to_dict("records")
    assert row["estimator"] == "means"
    assert row["estimate"] == pytest.approx(np.mean([15, 18, 11, 20]) - np.mean([21, 22, 31, 33]))
    assert row["std_error"] > 0
    assert row["n_clusters"] == 4
    assert figure(results, DETECTABLE, "effect", estimator="means", treated_clusters=None) > 0


def test_the_documented_estimator_says_that_it_has_no_ratios(documented):
    (row,) = run(documented, transform="proportional").estimates.to_dict("records")
    assert row["reason"] == "ratios_by_stacked_only"


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
