"""Rows of matching on one difference per firm, whose variance the estimator itself gives."""

import numpy as np

from pipeline.effects.estimated import Estimated
from pipeline.effects.rows import Label, Row, effect_row, missing_row
from pipeline.effects.terms import Term
from pipeline.errors import Reason
from pipeline.inference.covariance import is_rounding, std_errors_of, t_intervals

INFERENCE = "abadie_imbens"


def abadie_imbens_rows(label: Label, estimated: Estimated) -> list[Row]:
    """Return a row for every term, with normal tests and intervals."""
    assert estimated.covariance is not None, "the estimator gives variances"
    errors = std_errors_of(estimated.covariance)
    reasons = [_why_none(estimated, *pair) for pair in zip(estimated.terms, errors, strict=True)]
    known = np.where([reason is None for reason in reasons], errors, np.nan)
    shown = t_intervals(estimated.estimates, known, np.inf, label.conf_level)
    rows = [
        effect_row(
            label,
            term,
            inference=INFERENCE,
            estimate=estimated.estimates[i],
            std_error=known[i],
            statistic=shown.statistic[i],
            p_value=shown.p_value[i],
            conf_low=shown.low[i],
            conf_high=shown.high[i],
            reason=reasons[i],
            remarks=estimated.remarks.get(term, ()),
            **estimated.counts[term],
        )
        for i, term in enumerate(estimated.terms)
    ]
    rows += [
        effect_row(label, term, inference=INFERENCE, estimate=0.0, reason=reason)
        for term, reason in estimated.zeros.items()
    ]
    return rows + [
        missing_row(label, term, reason, inference=INFERENCE)
        for term, reason in estimated.reasons.items()
    ]


def _why_none(estimated: Estimated, term: Term, error: float) -> Reason | None:
    counts = estimated.counts[term]
    if counts["n_treated"] < 2:
        return Reason("one_treated_matched")
    rounding = is_rounding(error, counts["n_obs"], estimated.largest)
    return Reason("no_variation") if rounding else None
