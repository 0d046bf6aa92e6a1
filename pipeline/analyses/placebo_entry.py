"""A placebo entry date: the same firms and code, as if they had entered some years earlier.

Only years before true entry (and anticipation) are used, so that an effect found is none of the
programme's. Years from the placebo entry on in which the design matched on the outcome are left
out: treated and comparison firms were made alike there, so that nothing could be found; so are
those whose change since the year before the placebo entry the spec's covariates add up to.
"""

from collections.abc import Set
from dataclasses import replace

import numpy as np

from pipeline.effects.adjusted_changes import NO_COVARIATES, AdjustedFor
from pipeline.effects.adjusted_sample import adjusted_sample
from pipeline.effects.answers import Task
from pipeline.effects.collected import Collected
from pipeline.effects.rows import PLACEBO_ENTRY, Label, Row, missing_row
from pipeline.effects.sample import check_comparable, stacked_sample
from pipeline.effects.stacks import Stacks
from pipeline.effects.terms import ATT
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.inferences import inferred_rows
from pipeline.inference.stored import keep
from pipeline.panel.scale import on_scale


def placebo_stacks(
    stacks: Stacks,
    years_early: int,
    matched: Set[int] = frozenset(),
    adjusted: AdjustedFor = NO_COVARIATES,
) -> tuple[Stacks, list[int]]:
    """Return the stacks with entry moved `years_early` years back, cut before true entry.

    Weights, sets and covariates stay those of the true entry. `matched` are the true event times
    that the design matched on; those from the placebo entry on are left out and returned, with
    those whose change since the year before it is `adjusted` for. Raises IdentificationError where
    the window then lacks the year before the placebo entry, or a year from it on.
    """
    moved = stacks.event_times + years_early
    kept = stacks.event_times <= stacks.reference
    if -1 not in moved[kept] or not (moved[kept] >= 0).any():
        found = {
            "years": years_early,
            "first": int(stacks.event_times[0]),
            "last": stacks.reference,
        }
        raise IdentificationError(Reason("no_placebo_years", found))
    fitted = np.array([adjusted.spans((t, -1 - years_early)) for t in stacks.event_times.tolist()])
    alike = kept & (moved >= 0) & (np.isin(stacks.event_times, list(matched)) | fitted)
    kept = kept & ~alike
    if not (moved[kept] >= 0).any():
        code = "placebo_all_adjusted_for" if fitted[alike].any() else "placebo_all_matched_on"
        raise IdentificationError(Reason(code, {"years": years_early}))
    early = replace(
        stacks,
        event_times=moved[kept],
        reference=-1,
        stack=stacks.stack - years_early,
        panel_row=stacks.panel_row[:, kept],
        covered=stacks.covered[:, kept],
    )
    return early, stacks.event_times[alike].tolist()


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
    stacks, alike = placebo_stacks(sample.stacks, years_early, task.matched, task.adjusted)
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
        unmatched = not task.matched.issuperset(alike)
        kind = "adjusted_for" if unmatched else "matched_on"
        remark = Reason(f"placebo_entry_without_{kind}", without)
    else:
        remark = Reason("placebo_entry", said)
    return row | {"remarks": (remark,)}
