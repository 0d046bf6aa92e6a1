"""Every family that an estimator or analysis can give is declared; one that is not is an error."""

import ast
import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
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

import pipeline.analyses
import pipeline.estimators
import pipeline.params.estimate as estimate_params
from pipeline.effects.families import FAMILIES, family_traits
from pipeline.effects.rows import Label, effect_row
from pipeline.effects.study import prepare_study
from pipeline.effects.terms import ATT, Term, bounds_on
from pipeline.estimators import registry
from pipeline.params.analyses import Margins

# Terms of a regression's cells, which only averages of them leave the estimator.
INNER = {"cell"}


def families_named(package):
    """Return the families of the terms that modules of a package make, by module."""
    folder = Path(package.__path__[0])
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Term":
                yield path.name, ast.unparse(node.args[0])


def told_apart(package):
    """Return the families that modules of a package name, and what they make others of."""
    named = {said for _, said in families_named(package)}
    fixed = {said for said in named if re.match("f?['\"][^{]*$", said)}
    return {ast.literal_eval(said) for said in fixed}, named - fixed


def test_every_family_that_an_estimator_names_is_declared():
    fixed, composed = told_apart(pipeline.estimators)
    assert len(fixed) > 6
    assert fixed - INNER <= set(FAMILIES)
    assert composed == {"f'{asked}_average'"}


def test_every_family_that_an_analysis_names_is_declared():
    fixed, composed = told_apart(pipeline.analyses)
    assert len(fixed) > 6
    assert fixed <= set(FAMILIES)
    # Those asked for in params, and those of rows that are there.
    assert composed == {"name", "scale", "summary['term']"}
    scales = Margins.model_fields["unit_dependent"].annotation
    assert set(get_args(get_args(scales)[0])) <= set(FAMILIES)


def test_bounds_are_of_declared_families_on_those_that_declare_them():
    assert [bound.family for bound in bounds_on(ATT)] == ["att_lower", "att_upper"]
    bounds = [bound for family in FAMILIES.values() for bound in family.bounds or ()]
    assert set(bounds) <= set(FAMILIES)
    with pytest.raises(ValueError, match="total does not declare `bounds`"):
        bounds_on(Term("total"))


def test_no_row_is_of_a_family_that_there_is_not():
    label = Label("sales", "nearest", "main", "att", "log", "assignment", 0.95)
    with pytest.raises(ValueError, match="dose is not a family of terms"):
        effect_row(label, Term("dose"))


def test_every_family_that_params_ask_for_is_declared_and_so_is_what_stands_in_for_it():
    specs = get_args(get_args(estimate_params.Spec)[0])
    fields = [get_args(spec.model_fields["terms"].annotation)[0] for spec in specs]
    asked = {term for field in fields for term in get_args(field)}
    assert "event_balanced" in asked
    assert asked <= set(FAMILIES)
    assert {family.stands_in for family in FAMILIES.values()} <= set(FAMILIES)


def test_a_family_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="dose is not a family of terms: att, att_lower"):
        family_traits("dose")


def test_an_estimator_that_gives_another_family_is_refused(monkeypatch):
    def dose(task):
        answer = known.estimate(task)
        (found,) = answer.results
        return replace(answer, results=[replace(found, terms=(Term("dose"),))])

    known = registry.ESTIMATORS["stacked"]
    monkeypatch.setitem(registry.ESTIMATORS, "stacked", replace(known, estimate=dose))
    panel, matches = panel_from(TWO_PAIRS_PANEL, {"T1": 2002, "T2": 2002}), matches_from(TWO_PAIRS)
    asked = {"column": "sales", "transform": "level", "unit": "US$", "label": "Sales"}
    study = prepare_study(
        panel,
        matches,
        weights_from(matches, panel),
        outcomes=outcomes(sales=asked),
        treatment=treatment(-1, 1),
        matched_times={},
        estimate=estimation(terms=["att"], average="pooled"),
    )
    with pytest.raises(ValueError, match="dose is not a family of terms"):
        estimate_specs(study)
