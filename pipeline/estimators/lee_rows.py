"""Rows of the intensive margin: both bounds and the interval that covers the effect."""

import numpy as np

from pipeline.effects.counts import Counts, count_sample
from pipeline.effects.description import Fact
from pipeline.effects.ledger import Ledger
from pipeline.effects.normal_rows import Behind, normal_rows
from pipeline.effects.rows import (
    Label,
    Row,
    effect_row,
    few_clusters_note,
    joined_notes,
    missing_row,
)
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacks import Flags, Floats, Stacks
from pipeline.effects.study import Study
from pipeline.errors import IdentificationError
from pipeline.estimators.group_time.group_time_averages import Average
from pipeline.estimators.lee_bounds import Bound, imbens_manski, lee_bounds
from pipeline.panel.panel_index import Codes
from pipeline.params.estimate import LeeBoundsSpec

SAMPLE = "base_exporters"
MONOTONICITY = (
    "firms that stay above zero with and without the programme; assumes that it moves no firm the "
    "other way"
)
LOGS_ONLY = "bounds on the intensive margin need a log or proportional outcome"
NOBODY_STAYS = "no event time has firms above zero both then and in the base year in both groups"


def add_lee_bounds(
    ledger: Ledger, study: Study, spec: LeeBoundsSpec, label: Label, sample: StackedSample
) -> None:
    """Add the bounds of a spec on one design and outcome.

    Raises IdentificationError where the outcome is neither log nor proportional.
    """
    stacks, outcome = sample.stacks, study.outcomes[label.outcome]
    if not outcome.in_logs:
        raise IdentificationError(LOGS_ONLY)
    levels = study.panel[outcome.column].to_numpy(dtype=np.float64, na_value=np.nan)
    clusters = stacks.cluster if spec.cluster == "assignment" else stacks.firm
    rows, facts = lee_rows(label, stacks, levels, clusters)
    ledger.estimates += rows
    ledger.add_facts(label.design, label.outcome, facts)


def lee_rows(
    label: Label, stacks: Stacks, levels: Floats, clusters: Codes
) -> tuple[list[Row], list[Fact]]:
    """Return rows `att_lower`, `att_upper` and `att` (the interval), and the trimming shares."""
    found = lee_bounds(stacks, levels, clusters)
    if found is None:
        return [missing_row(label, "att", NOBODY_STAYS) | {"sample": SAMPLE}], []
    logs = np.log(levels[levels > 0])
    behind = behind_bounds(stacks, found.used, clusters, logs)
    rows = bound_rows(label, "att", (found.lower, found.upper), behind, MONOTONICITY)
    facts = [
        (f"trimmed_treated[{label.estimator}]", found.trimmed_treated, "share"),
        (f"trimmed_comparison[{label.estimator}]", found.trimmed_comparison, "share"),
    ]
    return [row | {"sample": SAMPLE} for row in rows], facts


def bound_rows(
    label: Label, stem: str, bounds: tuple[Bound, Bound], behind: Behind, assumes: str
) -> list[Row]:
    """Return rows `<stem>_lower`, `<stem>_upper` and `<stem>`, the interval that covers the effect.

    `bounds` are the lower and the upper; `assumes` says whom they are for and what they need.
    """
    lower, upper = bounds
    parts = [
        Average(f"{stem}_lower", lower.estimate, lower.influence, note=assumes),
        Average(f"{stem}_upper", upper.estimate, upper.influence, note=assumes),
    ]
    rows = normal_rows(label, behind, parts)
    low, high = imbens_manski(lower, upper, label.conf_level)
    known = all(np.isfinite(row["std_error"]) for row in rows)
    interval = effect_row(
        label,
        stem,
        inference="imbens_manski",
        conf_low=low if known else np.nan,
        conf_high=high if known else np.nan,
        note=joined_notes(
            f"bounded, not estimated: {assumes}",
            few_clusters_note(label, behind.counts) if known else None,
        ),
        **behind.counts.columns,
    )
    return [*rows, interval]


def behind_bounds(stacks: Stacks, used: Flags, clusters: Codes, values: Floats) -> Behind:
    """Return what stands behind units x event times with weight; `values` are all outcomes."""
    largest = float(np.fmax.reduce(np.abs(values), axis=None, initial=0.0))
    return Behind(_counts(stacks, used, clusters), largest)


def _counts(stacks: Stacks, used: Flags, clusters: Codes) -> Counts:
    unit = np.nonzero(used)[0]
    every = np.ones(len(unit), dtype=np.bool_)
    entry = stacks.stack[unit]
    return count_sample(every, stacks.treated[unit], stacks.firm[unit], clusters[unit], entry=entry)
