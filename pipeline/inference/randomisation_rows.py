"""Rows of ESTIMATES by randomisation, beside the analytic rows of the average effect."""

import numpy as np

from pipeline.effects.rows import Label, Row
from pipeline.effects.study import Study
from pipeline.errors import IdentificationError
from pipeline.inference.bootstrap import Redo
from pipeline.inference.randomisation import Randomised, randomise
from pipeline.params.estimate import StackedSpec

NO_STATISTIC = "no randomisation test: without a standard error there is no t statistic"


def randomisation_rows(study: Study, redo: Redo, analytic: list[Row]) -> list[Row]:
    """Return a row for the average effect of every spec, design and outcome that asks for it."""
    rows: list[Row] = []
    for spec in study.estimate.specs:
        if spec.estimator != "stacked" or spec.randomisation is None:
            continue
        for design in spec.designs:
            own = [row for row in analytic if _is_average(row, spec, design)]
            rows += _design_rows(study, redo, spec, own)
    return rows


def _is_average(row: Row, spec: StackedSpec, design: str) -> bool:
    place = (row["estimator"], row["design"], row["term"], row["sample"], row["inference"])
    linear = np.isfinite(row.get("estimate", np.nan))
    return bool(linear and place == (spec.name, design, "att", "all", "analytic"))


def _design_rows(study: Study, redo: Redo, spec: StackedSpec, rows: list[Row]) -> list[Row]:
    linear = [row for row in rows if study.outcomes[row["outcome"]].transform != "proportional"]
    tested = [row for row in linear if np.isfinite(row["statistic"])]
    without = [_without(row, NO_STATISTIC) for row in linear if row not in tested]
    if not tested or spec.randomisation is None:
        return without
    labels = [Label(**{name: row[name] for name in Label.__match_args__}) for row in tested]
    try:
        found = randomise(study, redo, spec, labels, spec.randomisation)
    except IdentificationError as reason:
        return without + [_without(row, str(reason)) for row in tested]
    return without + [_row(row, found, column) for column, row in enumerate(tested)]


def _row(analytic: Row, found: Randomised, column: int) -> Row:
    worked = found.n_worked(column)
    lost = len(found.statistics) - worked
    how = "all" if found.enumerated else f"{worked:,} random"
    possible = f"{found.n_assignments:,}" if found.n_assignments < 1e6 else "over a million"
    note = (
        f"entry re-assigned among {found.n_clusters} clusters, {how} of {possible} assignments, "
        "score and matching redone, studentised; smallest attainable p "
        f"{found.smallest_p(column):.2g}"
    )
    note += f"; {lost} assignments that cannot be estimated left out" if lost else ""
    missing = dict.fromkeys(("df", "conf_low", "conf_high"), np.nan)
    p_value = found.p_value(analytic["statistic"], column)
    return analytic | missing | {"inference": "randomisation", "p_value": p_value, "note": note}


def _without(analytic: Row, reason: str) -> Row:
    missing = dict.fromkeys(("df", "p_value", "conf_low", "conf_high"), np.nan)
    return analytic | missing | {"inference": "randomisation", "note": reason}
