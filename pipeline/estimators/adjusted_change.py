"""Changes of treated firms against those of comparison firms, adjusted for covariates.

Outcome regression, inverse probability weighting, and the two doubly robust estimators of
Sant'Anna & Zhao (2020), doi:10.1016/j.jeconom.2020.06.003, for panels. With a (c) the normalised
weights of treated (comparison) firms and r the change left by the outcome regression, every one is

    effect = sum a r - sum c r.

All sums here are over firms and not means: the influences sum to zero and their squares to the
variance, so that influences of several comparisons add up firm by firm.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.errors import Reason, SupportError
from pipeline.estimators.group_time.propensity_odds import (
    ComparisonOdds,
    ScoreInfluence,
    comparison_odds,
    score_influence,
)

Method = Literal["outcome_regression", "ipw", "doubly_robust", "doubly_robust_improved"]

# Cross-products of scaled covariates beyond this condition number: collinear up to rounding.
COLLINEAR = 1e12


@dataclass(frozen=True)
class ComparedFirms:
    """Hold what the outcomes of the same n firms share; arrays (n,) and (n, k).

    `treated_share` and `control_share` are the normalised weights a and c. `regression_weight` and
    `regression_bread` (k, k) give the outcome regression, None for pure weighting. `leverage` is a
    firm's influence through the outcome regression per unit of its residual, `score` its influence
    on the coefficients of the propensity score, `start` these coefficients, near which those of
    nearly the same firms lie; None where the estimator has none of them.
    """

    columns: Floats
    treated_share: Floats
    control_share: Floats
    regression_weight: Floats | None
    regression_bread: Floats | None
    leverage: Floats | None
    score: ScoreInfluence | None
    start: Floats | None = None


@dataclass(frozen=True)
class AdjustedChange:
    """Hold one effect and each firm's influence on it, shape (n,), in units of the outcome."""

    effect: float
    influence: Floats


def prepare_comparison(
    treated: Flags, weight: Floats, columns: Floats, method: Method, start: Floats | None = None
) -> ComparedFirms:
    """Fit what does not depend on the outcome: shares, the score, the regression's bread.

    `columns` (n, k) holds covariates and a constant, `weight` sampling or matching weights.
    `start` may give coefficients of a score of nearly the same firms. Raises SupportError where
    covariates are collinear among comparison firms or separate the groups.
    """
    columns = np.asfortranarray(columns)  # a column at a time is several times faster here
    share, control = _shares(treated, weight)
    if method == "outcome_regression":
        return _with_regression(columns, share, np.zeros(len(share)), control)
    odds = comparison_odds(columns, treated, weight, method == "doubly_robust_improved", start)
    found = _with_odds(columns, treated, weight, method, odds)
    return replace(found, start=odds.coefficients)


def _with_odds(
    columns: Floats, treated: Flags, weight: Floats, method: Method, odds: ComparisonOdds
) -> ComparedFirms:
    share, control = _shares(treated, weight)
    control_share = control * odds.odds
    control_share /= control_share.sum()
    if method == "doubly_robust_improved":
        bread = inverse_gram(columns, control_share)
        return ComparedFirms(columns, share, control_share, control_share, bread, None, None)
    fitted = score_influence(columns, treated, weight, odds.score)
    if method == "ipw":
        return ComparedFirms(columns, share, control_share, None, None, None, fitted)
    return _with_regression(columns, share, control_share, control, fitted)


def _shares(treated: Flags, weight: Floats) -> tuple[Floats, Floats]:
    """Return the normalised weights of treated firms, and the weights of comparison firms, (n,)."""
    return np.where(treated, weight, 0.0) / weight[treated].sum(), np.where(treated, 0.0, weight)


def adjusted_change(comparison: ComparedFirms, change: Floats) -> AdjustedChange:
    """Return the effect on a change (n,) and its influences.

    The improved estimator's weights and regression are chosen so that estimating them has no
    first-order effect (Sant'Anna & Zhao 2020, section 3.1).
    """
    residual = change - _fitted(comparison, change)
    of_treated = float(comparison.treated_share @ residual)
    of_control = float(comparison.control_share @ residual)
    influence = residual - of_treated
    influence *= comparison.treated_share
    weighted = residual - of_control
    weighted *= comparison.control_share
    influence -= weighted
    if comparison.leverage is not None:
        residual *= comparison.leverage
        influence += residual
    if comparison.score is not None:
        score = comparison.score
        direction = score.covariance @ (comparison.columns.T @ weighted)
        influence -= score.surprise * (comparison.columns @ direction)
    return AdjustedChange(of_treated - of_control, influence)


def _with_regression(
    columns: Floats,
    treated_share: Floats,
    control_share: Floats,
    control: Floats,
    score: ScoreInfluence | None = None,
) -> ComparedFirms:
    """Add the least squares regression among comparison firms, and what estimating it costs."""
    bread = inverse_gram(columns, control)
    direction = bread @ (columns.T @ (control_share - treated_share))
    leverage = control * (columns @ direction)
    return ComparedFirms(columns, treated_share, control_share, control, bread, leverage, score)


def _fitted(comparison: ComparedFirms, change: Floats) -> Floats | float:
    if comparison.regression_weight is None or comparison.regression_bread is None:
        return 0.0
    moments = comparison.columns.T @ (comparison.regression_weight * change)
    return comparison.columns @ (comparison.regression_bread @ moments)


def inverse_gram(columns: Floats, weight: Floats) -> Floats:
    """Return the inverse of weighted cross-products (k, k); raise SupportError if collinear."""
    gram = columns.T @ (weight[:, None] * columns)
    scale = np.sqrt(np.diag(gram))
    if not (scale > 0).all() or np.linalg.cond(gram / np.outer(scale, scale)) > COLLINEAR:
        raise SupportError(Reason("collinear_in_cell"))
    return np.asarray(np.linalg.inv(gram))
