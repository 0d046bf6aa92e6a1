"""What exit makes of the effect on an outcome: levels with zeros for the gone, and bounds.

Effects among survivors compare firms that the programme itself may have kept alive. Beside them:
levels in which a firm that is gone counts as zero, Lee's bounds for firms that survive either way,
and worst-case bounds for all firms. All on the years in which exit is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.analyses.averages import (
    average_effect,
    average_log_ratio,
    average_row,
    ratios_of,
)
from pipeline.analyses.exit_status import ExitStatus
from pipeline.analyses.manski_bounds import manski_bounds
from pipeline.datasets.arrays import Floats
from pipeline.datasets.fits import FITS
from pipeline.effects.answers import Answer
from pipeline.effects.collected import Collected
from pipeline.effects.estimated import Estimated
from pipeline.effects.populations import labelled
from pipeline.effects.rows import Label, Row, fit_key, missing_row
from pipeline.effects.sample import check_comparable, sample_of_values, values_by_unit
from pipeline.effects.stacks import Stacks
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT, Term
from pipeline.errors import IdentificationError, Reason, SupportError
from pipeline.estimators.lee_bounds import bounds_of_changes, trimmed
from pipeline.inference.inferences import inferred_rows
from pipeline.inference.stored import keep
from pipeline.panel.scale import on_scale, transform
from pipeline.params.analyses import Limits
from pipeline.params.outcomes import Outcome

EXIT_AS_ZERO = "exit_as_zero"
SURVIVORS = "survivors"
_SAMPLES = {
    EXIT_AS_ZERO: Reason("exit_counted_as_zero"),
    SURVIVORS: Reason("survivors_only"),
}
LEE, MANSKI = Term("lee"), Term("manski")


@dataclass(frozen=True)
class AfterExit:
    """Hold one design's units, and who of them is alive when."""

    study: Study
    stacks: Stacks
    status: ExitStatus

    def values(self, column: Floats) -> Floats:
        """Return a column by PANEL row as units x event times, in years in which exit is known."""
        return np.where(self.status.known, values_by_unit(self.stacks, column), np.nan)


def add_exit_outcomes(
    collected: Collected, after: AfterExit, label: Label, limits: Limits | None
) -> None:
    """Add one outcome's rows: exit as zero beside survivors, Lee's and worst-case bounds."""
    study = after.study
    outcome = study.outcomes[label.outcome]
    survivors = replace(label, sample=SURVIVORS)
    if not outcome.observed:
        why = Reason("not_observed", {"reason": outcome.reason})
        collected.estimates.append(missing_row(survivors, ATT, why))
        return
    levels = study.panel[outcome.column].to_numpy(dtype=np.float64, na_value=np.nan)
    alive = after.values(levels)
    zeros = np.where(after.status.gone, 0.0, alive)
    for sample, values in ((EXIT_AS_ZERO, zeros), (SURVIVORS, alive)):
        own = replace(label, sample=sample)
        collected.estimates.append(_level_row(collected, after, own, outcome, values))
    if outcome.in_ratios:
        why = Reason("exit_bounds_not_in_ratios")
        collected.estimates.append(missing_row(survivors, LEE, why))
        return
    scaled = after.values(on_scale(study.panel[outcome.column], outcome))
    collected.estimates += _lee(collected, after, survivors, scaled)
    collected.estimates += _manski(collected, after, label, scaled, limits)


def _level_row(
    collected: Collected, after: AfterExit, label: Label, outcome: Outcome, values: Floats
) -> Row:
    """Return the average effect on a level, in its unit, or in proportion where params say so."""
    in_ratios = outcome.in_ratios
    scale = outcome.scale if outcome.transform == "any" or in_ratios else outcome.unit
    in_unit = replace(label, scale=scale)
    above = np.where(np.isnan(values), np.nan, values > 0)
    used = above if outcome.transform == "any" else values
    study = after.study
    sample = sample_of_values(after.stacks, used, study.estimate.missing)
    collected.members.add_sample(labelled(label), sample)
    try:
        check_comparable(sample)
        if in_ratios:
            found = average_log_ratio(ratios_of(study, sample), sample.y)
        else:
            found = average_effect(study, sample)
    except (IdentificationError, SupportError) as error:
        return missing_row(in_unit, ATT, error.reason)
    return average_row(collected, in_unit, found, [_SAMPLES[label.sample]])


def _lee(collected: Collected, after: AfterExit, label: Label, values: Floats) -> list[Row]:
    """Return Lee's bounds with survival as the selection, and note the shares trimmed."""
    base = values[:, [after.stacks.reference_column]]
    gone = after.status.gone
    known = (gone | np.isfinite(values)) & np.isfinite(base)
    change = np.where(gone, np.nan, values) - base
    found = bounds_of_changes(after.stacks, change, known, values, LEE)
    if found is None:
        return [missing_row(label, LEE, Reason("no_survivors_in_both_groups"))]
    collected.add(FITS, **fit_key(label), **trimmed(found))
    return _bound_rows(collected, label, found.both, {LEE: Reason("survive_either_way")})


def _manski(
    collected: Collected,
    after: AfterExit,
    label: Label,
    values: Floats,
    limits: Limits | None,
) -> list[Row]:
    """Return worst-case bounds, or the reason for none."""
    if limits is None:
        return [missing_row(label, MANSKI, Reason("no_limits"))]
    low, high = _on_scale(limits, after.study.outcomes[label.outcome])
    if not np.isfinite([low, high]).all():
        return [missing_row(label, MANSKI, Reason("limits_off_scale"))]
    outside = ((values < low) | (values > high)) & (after.stacks.weight > 0)[:, None]
    if outside.any():
        lost = {"n": int(outside.sum()), "lowest": limits.lowest, "highest": limits.highest}
        return [missing_row(label, MANSKI, Reason("outcomes_outside_limits", lost))]
    found = manski_bounds(after.stacks, values, after.status.gone, (low, high), MANSKI)
    if found is None:
        return [missing_row(label, MANSKI, Reason("no_event_time_with_both_groups"))]
    within = {MANSKI: Reason("any_outcome_within_limits")}
    return _bound_rows(collected, label, found, within)


def _bound_rows(
    collected: Collected, label: Label, both: Estimated, assumes: Mapping[Term, Reason]
) -> list[Row]:
    """Return the rows of both bounds on an effect, and of its interval; keep their covariance."""
    rows, found = inferred_rows(label, Answer([both], assumes=assumes), None)
    for own, inferred in found:
        keep(collected, own, inferred)
    return rows


def _on_scale(limits: Limits, outcome: Outcome) -> tuple[float, float]:
    assert outcome.transform is not None, "an observed outcome has a transform"
    ends = transform(pd.Series([limits.lowest, limits.highest], name="limits"), outcome.transform)
    return float(ends[0]), float(ends[1])
