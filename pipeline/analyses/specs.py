"""Every estimate that params ask for: spec x design x outcome."""

from collections.abc import Callable
from functools import partial

import numpy as np

from pipeline.analyses.analyses import add_analyses
from pipeline.analyses.beside import add_beside, add_unused, describe
from pipeline.analyses.placebo_entry import placebo_rows
from pipeline.analyses.unit_dependence import add_unit_dependence
from pipeline.analyses.what_ran import add_specs, solver
from pipeline.datasets.fits import DETECTABLE, FITS, PRE_TREND_POWER
from pipeline.datasets.results import PLACE
from pipeline.effects.answers import Answer, Task
from pipeline.effects.collected import Collected, Results
from pipeline.effects.exposed_arm import ExposedArm
from pipeline.effects.families import family_traits
from pipeline.effects.rows import ALL, Label, missing_row, place_of, spec_label
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study, asked, outcome_sample
from pipeline.effects.terms import Term
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.detectable import detectable_row
from pipeline.inference.errors_by_firm import caution_errors_by_firm
from pipeline.inference.inferences import answered, inferred_rows, redone_rows
from pipeline.inference.match_order import order_effects
from pipeline.inference.multiplicity import family_tests
from pipeline.inference.pre_trends import pre_trend_test
from pipeline.inference.romano_wolf import romano_wolf_tests
from pipeline.inference.stored import keep
from pipeline.inference.validity import require_valid
from pipeline.matching.redo import Redo
from pipeline.parallel import results_in_order
from pipeline.params.estimate import Spec
from pipeline.params.inference_faults import Remade
from pipeline.progress import at, track

_OF_FIT = ("design", "outcome", "estimator")

# What is made of standard errors, by the table that holds it.
_OF_ERRORS = {
    DETECTABLE: ("effect", "effect_in_unit"),
    PRE_TREND_POWER: ("slope_jointly", "slope_by_any"),
}


def estimate_specs(study: Study, redo: Redo | None = None) -> Results:
    """Estimate every spec on its designs and outcomes; return the results tables.

    What cannot be estimated is a row with the reason. `redo` is what it takes to make weights
    again, for the bootstrap and for other orders of matching. Raises IdentificationError where an
    outcome is never observed before entry, or a spec's inference is not valid for a design.
    """
    _check_inference(study, redo)
    collected = Collected(study)
    wanted = list(asked(study))
    named = track(
        wanted,
        "designs and outcomes",
        len(wanted),
        name=lambda item: f"{item[0]}, {item[1]}, {len(study.stacks[item[0]].firm):,} firms",
        sizes=[len(study.stacks[design].firm) * len(specs) for design, _, specs in wanted],
    )
    for found in results_in_order(partial(_of_outcome, study), named):
        collected.add_all(found)
    if redo is not None:
        _add_redone(collected, study, redo)
    collected.tests += family_tests(collected.estimates, study.outcomes)
    if study.estimate.romano_wolf is not None:
        draws = study.estimate.romano_wolf
        collected.tests += romano_wolf_tests(collected, study, draws)
    add_analyses(collected, study, redo)
    add_specs(collected, study, redo)
    caution_errors_by_firm(collected, study)
    if study.exposed is not None:
        withhold_of_few(collected, study.exposed)
    with at("tables of results"):
        return collected.tables()


def withhold_of_few(collected: Collected, exposed: ExposedArm) -> None:
    """Take intervals, tests, covariances and power away where an arm's exposed firms are few."""
    few = exposed.places(collected.estimates)
    fits = {tuple(dict(zip(PLACE, place, strict=True))[n] for n in _OF_FIT) for place in few}
    for table, figures in _OF_ERRORS.items():
        for row in collected.details[table].values():
            if tuple(row[name] for name in _OF_FIT) in fits:
                row.update(dict.fromkeys(figures, np.nan))
    collected.estimates = exposed.effects(collected.estimates)
    collected.tests = exposed.tests(collected.tests)
    collected.kept = [k for k in collected.kept if tuple(place_of(k.label).values()) not in few]


