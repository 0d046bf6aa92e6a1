"""Rows of ESTIMATES whose standard errors come from influences and whose inference is normal."""

from dataclasses import dataclass

import numpy as np

from pipeline.effects.counts import LONE_IN_COHORT, Counts
from pipeline.effects.rows import (
    Label,
    Row,
    effect_row,
    few_clusters_note,
    joined_notes,
    simultaneous_rows,
)
from pipeline.effects.stacks import Floats
from pipeline.estimators.group_time.group_time_averages import Average
from pipeline.inference.bands import simultaneous_critical_value
from pipeline.inference.covariance import is_rounding, t_intervals, without_rounding

LONE_COHORT = (
    "no standard error: the treated or the comparison firms of this entry year lie in a single "
    "cluster"
)
TOO_FEW = "no standard error: normal inference needs three clusters or more"


@dataclass(frozen=True)
class Behind:
    """Hold what stands behind a set of averages.

    `largest` is the largest absolute outcome, against which rounding is told.
    """

    counts: Counts
    largest: float


def normal_rows(label: Label, behind: Behind, parts: list[Average]) -> list[Row]:
    """Return a row per average, with normal tests and intervals."""
    estimates = without_rounding(np.array([part.estimate for part in parts]), behind.largest)
    computed = std_errors(behind, parts)
    reasons = [_reason(behind, *pair) for pair in zip(parts, computed, strict=True)]
    errors = np.where([reason is None for reason in reasons], computed, np.nan)
    shown = t_intervals(estimates, errors, np.inf, label.conf_level)
    return [
        effect_row(
            label,
            part.term,
            cohort=part.cohort,
            year=part.year,
            event_time=part.event_time,
            estimate=estimates[i],
            std_error=errors[i],
            statistic=shown.statistic[i],
            p_value=shown.p_value[i],
            conf_low=shown.low[i],
            conf_high=shown.high[i],
            note=joined_notes(
                part.note, reasons[i] or _caution(label, _counts(behind, part), part)
            ),
            **behind.counts.columns,
        )
        for i, part in enumerate(parts)
    ]


def _caution(label: Label, counts: Counts, part: Average) -> str | None:
    """Say what a standard error leaves out and, of an average effect, that clusters are few."""
    if part.cohort is not None:
        return None
    is_average = part.event_time is None and part.year is None
    return joined_notes(few_clusters_note(label, counts) if is_average else None, counts.left_out)


def rows_with_band(label: Label, behind: Behind, parts: list[Average], bands: bool) -> list[Row]:
    """Return pointwise rows and, where asked for, rows with a simultaneous band."""
    rows = normal_rows(label, behind, parts)
    known = [i for i, row in enumerate(rows) if row["std_error"] > 0]
    if not (bands and known):
        return rows
    influence = np.array([parts[i].influence for i in known])
    covariance = influence @ influence.T
    critical = simultaneous_critical_value(covariance, np.inf, label.conf_level)
    return rows + simultaneous_rows([rows[i] for i in known], critical)


def std_errors(behind: Behind, parts: list[Average]) -> Floats:
    """Return sqrt(sum_g psi_g^2), shape (k,), zero where it is rounding."""
    errors = np.array([np.sqrt(part.influence @ part.influence) for part in parts])
    n_firms = behind.counts.n_treated + behind.counts.n_control
    return np.where(is_rounding(errors, n_firms, behind.largest), 0.0, errors)


def _reason(behind: Behind, part: Average, error: float) -> str | None:
    """Say why an average has no standard error; None where it has one.

    Firms of one group and cluster add up to zero influence: their share in the variance would be
    silently absent, so an estimate that rests on one such cluster has none.
    """
    reason = _counts(behind, part).why_none(error)
    if reason is None and behind.counts.n_clusters < 3:
        return TOO_FEW
    if reason is None and part.lone:
        return LONE_IN_COHORT if part.cohort is None else LONE_COHORT
    return reason


def _counts(behind: Behind, part: Average) -> Counts:
    return behind.counts if part.event_time is None else behind.counts.at([part.event_time])
