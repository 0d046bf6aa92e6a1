"""The row of a placebo entry date, by whichever estimator a stacked spec has for an outcome."""

from collections.abc import Callable

from pipeline.analyses.placebo_entry import PLACEBO_ENTRY, placebo_stacks
from pipeline.effects.rows import Label, Row, joined_notes, missing_row
from pipeline.effects.sample import StackedSample, check_comparable, stacked_sample
from pipeline.effects.study import Study
from pipeline.errors import IdentificationError
from pipeline.panel.scale import on_scale


def placebo_row(
    study: Study,
    label: Label,
    sample: StackedSample,
    years_early: int,
    average: Callable[[StackedSample], Row],
) -> Row:
    """Return the average effect of an entry that many years too early, before true entry only.

    `average` estimates it on a sample; where it cannot, the row has the reason.
    """
    outcome = study.outcomes[label.outcome]
    values = on_scale(study.panel[outcome.column], outcome)
    place = {"sample": PLACEBO_ENTRY}
    try:
        stacks, alike = placebo_stacks(
            sample.stacks, years_early, study.matched_on(label.design, label.outcome)
        )
        early = stacked_sample(stacks, values, study.estimate.missing, sample.covariates)
        check_comparable(early)
        row = average(early)
    except IdentificationError as reason:
        return missing_row(label, "att", str(reason)) | place
    if "estimate" not in row:
        return row | place
    note = f"placebo entry {years_early} years early, years before entry only"
    if alike:
        times = ", ".join(str(event_time) for event_time in alike)
        note += f", without those that the design matched on: {times}"
    why = None if row["std_error"] > 0 else row["note"]
    return row | place | {"note": joined_notes(note, why)}
