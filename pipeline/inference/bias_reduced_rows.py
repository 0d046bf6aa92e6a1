"""Rows of ESTIMATES with bias-reduced errors, beside the analytic rows of the same terms."""

import numpy as np

from pipeline.effects.absorb import dense_codes
from pipeline.effects.rows import Row, without_figures
from pipeline.errors import IdentificationError, Reason
from pipeline.inference.analytic import Inferred
from pipeline.inference.bias_reduced import bias_reduced
from pipeline.inference.covariance import t_intervals

INFERENCE = "bias_reduced"
_MISSING = ("std_error", "statistic", "df", "p_value", "conf_low", "conf_high")


def bias_reduced_rows(rows: list[Row], inferred: Inferred) -> list[Row]:
    """Return a row for every analytic one with a standard error, of a least-squares regression.

    `rows` are those of the result's terms, in their order, and what else the result says.
    """
    estimated, regression = inferred.estimated, inferred.estimated.regression
    assert regression is not None, "of least squares only"
    behind = regression.least_squares
    used = np.flatnonzero(np.isfinite(inferred.known_errors))
    if not len(used):
        return []
    group = dense_codes(inferred.clusters[0][estimated.seen.firm])
    shares = estimated.loadings[:, used]
    try:
        found = bias_reduced(behind.absorbed, behind.residuals, group, shares)
    except IdentificationError as error:
        return [without_figures(rows[i], INFERENCE, error.reason, *_MISSING) for i in used]
    pairs = zip(used, found.std_errors, found.degrees, strict=True)
    return [_row(rows[i], float(error), float(df)) for i, error, df in pairs]


def _row(analytic: Row, error: float, df: float) -> Row:
    shown = t_intervals(
        np.array([analytic["estimate"]]), np.array([error]), df, analytic["conf_level"]
    )
    return analytic | {
        "inference": INFERENCE,
        "std_error": error,
        "statistic": shown.statistic[0],
        "df": df,
        "p_value": shown.p_value[0],
        "conf_low": shown.low[0],
        "conf_high": shown.high[0],
        "remarks": (*analytic["remarks"], Reason("bias_reduced")),
    }
