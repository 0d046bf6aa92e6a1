"""All inference on a spec's answer, after estimation: analytic rows, and what is asked beside them.

A method that can be read off a result stands in BESIDE, one row a method; those that redo designs
(bootstrap, randomisation) run once for all specs, see `analyses.specs`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pipeline.effects.answers import Answer
from pipeline.effects.families import family_traits
from pipeline.effects.matched_effects import MatchedEffects
from pipeline.effects.rows import Label, Row, missing_row
from pipeline.effects.tasks import Task
from pipeline.effects.terms import ATT
from pipeline.errors import Reason
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.abadie_imbens import abadie_imbens_rows
from pipeline.inference.analytic import Inferred, analytic_rows, infer
from pipeline.inference.bands import band_rows
from pipeline.inference.bias_reduced import bias_reduced_rows
from pipeline.inference.imbens_manski import bound_rows
from pipeline.inference.wild_bootstrap import wild_bootstrap_row
from pipeline.params.spec_options import EstimatesAsked

LINEAR_ONLY = Reason("linear_only")


def inferred_rows(
    label: Label, answer: Answer, spec: EstimatesAsked | None
) -> tuple[list[Row], list[tuple[Label, Inferred]]]:
    """Return every row of one answer, and its results with their labels and covariances.

    Without a spec nothing is asked beside the analytic rows.
    """
    rows = [missing_row(label, term, why) for term, why in answer.reasons.items()]
    found: list[tuple[Label, Inferred]] = []
    for result in answer.results:
        if isinstance(result.source, MatchedEffects):
            rows += abadie_imbens_rows(label, result)
            continue
        inferred = infer(result, label.cluster)
        found.append((label, inferred))
        if answer.assumes:
            ((term, assumes),) = answer.assumes.items()
            rows += bound_rows(label, term, inferred, assumes)
            continue
        own = analytic_rows(label, inferred)
        rows += own
        if spec is not None:
            rows += _bands(own, inferred, spec)
            rows += [row for beside in BESIDE.values() for row in beside(own, inferred, spec)]
    for name, part in answer.by_sample.items():
        further = inferred_rows(replace(label, sample=name), part, None)
        rows += further[0]
        found += further[1]
    return rows, found


def refused_rows(label: Label, task: Task) -> list[Row]:
    """Return a row for every method that is linear only, where the effect is in ratios."""
    if not task.in_ratios:
        return []
    asked = task.spec.asked_beside_analytic
    return [missing_row(label, ATT, LINEAR_ONLY, inference=name) for name in asked]


def _bands(rows: list[Row], inferred: Inferred, spec: EstimatesAsked) -> list[Row]:
    if not spec.option("bands"):
        return []
    named = dict.fromkeys(term.family for term in inferred.estimated.terms)
    banded = [family for family in named if family_traits(family).banded]
    return [row for family in banded for row in band_rows(rows, inferred, family)]


def _bias_reduced(rows: list[Row], inferred: Inferred, spec: EstimatesAsked) -> list[Row]:
    if not spec.option("bias_reduced") or not _is_linear(inferred):
        return []
    return bias_reduced_rows(rows, inferred)


def _wild(rows: list[Row], inferred: Inferred, spec: EstimatesAsked) -> list[Row]:
    settings = spec.option("wild_bootstrap")
    if settings is None or not _is_linear(inferred) or ATT not in inferred.estimated.terms:
        return []
    position = inferred.estimated.terms.index(ATT)
    return [wild_bootstrap_row(rows[position], inferred, settings)]


def _is_linear(inferred: Inferred) -> bool:
    regression = inferred.estimated.regression
    return regression is not None and regression.is_linear


Beside = Callable[[list[Row], Inferred, EstimatesAsked], list[Row]]
BESIDE: Mapping[str, Beside] = {"bias_reduced": _bias_reduced, "wild_bootstrap": _wild}


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
