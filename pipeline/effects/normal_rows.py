"""Rows of ESTIMATES whose standard errors come from influences and whose inference is normal."""

from dataclasses import dataclass

import numpy as np

from pipeline.bands import simultaneous_critical_value
from pipeline.effects.cluster_cautions import LONE_CLUSTER
from pipeline.effects.group_time_averages import Average
from pipeline.effects.rows import Counts, Label, Row, effect_row, joined_notes
from pipeline.effects.stacks import Floats
from pipeline.inference import t_intervals
from pipeline.params.inference import Bands


@dataclass(frozen=True)
class Behind:
    """Hold what stands behind a set of averages: counts, and cohorts treated in one cluster."""

    counts: Counts
    lone_cohorts: frozenset[int] = frozenset()


def normal_rows(label: Label, behind: Behind, parts: list[Average]) -> list[Row]:
    """Return a row per average, with normal tests and intervals."""
    estimates = np.array([part.estimate for part in parts])
    errors = _std_errors(behind, parts)
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
            note=joined_notes(part.note, _error_note(errors[i])),
            **vars(behind.counts),
        )
        for i, part in enumerate(parts)
    ]


def rows_with_band(
    label: Label, behind: Behind, parts: list[Average], bands: Bands | None
) -> list[Row]:
    """Return pointwise rows and, where asked for, rows with a simultaneous band."""
    rows = normal_rows(label, behind, parts)
    known = [i for i, row in enumerate(rows) if row["std_error"] > 0]
    if bands is None or not known:
        return rows
    influence = np.array([parts[i].influence for i in known])
    critical = simultaneous_critical_value(
        influence, label.conf_level, bands.draws, np.random.default_rng(bands.seed)
    )
    note = f"critical value {critical:.3f} over {len(known)} estimates, {bands.draws} draws"
    return rows + [_banded(rows[i], critical, note) for i in known]


def _banded(row: Row, critical: float, note: str) -> Row:
    margin = critical * row["std_error"]
    return row | {
        "band": "simultaneous",
        "p_value": np.nan,
        "conf_low": row["estimate"] - margin,
        "conf_high": row["estimate"] + margin,
        "note": joined_notes(row["note"], note),
    }


def _std_errors(behind: Behind, parts: list[Average]) -> Floats:
    """Return sqrt(sum_g psi_g^2), shape (k,); missing with too few clusters.

    Treated firms of one cluster add up to zero influence: their share in the variance would be
    silently absent, so an estimate that rests on a single treated cluster has no standard error.
    """
    errors = np.array([np.sqrt(part.influence @ part.influence) for part in parts])
    alone = behind.counts.n_treated_clusters < 2 or behind.counts.n_clusters < 3
    lone = np.array([alone or part.cohort in behind.lone_cohorts for part in parts], dtype=bool)
    return np.where(lone, np.nan, errors)


def _error_note(error: float) -> str | None:
    if np.isnan(error):
        return LONE_CLUSTER
    return None
