"""Simultaneous bands of a stacked event study, from the covariance of its effects."""

import numpy as np

from pipeline.effects.least_squares import Fit
from pipeline.effects.rows import Row, simultaneous_rows
from pipeline.estimators.stacked import event_times
from pipeline.inference.bands import simultaneous_critical_value


def event_band_rows(rows: list[Row], fit: Fit) -> list[Row]:
    """Return a row with band `simultaneous` for each event time that has a standard error.

    One critical value holds for all event times, before and after entry alike, under a
    multivariate t with the degrees of freedom of the pointwise intervals.
    """
    place = {time: i for i, time in enumerate(event_times(fit.names))}
    known = [row for row in rows if row.get("std_error", 0.0) > 0 and row["event_time"] in place]
    if not known:
        return []
    used = [place[row["event_time"]] for row in known]
    covariance = fit.covariance[np.ix_(used, used)]
    critical = simultaneous_critical_value(covariance, fit.df, known[0]["conf_level"])
    return simultaneous_rows(known, critical)
