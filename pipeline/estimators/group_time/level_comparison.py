"""Levels of treated firms against those of comparison firms in two years, row by row.

For panels with gaps: a firm seen in one of the two years counts in that year. The estimators are
those of Sant'Anna & Zhao (2020), doi:10.1016/j.jeconom.2020.06.003, for repeated cross-sections,
which assume that who is seen does not depend on the year; the doubly robust ones are locally
efficient. With a and c the normalised weights of treated and comparison rows in the later (1) and
the base year (0), r the level left by the comparison firms' regressions, and t how far regressions
of treated firms lie above those of comparison firms,

    effect = (a1 - a0) r - (c1 - c0) r + (a - a1) t1 - (a - a0) t0.

Sums are over rows; influences sum to zero, and a firm's is the sum over its rows.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.errors import Reason, SupportError
from pipeline.estimators.adjusted_change import AdjustedChange, Method, inverse_gram
from pipeline.estimators.group_time.propensity_odds import comparison_odds, score_influence


@dataclass(frozen=True)
class Levels:
    """Hold n rows of two years: group, whether the year is the later one, weight, outcome.

    `columns` (n, k) holds covariates and a constant.
    """

    treated: Flags
    later: Flags
    weight: Floats
    y: Floats
    columns: Floats


@dataclass(frozen=True)
class _Shares:
    """Hold normalised weights (n,): of the treated in both years, and by group and year."""

    treated: Floats
    treated_by_year: tuple[Floats, Floats]
    control_by_year: tuple[Floats, Floats]


class _Regression:
    """Regress the outcome on the columns with the given weights; say what its estimation costs."""

    def __init__(self, rows: Levels, weight: Floats) -> None:
        self.bread = inverse_gram(rows.columns, weight)
        moments = rows.columns.T @ (weight * rows.y)
        self.fitted = rows.columns @ (self.bread @ moments)
        self.score = weight * (rows.y - self.fitted)
        self.columns = rows.columns

    def influence(self, share: Floats) -> Floats:
        """Return each row's influence on the mean of fitted values under weights (n,)."""
        return np.asarray(
            self.score * (self.columns @ (self.bread @ (self.columns.T @ share))), np.float64
        )


def compare_levels(rows: Levels, method: Method) -> AdjustedChange:
    """Return the effect on the change in levels, and each row's influence, shape (n,).

    Raises SupportError where a group has no row in one of the years, or as `comparison_odds`.
    """
    years = (~rows.later, rows.later)
    for group, name in ((rows.treated, "treated"), (~rows.treated, "comparison")):
        if not all((group & year).any() for year in years):
            raise SupportError(Reason("nobody_in_one_of_two_years", {"group": name}))
    if method == "outcome_regression":
        return _by_regression(rows, years)
    improved = method == "doubly_robust_improved"
    odds = comparison_odds(rows.columns, rows.treated, rows.weight, improved)
    shares = _shares(rows, years, odds.odds)
    if method == "ipw":
        effect, influence, left = _differences(shares, (rows.y, rows.y))
        return AdjustedChange(effect, influence - _score_part(rows, odds.score, left))
    return _doubly_robust(rows, years, shares, None if improved else odds.score)


def _by_regression(rows: Levels, years: tuple[Flags, Flags]) -> AdjustedChange:
    """Predict the treated firms' change from the comparison firms' regressions in both years."""
    base, later = (_Regression(rows, rows.weight * (~rows.treated & year)) for year in years)
    shares = _shares(rows, years, np.ones(len(rows.y)))
    a0, a1 = shares.treated_by_year
    own = float(a1 @ rows.y - a0 @ rows.y)
    influence = _centred(a1, rows.y) - _centred(a0, rows.y)
    change = later.fitted - base.fitted
    influence -= _centred(shares.treated, change)
    influence -= later.influence(shares.treated) - base.influence(shares.treated)
    return AdjustedChange(own - float(shares.treated @ change), influence)


def _doubly_robust(
    rows: Levels, years: tuple[Flags, Flags], shares: _Shares, score: Floats | None
) -> AdjustedChange:
    """Combine regression and weighting; `score` is None for the improved estimator.

    The improved one's regressions weight comparison rows by their odds, so that estimating weights
    and regressions has no first-order effect.
    """
    plain = [rows.weight * (~rows.treated & year) for year in years]
    control_weight = shares.control_by_year if score is None else plain
    controls = [_Regression(rows, weight) for weight in control_weight]
    own = [_Regression(rows, rows.weight * (rows.treated & year)) for year in years]
    left = (rows.y - controls[0].fitted, rows.y - controls[1].fitted)
    effect, influence, weighted = _differences(shares, left)
    for sign, year in ((-1.0, 0), (1.0, 1)):
        above = own[year].fitted - controls[year].fitted
        shift = shares.treated - shares.treated_by_year[year]
        effect += sign * float(shift @ above)
        influence += sign * _centred(shares.treated, above)
        influence -= sign * _centred(shares.treated_by_year[year], above)
        if score is not None:
            costs = shares.control_by_year[year] - shares.treated_by_year[year] - shift
            influence += sign * (controls[year].influence(costs) + own[year].influence(shift))
    if score is not None:
        influence -= _score_part(rows, score, weighted)
    return AdjustedChange(effect, influence)


def _differences(shares: _Shares, values: tuple[Floats, Floats]) -> tuple[float, Floats, Floats]:
    """Return the difference in differences of values by year, its influences, and the controls'."""
    effect, influence, of_controls = 0.0, np.zeros(len(values[0])), np.zeros(len(values[0]))
    for sign, year in ((-1.0, 0), (1.0, 1)):
        a, c, value = shares.treated_by_year[year], shares.control_by_year[year], values[year]
        effect += sign * float(a @ value - c @ value)
        of_controls += sign * _centred(c, value)
        influence += sign * _centred(a, value)
    return effect, influence - of_controls, of_controls


def _score_part(rows: Levels, score: Floats, left: Floats) -> Floats:
    """Return each row's influence through the propensity score."""
    fitted = score_influence(rows.columns, rows.treated, rows.weight, score)
    direction = fitted.covariance @ (rows.columns.T @ left)
    return np.asarray(fitted.surprise * (rows.columns @ direction))


def _shares(rows: Levels, years: tuple[Flags, Flags], odds: Floats) -> _Shares:
    treated, control = rows.weight * rows.treated, rows.weight * odds * ~rows.treated
    by_year = [[group * year / (group @ year) for year in years] for group in (treated, control)]
    return _Shares(
        treated / treated.sum(), (by_year[0][0], by_year[0][1]), (by_year[1][0], by_year[1][1])
    )


def _centred(share: Floats, values: Floats) -> Floats:
    """Return the influences on a weighted mean of values."""
    return np.asarray(share * (values - share @ values))