def _of_outcome(study: Study, wanted: tuple[str, str, list[Spec]]) -> Collected:
    """Return what every spec finds on one design and outcome."""
    design, name, specs = wanted
    collected = Collected(study)
    if not study.outcomes[name].observed:
        why = Reason("not_observed", {"reason": study.outcomes[name].reason})
        for spec in specs:
            _add_missing(collected, spec_label(study, spec, design, name), spec, why)
        return collected
    sample = outcome_sample(study, design, name)
    describe(collected, study, sample, name)
    for spec in specs:
        _add_spec(collected, study, spec, sample, name)
    return collected


def _is_never_zero(task: Task) -> bool:
    """Say whether an outcome that tells zero from more is above zero in every row."""
    counted = task.study.outcomes[task.outcome].transform == "any"
    return counted and task.sample.y.size > 0 and bool((task.sample.y == 1).all())


def _check_inference(study: Study, redo: Redo | None) -> None:
    """Refuse, before anything is estimated, inference that a design does not allow."""
    for spec in study.estimate.specs:
        for design in spec.designs:
            require_valid(spec, study.stacks[design], redo.rule(design) if redo else Remade())


def _add_missing(collected: Collected, label: Label, spec: Spec, reason: Reason) -> None:
    """Add one row per family of terms asked for, each with the reason for all of them."""
    families = [family_traits(asked).stands_in for asked in spec.terms]
    collected.estimates += [missing_row(label, Term(name), reason) for name in families]


def _add_spec(
    collected: Collected, study: Study, spec: Spec, sample: StackedSample, name: str
) -> None:
    if ESTIMATORS[spec.estimator].estimate is None:
        return
    task = Task(study, spec, name, sample)
    label = spec_label(study, spec, task.design, name)
    if _is_never_zero(task):
        _add_missing(collected, label, spec, Reason("never_zero"))
        return
    try:
        found = answered(task, label)
    except IdentificationError as error:
        _add_missing(collected, label, spec, error.reason)
        return
    collected.estimates += found.rows
    _keep_solver(collected, label, found.answer)
    for own, inferred in found.inferred:
        keep(collected, own, inferred)
    collected.estimates += placebo_rows(collected, task, label)
    test = None
    if found.answer.leads is not None:
        reference = study.treatment.reference_event_time
        known = [inferred for own, inferred in found.inferred if own == label]
        test = pre_trend_test(
            label, found.answer.leads, task.matched, reference, known, adjusted=task.adjusted
        )
        collected.tests.append(test.row)
        for inferred in test.inferred:
            keep(collected, label, inferred)
    add_beside(collected, task, label, found, test)
    add_unit_dependence(collected, task, label)


def _keep_solver(collected: Collected, label: Label, answer: Answer) -> None:
    """Keep who solved what an answer estimates, if it estimates anything."""
    by = solver(answer)
    if by is not None:
        collected.solved_by[label.design, label.outcome, label.estimator] = by


def _add_redone(collected: Collected, study: Study, redo: Redo) -> None:
    """Add what makes designs again: matching on differences, draws, other orders of matching."""
    for spec in study.estimate.specs:
        anew = ESTIMATORS[spec.estimator].anew
        if anew is not None:
            _add_anew(collected, study, spec, partial(anew, study, spec, redo))
    collected.estimates += redone_rows(study, redo, collected.estimates)
    for row in order_effects(study, redo):
        collected.add(FITS, **row)


def _add_anew(
    collected: Collected,
    study: Study,
    spec: Spec,
    matched_anew: Callable[[str], Callable[[str], Answer]],
) -> None:
    """Add what an estimator finds that matches firms anew, by design."""
    for design in spec.designs:
        estimate = matched_anew(design)
        for name, outcome in study.outcomes.items():
            if not outcome.observed or not (spec.outcomes == ALL or name in spec.outcomes):
                continue
            label = spec_label(study, spec, design, name)
            answer = estimate(name)
            _keep_solver(collected, label, answer)
            rows, _ = inferred_rows(label, answer, spec)
            collected.estimates += rows
            add_unused(collected, label, answer)
            if answer.unused:
                error = rows[0].get("std_error", np.nan)
                row = detectable_row(label, error, np.inf, study.estimate)
                collected.add(DETECTABLE, **row)
