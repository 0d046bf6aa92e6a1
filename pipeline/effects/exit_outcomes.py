"""What exit makes of the effect on an outcome: levels with zeros for the gone, and bounds.

Effects among survivors compare firms that the programme itself may have kept alive. Beside them:
levels in which a firm that is gone counts as zero, Lee's bounds for firms that survive either way,
and worst-case bounds for all firms.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.effects.average_effect import average_effect, average_ratio, ratio_sample
from pipeline.effects.exit_status import ExitStatus
from pipeline.effects.lee_bounds import bounds_of_changes
from pipeline.effects.lee_rows import bound_rows, counts_of
from pipeline.effects.ledger import Ledger
from pipeline.effects.manski_bounds import manski_bounds
from pipeline.effects.rows import Label, Row, missing_row
from pipeline.effects.sample import check_comparable, sample_of_values, values_by_unit
from pipeline.effects.stacks import Floats, Stacks
from pipeline.effects.study import Study
from pipeline.errors import IdentificationError, SupportError
from pipeline.panel_index import Codes
from pipeline.params.analyses import Limits, Survival
from pipeline.params.outcomes import Outcome
from pipeline.scale import on_scale, transform

EXIT_AS_ZERO = "exit_as_zero"
SURVIVORS = "survivors"
_SAMPLES = {
    EXIT_AS_ZERO: "in levels, firms that are gone count as zero",
    SURVIVORS: "in levels, firms that are not gone only: who survives may depend on the programme",
}
LEE = (
    "firms that survive with and without the programme; assumes that it moves no firm the other way"
)
MANSKI = "all firms; those gone could have had any outcome within the declared limits"
NO_LIMITS = (
    "worst-case bounds need limits: declare estimate.analyses.survival.limits of this outcome"
)
NOT_IN_RATIOS = "bounds for exit need an outcome with transform log, level or any"


def add_exit_outcomes(
    ledger: Ledger,
    study: Study,
    asked: Survival,
    label: Label,
    *,
    stacks: Stacks,
    status: ExitStatus,
    clusters: Codes,
) -> None:
    """Add one outcome's rows: exit as zero beside survivors, Lee's and worst-case bounds."""
    outcome = study.outcomes[label.outcome]
    if not outcome.observed:
        reason = f"not observed: {outcome.reason}"
        row = missing_row(label, "att", reason) | {"sample": SURVIVORS}
        ledger.estimates.append(row)
        return
    levels = study.panel[outcome.column].to_numpy(dtype=np.float64, na_value=np.nan)
    by_unit = values_by_unit(stacks, levels)
    gone = (status.alive == 0) & stacks.covered
    for sample, values in (
        (EXIT_AS_ZERO, np.where(gone, 0.0, by_unit)),
        (SURVIVORS, by_unit),
    ):
        row = _level_row(study, label, outcome, stacks, values, clusters, _SAMPLES[sample])
        ledger.estimates.append(row | {"sample": sample})
    if outcome.transform == "proportional":
        ledger.estimates.append(missing_row(label, "lee", NOT_IN_RATIOS) | {"sample": SURVIVORS})
        return
    scaled = values_by_unit(stacks, on_scale(study.panel[outcome.column], outcome))
    ledger.estimates += _lee(ledger, label, stacks, scaled, status, clusters)
    limits = asked.limits.get(label.outcome)
    ledger.estimates += _manski(label, outcome, stacks, scaled, status, clusters, limits)


def _level_row(
    study: Study,
    label: Label,
    outcome: Outcome,
    stacks: Stacks,
    values: Floats,
    clusters: Codes,
    note: str,
) -> Row:
    """Return the average effect on a level, in its unit, or in proportion where params say so."""
    in_ratios = outcome.transform == "proportional"
    scale = outcome.scale if outcome.transform == "any" or in_ratios else outcome.unit
    in_unit = replace(label, scale=scale)
    above = np.where(np.isnan(values), np.nan, values > 0)
    used = above if outcome.transform == "any" else values
    sample = sample_of_values(stacks, used, study.estimate.missing)
    try:
        check_comparable(sample)
        if in_ratios:
            found = average_ratio(ratio_sample(study, sample, clusters), sample.y)
        else:
            found = average_effect(study, sample, clusters)
    except (IdentificationError, SupportError) as reason:
        return missing_row(in_unit, "att", str(reason))
    return found.row(in_unit, "att", note)


def _lee(
    ledger: Ledger,
    label: Label,
    stacks: Stacks,
    values: Floats,
    status: ExitStatus,
    clusters: Codes,
) -> list[Row]:
    """Return Lee's bounds with survival as the selection, and note the shares trimmed."""
    base = values[:, [stacks.reference_column]]
    gone = (status.alive == 0) & stacks.covered
    known = (gone | np.isfinite(values)) & np.isfinite(base)
    found = bounds_of_changes(stacks, np.where(gone, np.nan, values) - base, known, clusters)
    if found is None:
        reason = "no event time has survivors in both groups"
        return [missing_row(label, "lee", reason) | {"sample": SURVIVORS}]
    counts = counts_of(stacks, found.used, clusters)
    rows = bound_rows(label, "lee", found.lower, found.upper, counts, LEE)
    ledger.add_facts(
        label.design,
        label.outcome,
        [
            (f"trimmed_treated[{label.estimator}]", found.trimmed_treated, "share"),
            (f"trimmed_comparison[{label.estimator}]", found.trimmed_comparison, "share"),
        ],
    )
    return [row | {"sample": SURVIVORS} for row in rows]


def _manski(
    label: Label,
    outcome: Outcome,
    stacks: Stacks,
    values: Floats,
    status: ExitStatus,
    clusters: Codes,
    limits: Limits | None,
) -> list[Row]:
    """Return worst-case bounds, or the reason for none."""
    if limits is None:
        return [missing_row(label, "manski", NO_LIMITS)]
    ends = _on_scale(limits, outcome)
    n_outside = int(((values < ends[0]) | (values > ends[1])).sum())
    if not np.isfinite(ends).all() or n_outside:
        reason = (
            f"worst-case bounds need limits that hold every outcome: {n_outside} firm-years lie "
            f"outside {limits.lowest:g} to {limits.highest:g}"
        )
        return [missing_row(label, "manski", reason)]
    gone = (status.alive == 0) & stacks.covered
    found = manski_bounds(stacks, values, gone, (float(ends[0]), float(ends[1])), clusters)
    if found is None:
        return [missing_row(label, "manski", "no event time has both groups")]
    counts = counts_of(stacks, found.used, clusters)
    return bound_rows(label, "manski", found.lower, found.upper, counts, MANSKI)


def _on_scale(limits: Limits, outcome: Outcome) -> Floats:
    assert outcome.transform is not None, "an observed outcome has a transform"
    ends = pd.Series([limits.lowest, limits.highest], name="limits")
    return transform(ends, outcome.transform)
