"""Rows of ESTIMATES with bias-reduced errors, beside the analytic rows of the same terms."""

import numpy as np

from pipeline.effects.absorb import dense_codes
from pipeline.effects.least_squares import Absorbed, absorb
from pipeline.effects.rows import Row, joined_notes
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacks import Floats
from pipeline.errors import IdentificationError
from pipeline.estimators.stacked import Term, shares_of, stacked_regressors
from pipeline.estimators.twoway import FlatSample, twoway_regressors
from pipeline.inference.bias_reduced import bias_reduced
from pipeline.inference.covariance import t_intervals
from pipeline.panel.panel_index import Codes

NOTE = "CR2 errors, Satterthwaite degrees of freedom"


def stacked_bias_reduced_rows(
    analytic: list[Row], sample: StackedSample, term: Term, *, cells: Codes, clusters: Codes
) -> list[Row]:
    """Return a row for every analytic one with a standard error, from the regression of `term`."""
    regressors = stacked_regressors(sample, term)
    absorbed = absorb(regressors.columns, sample.unit, cells, sample.weight)
    used = absorbed.estimable
    tested = [row for row in analytic if np.isfinite(row.get("std_error", np.nan))]
    shares = [shares_of(regressors, used, row["term"])[used] for row in tested]
    return _rows(tested, absorbed, sample.y, clusters, shares)


def twoway_bias_reduced_rows(analytic: list[Row], flat: FlatSample, clusters: Codes) -> list[Row]:
    """Return the row of the average effect of flat two-way fixed effects."""
    absorbed = absorb(
        twoway_regressors(flat), flat.firm, flat.year - int(flat.year.min()), flat.weight
    )
    tested = [row for row in analytic if np.isfinite(row.get("std_error", np.nan))]
    first = np.eye(absorbed.columns.shape[1])[0]
    return _rows(tested, absorbed, flat.y, clusters, [first for _ in tested])


def _rows(
    tested: list[Row], absorbed: Absorbed, y: Floats, clusters: Codes, shares: list[Floats]
) -> list[Row]:
    if not tested:
        return []
    response = absorbed.response(y)
    residuals = absorbed.residuals(response, absorbed.estimates(response))
    group = dense_codes(clusters[absorbed.kept])
    try:
        found = bias_reduced(absorbed, residuals, group, np.column_stack(shares))
    except IdentificationError as reason:
        return [_without(row, str(reason)) for row in tested]
    return [
        _row(row, float(error), float(df))
        for row, error, df in zip(tested, found.std_errors, found.degrees, strict=True)
    ]


def _row(analytic: Row, error: float, df: float) -> Row:
    shown = t_intervals(
        np.array([analytic["estimate"]]), np.array([error]), df, analytic["conf_level"]
    )
    return analytic | {
        "inference": "bias_reduced",
        "std_error": error,
        "statistic": shown.statistic[0],
        "df": df,
        "p_value": shown.p_value[0],
        "conf_low": shown.low[0],
        "conf_high": shown.high[0],
        "note": joined_notes(analytic.get("note"), NOTE),
    }


def _without(analytic: Row, reason: str) -> Row:
    empty = dict.fromkeys(
        ("std_error", "statistic", "df", "p_value", "conf_low", "conf_high"), np.nan
    )
    return analytic | empty | {"inference": "bias_reduced", "note": reason}
