"""The row of a placebo entry date, by the estimator of a spec that can be redone."""

from dataclasses import replace

from pipeline.analyses.placebo_entry import placebo_stacks
from pipeline.effects.adjusted_sample import adjusted_sample
from pipeline.effects.collected import Collected
from pipeline.effects.rows import PLACEBO_ENTRY, Label, Row, missing_row
from pipeline.effects.sample import check_comparable, stacked_sample
from pipeline.effects.tasks import Task
from pipeline.effects.terms import ATT
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.inferences import inferred_rows
from pipeline.inference.stored import keep
from pipeline.panel.scale import on_scale


def placebo_rows(collected: Collected, task: Task, label: Label) -> list[Row]:
    """Return the average effect of an entry too early, before true entry only, if asked for.

    Where it cannot be estimated, the row has the reason.
    """
    years_early = task.spec.option("placebo_entry_years")
    if years_early is None:
        return []
    early = replace(label, sample=PLACEBO_ENTRY)
    try:
        return [_row(collected, task, early, years_early)]
    except IdentificationError as error:
        return [missing_row(early, ATT, error.reason)]


def _row(collected: Collected, task: Task, label: Label, years_early: int) -> Row:
    study = task.study
    outcome = study.outcomes[label.outcome]
    values = on_scale(study.panel[outcome.column], outcome)
    sample, _ = adjusted_sample(study, task.spec, task.sample, label.outcome)
    stacks, alike = placebo_stacks(sample.stacks, years_early, task.matched)
    early = stacked_sample(stacks, values, study.estimate.missing, sample.covariates)
    check_comparable(early)
    alone = Task(study, task.spec.only_average(task.design), label.outcome, early)
    again = ESTIMATORS[task.spec.estimator].again()
    answer = replace(again.estimate(alone), by_sample={})
    (row, *_), found = inferred_rows(label, answer, None)
    for own, inferred in found:
        keep(collected, own, inferred)
    if row["reason"] is not None and "estimate" not in row:
        return row
    said = {"years": years_early}
    if alike:
        without = {**said, "times": list(alike)}
        remark = Reason("placebo_entry_without_matched_on", without)
    else:
        remark = Reason("placebo_entry", said)
    return row | {"remarks": (remark,)}
