"""Poisson regression with two sets of absorbed effects: proportional effects on a level.

Pseudo-maximum likelihood by iterated weighted least squares, with effects absorbed exactly in
every round: Correia, Guimaraes & Zylkin (2020), doi:10.1177/1536867X20909691. The outcome need not
be a count; zeros stay in. It needs parallel ratios, not parallel differences, of untreated
outcomes (Wooldridge 2023, doi:10.1093/ectj/utad016).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.absorb import TwoEffects, demean, dense_codes, not_collinear, two_effects
from pipeline.effects.estimated import Estimated, Seen
from pipeline.effects.least_squares import Solved, as_estimated
from pipeline.effects.regression import Regression
from pipeline.effects.separation import Usable, usable_rows
from pipeline.effects.terms import Term
from pipeline.errors import Reason, SupportError

# Newton's steps shrink quadratically: once the deviance changes by less than this share of the
# outcomes' sum, the coefficients are exact to rounding.
DEVIANCE_TOLERANCE = 1e-12
# Fitted values are then within the root of that share of the outcomes: what is left of outcomes
# that are fitted exactly may be as much, relative to them.
RESIDUAL_SHARE = 1e-6
MOST_ROUNDS = 100
NO_DIGITS = Reason("no_digits")


@dataclass(frozen=True)
class _Converged:
    """Hold coefficients, demeaned columns, fitted values and what is estimable at the optimum."""

    estimates: Floats
    columns: Floats
    mu: Floats
    estimable: Flags


def fit_poisson(
    y: Floats,
    regressors: Floats,
    terms: Sequence[Term | None],
    *,
    first: Codes,
    second: Codes,
    weight: Floats,
    seen: Seen,
    usable: Usable | None = None,
) -> Estimated:
    """Fit E[y] = exp(regressors b + effects), weighted.

    Coefficients are log points; a firm's influence is the inverse information times the sum of
    x w (y - mu) over its rows. `usable` is known where it was asked for before, or another outcome
    with the same zeros was fitted. Raises SupportError where all outcomes are zero or the
    iterations do not converge.
    """
    usable = usable_rows(y, regressors, first, second) if usable is None else usable
    kept = usable.kept
    if not kept.any():
        raise SupportError(Reason("no_positive_outcome"))
    codes = dense_codes(first[kept]), dense_codes(second[kept])
    found = _iterate(y[kept], regressors[kept], codes, weight[kept])
    columns, mass = found.columns[:, found.estimable], weight[kept] * found.mu
    bread = np.asarray(np.linalg.inv(columns.T @ (mass[:, None] * columns)), dtype=np.float64)
    scores = columns * (weight[kept] * (y[kept] - found.mu))[:, None]
    regression = Regression.of_rows(codes, kept, bread)
    solved = Solved(found.estimates, scores, found.estimable, y, kept, regression)
    return replace(as_estimated(solved, terms, seen), largest=1.0, rounding=RESIDUAL_SHARE)


def _iterate(
    y: Floats, regressors: Floats, codes: tuple[Codes, Codes], weight: Floats
) -> _Converged:
    mu = (y + np.average(y, weights=weight)) / 2
    index = np.log(mu)
    deviance, total = np.inf, float(weight @ y)
    for _ in range(MOST_ROUNDS):
        effects = _absorbed(codes, weight * mu)
        response = index + (y - mu) / mu
        columns = demean(effects, regressors)
        gram = columns.T @ (effects.weight[:, None] * columns)
        raw = np.einsum("ij,i,ij->j", regressors, effects.weight, regressors)
        estimable = not_collinear(gram, raw)
        used = np.flatnonzero(estimable)
        left = demean(effects, response[:, None])[:, 0]
        moments = columns[:, used].T @ (effects.weight * left)
        estimates = np.asarray(np.linalg.solve(gram[np.ix_(used, used)], moments), np.float64)
        index = response - (left - columns[:, used] @ estimates)
        mu = _fitted(index)
        before, deviance = deviance, _deviance(y, mu, weight)
        if abs(before - deviance) <= DEVIANCE_TOLERANCE * total:
            return _Converged(estimates, columns, mu, estimable)
    raise SupportError(Reason("poisson_not_converged", {"rounds": MOST_ROUNDS}))


def _absorbed(codes: tuple[Codes, Codes], mass: Floats) -> TwoEffects:
    """Prepare demeaning; raise SupportError where the masses leave an effect no digits."""
    try:
        return two_effects(*codes, mass)
    except RuntimeError:  # what scipy raises for a singular factor
        raise SupportError(NO_DIGITS) from None


def _fitted(index: Floats) -> Floats:
    """Return exp(index); raise SupportError where that is no positive number."""
    with np.errstate(over="ignore", under="ignore"):
        mu = np.exp(index)
    if not (np.isfinite(mu) & (mu > 0)).all():
        raise SupportError(NO_DIGITS)
    return np.asarray(mu, dtype=np.float64)


def _deviance(y: Floats, mu: Floats, weight: Floats) -> float:
    """Return 2 sum w (y log(y / mu) - (y - mu)), y log y being zero at zero."""
    logs = np.log(np.where(y > 0, y, 1.0)) - np.log(mu)
    return float(2 * (weight * (y * logs - (y - mu))).sum())
