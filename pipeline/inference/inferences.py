"""All inference on a spec's answer, after estimation: its own errors, and what is asked beside.

Methods are rows of `registry`; those that redo designs run once for all specs.
"""

from dataclasses import dataclass, replace

from pipeline.effects.answers import Answer, Task
from pipeline.effects.families import family_traits
from pipeline.effects.rows import Label, Row, missing_row
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT
from pipeline.errors import Reason
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.analytic import Inferred
from pipeline.inference.bands import band_rows
from pipeline.inference.registry import REGISTRY, Known, Own
from pipeline.matching.redo import Redo
from pipeline.params.inference_methods import METHODS, method_named, primary_methods
from pipeline.params.spec_options import OPTIONS, EstimatesAsked

LINEAR_ONLY = Reason("linear_only")

Pairs = list[tuple[Label, Inferred]]


def inferred_rows(
    label: Label, answer: Answer, spec: EstimatesAsked | None
) -> tuple[list[Row], Pairs]:
    """Return every row of one answer, and its results with their labels and covariances.

    Without a spec errors are analytic, and nothing is asked beside.
    """
    method = str(OPTIONS["inference"]) if spec is None else spec.primary_inference
    return _rows_by(method, label, answer, spec)


def _rows_by(
    method: str, label: Label, answer: Answer, spec: EstimatesAsked | None
) -> tuple[list[Row], Pairs]:
    reasons = answer.reasons.items()
    rows = [missing_row(label, term, why, inference=method) for term, why in reasons]
    found: Pairs = []
    for result in answer.results:
        own, inferred = _own_rows(method)(label, result)
        assumed = tuple(answer.assumes.values())
        own = [row | {"remarks": (*assumed, *row["remarks"])} for row in own]
        rows += own
        if inferred is not None:
            found.append((label, inferred))
            rows += _rows_beside(Known(label, own, inferred, answer.assumes), spec)
    for name, part in answer.by_sample.items():
        further = _rows_by(method, replace(label, sample=name), part, None)
        rows += further[0]
        found += further[1]
    return rows, found


def refused_rows(label: Label, task: Task) -> list[Row]:
    """Return a row for every method that is linear only, where the effect is in ratios."""
    if not task.in_ratios:
        return []
    asked = task.spec.asked_beside_analytic
    return [missing_row(label, ATT, LINEAR_ONLY, inference=name) for name in asked]


def redone_rows(study: Study, redo: Redo, analytic: list[Row]) -> list[Row]:
    """Return the rows of all methods that make designs again, of specs that ask for them."""
    makes = [rows.again for rows in REGISTRY.values() if rows.again is not None]
    return [row for again in makes for row in again(study, redo, analytic)]


def _own_rows(method: str) -> Own:
    """Return how a primary method makes rows; raise ValueError where it is none."""
    own = REGISTRY[method].own if method_named(method).primary else None
    if own is None:
        raise ValueError(f"{method} gives no errors of an effect: {', '.join(primary_methods())}")
    return own


def _rows_beside(known: Known, spec: EstimatesAsked | None) -> list[Row]:
    """Return bands, and the rows of methods that come with the result or are asked for."""
    rows = _bands(known, spec)
    asked = [] if spec is None else spec.asked_beside_analytic
    for name, made in REGISTRY.items():
        option = METHODS[name].option
        if made.beside is not None and (option is None or name in asked):
            settings = None if spec is None or option is None else spec.option(option)
            rows += made.beside(known, settings)
    return rows


def _bands(known: Known, spec: EstimatesAsked | None) -> list[Row]:
    if spec is None or not spec.option("bands"):
        return []
    named = dict.fromkeys(term.family for term in known.inferred.estimated.terms)
    banded = [family for family in named if family_traits(family).banded]
    return [row for family in banded for row in band_rows(known.rows, known.inferred, family)]


@dataclass(frozen=True)
class Found:
    """Hold an estimator's answer, its rows of ESTIMATES, and results with their covariances.

    `inferred` has the label of each: those of further samples are among them.
    """

    answer: Answer
    rows: list[Row]
    inferred: list[tuple[Label, Inferred]]


def answered(task: Task, label: Label) -> Found:
    """Answer a task and infer; raise IdentificationError where nothing can be estimated.

    Raises ValueError where the estimator gives a family of terms that is not declared.
    """
    answer = ESTIMATORS[task.spec.estimator].answer(task)
    for family in {term.family for result in answer.results for term in result.terms}:
        family_traits(family)
    rows, inferred = inferred_rows(label, answer, task.spec)
    return Found(answer, rows + refused_rows(label, task), inferred)
