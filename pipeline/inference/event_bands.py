"""Simultaneous bands: one critical value for all terms of a family."""

import numpy as np

from pipeline.effects.rows import Row, term_of
from pipeline.errors import Reason
from pipeline.inference.analytic import Inferred
from pipeline.inference.bands import simultaneous_critical_value


def band_rows(rows: list[Row], inferred: Inferred, family: str) -> list[Row]:
    """Return a row with band `simultaneous` for each term of a family with a standard error.

    One critical value holds for all of them, before and after entry alike, under a multivariate t
    with the degrees of freedom of the pointwise intervals, or a normal distribution.
    """
    place = {term: i for i, term in enumerate(inferred.estimated.terms)}
    known = [
        (row, place[term])
        for row in rows
        if row["term"] == family and (term := term_of(row)) in place and row["std_error"] > 0
    ]
    if not known:
        return []
    used = [position for _, position in known]
    covariance = inferred.covariance[np.ix_(used, used)]
    critical = simultaneous_critical_value(covariance, inferred.df, known[0][0]["conf_level"])
    said = Reason("simultaneous_band", {"critical_value": critical, "n": len(known)})
    return [_row(row, critical, said) for row, _ in known]


def _row(row: Row, critical: float, said: Reason) -> Row:
    return row | {
        "band": "simultaneous",
        "p_value": np.nan,
        "conf_low": row["estimate"] - critical * row["std_error"],
        "conf_high": row["estimate"] + critical * row["std_error"],
        "remarks": (*row["remarks"], said),
    }
