"""Weighted propensity scores inside an estimator, and what estimating them costs.

The scores that matching uses are fitted once per stack without weights (`selection.propensity`).
Here the firms and weights differ from one comparison to the next, and standard errors need each
firm's influence on the coefficients.
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.errors import Reason, SupportError

# Rules of the R package DRDID: comparison firms this much like treated ones would carry nearly all
# weight, and are left out; scores stay off 1.
TRIMMED_FROM = 0.995
LARGEST_SCORE = 1 - 1e-6

# Newton's steps shrink quadratically: a last step below this leaves no error that shows.
STEP_TOLERANCE = 1e-10
MOST_STEPS = 60
MOST_HALVINGS = 40

# Where covariates separate the groups, information in that direction halves and halves again with
# every step. At this share of what it was for a score of one half, scores are 0 or 1 to 9 digits.
LEAST_INFORMATION = 1e-9


@dataclass(frozen=True)
class ComparisonOdds:
    """Hold scores and odds p / (1 - p), both (n,); trimmed comparison firms have odds 0.

    `coefficients` (k,) are those of maximum likelihood, from which scores of nearly the same firms
    are soon found.
    """

    score: Floats
    odds: Floats
    coefficients: Floats


@dataclass(frozen=True)
class ScoreInfluence:
    """Hold a firm's influence on the k coefficients in two factors: surprise x (H^-1 x).

    `surprise` (n,) is w (d - p), `covariance` (k, k) the inverse information H^-1.
    """

    surprise: Floats
    covariance: Floats


def comparison_odds(
    columns: Floats, treated: Flags, weight: Floats, tilted: bool, start: Floats | None = None
) -> ComparisonOdds:
    """Fit the score by weighted maximum likelihood, or `tilted` so that covariate means agree.

    Tilting (Graham, Pinto & Egel 2012, doi:10.1093/restud/rdr047) solves
    sum w (d - (1-d) exp(x'b)) x = 0. `start` may give coefficients near the solution. Raises
    SupportError where no finite solution exists.
    """
    likeliest = coefficients = _logit(columns, treated, weight, start)
    if tilted:
        coefficients = _tilt(columns, treated, weight, coefficients)
    score = np.minimum(_logistic(columns @ coefficients), LARGEST_SCORE)
    odds = np.where(treated | (score < TRIMMED_FROM), score / (1 - score), 0.0)
    return ComparisonOdds(score, odds, likeliest)


def score_influence(
    columns: Floats, treated: Flags, weight: Floats, score: Floats
) -> ScoreInfluence:
    """Return what each firm contributes to the logit's coefficients."""
    information = _information(columns, weight, score)
    return ScoreInfluence(weight * (treated - score), np.asarray(np.linalg.inv(information)))


def _logit(columns: Floats, treated: Flags, weight: Floats, start: Floats | None) -> Floats:
    """Return coefficients; raise SupportError where the groups are separated, or nearly so.

    From a start that leads nowhere it is tried again from zero, which alone decides.
    """
    if start is not None:
        with suppress(SupportError):
            return _logit_from(start, columns, treated, weight)
    return _logit_from(np.zeros(columns.shape[1]), columns, treated, weight)


def _logit_from(start: Floats, columns: Floats, treated: Flags, weight: Floats) -> Floats:
    information = _information(columns, weight, np.full(len(weight), 0.5))
    scale = _inverse_root(information)
    coefficients, score = start, np.full(len(weight), 0.5)
    if start.any():
        score = _logistic(columns @ start)
        information = _information(columns, weight, score)
    for _ in range(MOST_STEPS):
        step = _newton_step(information, columns.T @ (weight * (treated - score)))
        coefficients = coefficients + step
        if np.abs(step).max() <= STEP_TOLERANCE * (1 + np.abs(coefficients).max()):
            return coefficients
        score = _logistic(columns @ coefficients)
        information = _information(columns, weight, score)
        if np.linalg.eigvalsh(scale @ information @ scale.T)[0] < LEAST_INFORMATION:
            raise _no_overlap()
    raise _no_overlap()


def _tilt(columns: Floats, treated: Flags, weight: Floats, start: Floats) -> Floats:
    """Minimise the convex sum w ((1-d) exp(x'b) - d x'b) by Newton steps, halved if too long."""
    coefficients = start
    target = columns[treated].T @ weight[treated]
    controls, mass = columns[~treated], weight[~treated]
    odds = _tilted(controls, mass, coefficients)
    for _ in range(MOST_STEPS):
        step = _newton_step(controls.T @ (odds[:, None] * controls), target - controls.T @ odds)
        loss = odds.sum() - target @ coefficients
        for _ in range(MOST_HALVINGS):
            odds = _tilted(controls, mass, coefficients + step)
            if odds.sum() - target @ (coefficients + step) <= loss + 1e-12 * abs(loss):
                break
            step = step / 2
        else:
            raise _no_overlap()
        coefficients = coefficients + step
        if np.abs(step).max() <= STEP_TOLERANCE * (1 + np.abs(coefficients).max()):
            return coefficients
    raise _no_overlap()


def _tilted(controls: Floats, mass: Floats, coefficients: Floats) -> Floats:
    """Return weighted odds; infinite ones tell the caller that its step was too long."""
    with np.errstate(over="ignore"):
        return np.asarray(mass * np.exp(controls @ coefficients))


def _information(columns: Floats, weight: Floats, score: Floats) -> Floats:
    return np.asarray(columns.T @ ((weight * score * (1 - score))[:, None] * columns))


def _inverse_root(information: Floats) -> Floats:
    """Return R with R information R' = I."""
    try:
        return np.asarray(np.linalg.inv(np.linalg.cholesky(information)))
    except np.linalg.LinAlgError:
        raise _no_overlap() from None


def _newton_step(information: Floats, gradient: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.solve(information, gradient), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise _no_overlap() from None


def _logistic(index: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(index, -700, 700))))


def _no_overlap() -> SupportError:
    return SupportError(Reason("score_without_solution"))
