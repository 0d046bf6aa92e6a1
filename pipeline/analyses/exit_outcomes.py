"""What exit makes of the effect on an outcome: levels with zeros for the gone, and bounds.

Effects among survivors compare firms that the programme itself may have kept alive. Beside them:
levels in which a firm that is gone counts as zero, Lee's bounds for firms that survive either way,
and worst-case bounds for all firms. All on the years in which exit is known.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.analyses.exit_status import ExitStatus
from pipeline.analyses.manski_bounds import manski_bounds
from pipeline.effects.average_effect import average_effect, average_ratio, ratio_sample
from pipeline.effects.ledger import Ledger
from pipeline.effects.rows import Label, Row, joined_notes, missing_row
from pipeline.effects.sample import check_comparable, sample_of_values, values_by_unit
from pipeline.effects.stacks import Floats, Stacks
from pipeline.effects.study import Study
from pipeline.errors import IdentificationError, SupportError
from pipeline.estimators.lee_bounds import bounds_of_changes
from pipeline.estimators.lee_rows import behind_bounds, bound_rows
from pipeline.panel.panel_index import Codes
from pipeline.panel.scale import on_scale, transform
from pipeline.params.analyses import Limits
from pipeline.params.outcomes import Outcome

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
NO_LIMITS = "worst-case bounds need limits of the outcome, and none are declared"
NOT_ON_SCALE = "worst-case bounds need limits that have a value on the outcome's scale: no log of 0"
NOT_IN_RATIOS = "bounds for exit need an outcome with transform log, level or any"


@dataclass(frozen=True)
class AfterExit:
    """Hold one design's units, who of them is alive when, and their clusters (u,)."""

    study: Study
    stacks: Stacks
    status: ExitStatus
    clusters: Codes

    def values(self, column: Floats) -> Floats:
        """Return a column by PANEL row as units x event times, in years in which exit is known."""
        return np.where(self.status.known, values_by_unit(self.stacks, column), np.nan)


def add_exit_outcomes(
    ledger: Ledger, after: AfterExit, label: Label, limits: Limits | None
) -> None:
    """Add one outcome's rows: exit as zero beside survivors, Lee's and worst-case bounds."""
    study = after.study
    outcome = study.outcomes[label.outcome]
    if not outcome.observed:
        reason = f"not observed: {outcome.reason}"
        row = missing_row(label, "att", reason) | {"sample": SURVIVORS}
        ledger.estimates.append(row)
        return
    levels = study.panel[outcome.column].to_numpy(dtype=np.float64, na_value=np.nan)
    alive = after.values(levels)
    for sample, values in (
        (EXIT_AS_ZERO, np.where(after.status.gone, 0.0, alive)),
        (SURVIVORS, alive),
    ):
        row = _level_row(after, label, outcome, values)
        told = _SAMPLES[sample] if "estimate" in row else None
        note = joined_notes(told, row["note"])
        ledger.estimates.append(row | {"sample": sample, "note": note})
    if outcome.transform == "proportional":
        ledger.estimates.append(missing_row(label, "lee", NOT_IN_RATIOS) | {"sample": SURVIVORS})
        return
    scaled = after.values(on_scale(study.panel[outcome.column], outcome))
    ledger.estimates += _lee(ledger, after, label, scaled)
    ledger.estimates += _manski(after, label, outcome, scaled, limits)


def _level_row(after: AfterExit, label: Label, outcome: Outcome, values: Floats) -> Row:
    """Return the average effect on a level, in its unit, or in proportion where params say so."""
    in_ratios = outcome.transform == "proportional"
    scale = outcome.scale if outcome.transform == "any" or in_ratios else outcome.unit
    in_unit = replace(label, scale=scale)
    above = np.where(np.isnan(values), np.nan, values > 0)
    used = above if outcome.transform == "any" else values
    study, clusters = after.study, after.clusters
    sample = sample_of_values(after.stacks, used, study.estimate.missing)
    try:
        check_comparable(sample)
        if in_ratios:
            found = average_ratio(ratio_sample(study, sample, clusters), sample.y)
        else:
            found = average_effect(study, sample, clusters)
    except (IdentificationError, SupportError) as reason:
        return missing_row(in_unit, "att", str(reason))
    return found.row(in_unit, "att")


def _lee(ledger: Ledger, after: AfterExit, label: Label, values: Floats) -> list[Row]:
    """Return Lee's bounds with survival as the selection, and note the shares trimmed."""
    base = values[:, [after.stacks.reference_column]]
    gone = after.status.gone
    known = (gone | np.isfinite(values)) & np.isfinite(base)
    change = np.where(gone, np.nan, values) - base
    found = bounds_of_changes(after.stacks, change, known, after.clusters)
    if found is None:
        reason = "no event time has survivors in both groups"
        return [missing_row(label, "lee", reason) | {"sample": SURVIVORS}]
    behind = behind_bounds(after.stacks, found.used, after.clusters, values)
    rows = bound_rows(label, "lee", (found.lower, found.upper), behind, LEE)
    facts = [
        (f"trimmed_treated[{label.estimator}]", found.trimmed_treated, "share"),
        (f"trimmed_comparison[{label.estimator}]", found.trimmed_comparison, "share"),
    ]
    ledger.add_facts(label.design, label.outcome, facts)
    return [row | {"sample": SURVIVORS} for row in rows]


def _manski(
    after: AfterExit, label: Label, outcome: Outcome, values: Floats, limits: Limits | None
) -> list[Row]:
    """Return worst-case bounds, or the reason for none."""
    if limits is None:
        return [missing_row(label, "manski", NO_LIMITS)]
    low, high = _on_scale(limits, outcome)
    if not np.isfinite([low, high]).all():
        return [missing_row(label, "manski", NOT_ON_SCALE)]
    outside = ((values < low) | (values > high)) & (after.stacks.weight > 0)[:, None]
    if outside.any():
        reason = (
            f"worst-case bounds need limits that hold every outcome: {int(outside.sum())} "
            f"firm-years lie outside {limits.lowest:g} to {limits.highest:g}"
        )
        return [missing_row(label, "manski", reason)]
    found = manski_bounds(after.stacks, values, after.status.gone, (low, high), after.clusters)
    if found is None:
        return [missing_row(label, "manski", "no event time has both groups")]
    reach = np.append(values.ravel(), [low, high])
    behind = behind_bounds(after.stacks, found.used, after.clusters, reach)
    return bound_rows(label, "manski", (found.lower, found.upper), behind, MANSKI)


def _on_scale(limits: Limits, outcome: Outcome) -> tuple[float, float]:
    assert outcome.transform is not None, "an observed outcome has a transform"
    ends = transform(pd.Series([limits.lowest, limits.highest], name="limits"), outcome.transform)
    return float(ends[0]), float(ends[1])
