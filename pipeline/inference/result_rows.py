"""Rows of ESTIMATES of a result, whatever its errors come from: the one place that makes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.effects.estimated import Estimated
from pipeline.effects.rows import Label, Row, effect_row, missing_row
from pipeline.effects.terms import Term
from pipeline.errors import Reason
from pipeline.inference.covariance import t_intervals


@dataclass(frozen=True)
class Errors:
    """Hold what inference knows of a result's k terms.

    `std_errors` (k,) are missing where one of the `reasons` says why, `df` is infinite for normal
    intervals. `remarks` is what must be known of each term, `columns` the counts behind one.
    """

    std_errors: Floats
    df: float
    reasons: Sequence[Reason | None]
    remarks: Sequence[Sequence[Reason]]
    columns: Callable[[Term], dict[str, int]]


def result_rows(label: Label, estimated: Estimated, errors: Errors) -> list[Row]:
    """Return a row for every term: estimated, zero by construction, or missing and why."""
    shown = t_intervals(estimated.estimates, errors.std_errors, errors.df, label.conf_level)
    rows = [
        effect_row(
            label,
            term,
            estimate=estimated.estimates[i],
            std_error=errors.std_errors[i],
            statistic=shown.statistic[i],
            df=float(errors.df) if np.isfinite(errors.df) else np.nan,
            p_value=shown.p_value[i],
            conf_low=shown.low[i],
            conf_high=shown.high[i],
            reason=errors.reasons[i],
            remarks=errors.remarks[i],
        )
        | errors.columns(term)
        for i, term in enumerate(estimated.terms)
    ]
    rows += [
        effect_row(label, term, estimate=0.0, reason=reason) | errors.columns(term)
        for term, reason in estimated.zeros.items()
    ]
    return rows + [
        missing_row(label, term, reason, **estimated.counts.get(term, {}))
        for term, reason in estimated.reasons.items()
    ]
