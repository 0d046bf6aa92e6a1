"""Rows of ESTIMATES by randomisation, beside the analytic rows of the average effect."""

import numpy as np

from pipeline.effects.rows import Label, Row, without_figures
from pipeline.effects.study import Study
from pipeline.errors import IdentificationError, Reason
from pipeline.inference.randomisation import Randomised, randomise
from pipeline.matching.redo import Redo
from pipeline.params.estimate import Spec

INFERENCE = "randomisation"
NO_STATISTIC = Reason("randomisation_without_error")
_MISSING = ("df", "p_value", "conf_low", "conf_high")


def randomisation_rows(study: Study, redo: Redo, analytic: list[Row]) -> list[Row]:
    """Return a row for the average effect of every spec, design and outcome that asks for it."""
    rows: list[Row] = []
    for spec in study.estimate.specs:
        if spec.option("randomisation") is None:
            continue
        for design in spec.designs:
            own = [row for row in analytic if _is_average(row, spec, design)]
            rows += _design_rows(study, redo, spec, own)
    return rows


def _is_average(row: Row, spec: Spec, design: str) -> bool:
    place = (row["estimator"], row["design"], row["term"], row["sample"], row["inference"])
    linear = np.isfinite(row.get("estimate", np.nan))
    return bool(linear and place == (spec.name, design, "att", "all", "analytic"))


def _design_rows(study: Study, redo: Redo, spec: Spec, rows: list[Row]) -> list[Row]:
    linear = [row for row in rows if not study.outcomes[row["outcome"]].in_ratios]
    tested = [row for row in linear if np.isfinite(row["statistic"])]
    without = [_without(row, NO_STATISTIC) for row in linear if not np.isfinite(row["statistic"])]
    if not tested:
        return without
    labels = [Label(**{name: row[name] for name in Label.__match_args__}) for row in tested]
    try:
        found = randomise(study, redo, spec, labels)
    except IdentificationError as error:
        return without + [_without(row, error.reason) for row in tested]
    return without + [_row(row, found, column) for column, row in enumerate(tested)]


def _row(analytic: Row, found: Randomised, column: int) -> Row:
    lost = len(found.statistics) - found.n_worked(column)
    said = [_drawn(found, column)] + [Reason("randomisation_left_out", {"n": lost})] * bool(lost)
    missing = dict.fromkeys(("df", "conf_low", "conf_high"), np.nan)
    p_value = found.p_value(analytic["statistic"], column)
    row = analytic | missing | {"inference": INFERENCE, "p_value": p_value}
    return row | {"reason": None, "remarks": tuple(said)}


def _drawn(found: Randomised, column: int) -> Reason:
    fields = {"n_clusters": found.n_clusters, "smallest_p": found.smallest_p(column)}
    if found.enumerated:
        return Reason("randomisation_all", {**fields, "possible": found.n_assignments})
    fields["drawn"] = found.n_worked(column)
    if found.n_assignments < 1e6:
        return Reason("randomisation_random", {**fields, "possible": found.n_assignments})
    return Reason("randomisation_random_of_many", fields)


def _without(analytic: Row, reason: Reason) -> Row:
    return without_figures(analytic, INFERENCE, reason, *_MISSING)
