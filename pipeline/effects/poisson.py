"""Poisson regression with two sets of absorbed effects: proportional effects on a level.

Pseudo-maximum likelihood by iterated weighted least squares, with effects absorbed exactly in
every round: Correia, Guimaraes & Zylkin (2020), doi:10.1177/1536867X20909691. The outcome need not
be a count; zeros stay in. It needs parallel ratios, not parallel differences, of untreated
outcomes (Wooldridge 2023, doi:10.1093/ectj/utad016).
"""

from dataclasses import dataclass

import numpy as np

from pipeline.effects.absorb import TwoEffects, demean, dense_codes, not_collinear, two_effects
from pipeline.effects.least_squares import (
    Fit,
    paid_parameters,
    widen,
    widen_columns,
    widen_square,
)
from pipeline.effects.separation import Usable, usable_rows
from pipeline.effects.stacks import Flags, Floats
from pipeline.errors import SupportError
from pipeline.inference.covariance import cluster_influence, is_rounding, n_groups, std_errors_of
from pipeline.panel.panel_index import Codes

# Newton's steps shrink quadratically: once the deviance changes by less than this share of the
# outcomes' sum, the coefficients are exact to rounding.
DEVIANCE_TOLERANCE = 1e-12
# Fitted values are then within the root of that share of the outcomes: what is left of outcomes
# that are fitted exactly may be as much, relative to them.
RESIDUAL_SHARE = 1e-6
MOST_ROUNDS = 100
NO_DIGITS = (
    "no Poisson regression: the outcome spans so many orders of magnitude that its largest values "
    "leave the others no digits"
)


@dataclass(frozen=True)
class PoissonFit:
    """Hold a fit, the inverse information of its estimable coefficients, and the rows left out."""

    fit: Fit
    bread: Floats
    usable: Usable


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
    names: tuple[str, ...],
    *,
    first: Codes,
    second: Codes,
    weight: Floats,
    clusters: Codes,
    usable: Usable | None = None,
) -> PoissonFit:
    """Fit E[y] = exp(regressors b + effects), weighted; covariance clustered.

    Coefficients are log points. `usable` is known where another outcome with the same zeros was
    fitted before. Raises SupportError where all outcomes are zero or the iterations
    do not converge.
    """
    usable = usable_rows(y, regressors, first, second) if usable is None else usable
    kept = usable.kept
    if not kept.any():
        raise SupportError("no firm has both a positive outcome and more than one year")
    codes = dense_codes(first[kept]), dense_codes(second[kept])
    found = _iterate(y[kept], regressors[kept], codes, weight[kept])
    bread, influence = _influence(found, y[kept], weight[kept], codes, clusters[kept])
    errors = std_errors_of(influence.T @ influence)
    influence[:, is_rounding(errors, len(codes[0]), 1.0, RESIDUAL_SHARE)] = 0.0
    fit = Fit(
        names=names,
        estimates=widen(found.estimates, found.estimable),
        covariance=widen_square(influence.T @ influence, found.estimable),
        estimable=found.estimable,
        kept=kept,
        n_obs=int(kept.sum()),
        n_clusters=n_groups(clusters[kept]),
        influence=widen_columns(influence, found.estimable),
    )
    return PoissonFit(fit, bread, usable)


def _influence(
    found: _Converged, y: Floats, mass: Floats, codes: tuple[Codes, Codes], group: Codes
) -> tuple[Floats, Floats]:
    """Return the inverse information and the clusters' influences on estimable coefficients."""
    columns = found.columns[:, found.estimable]
    gram = columns.T @ ((mass * found.mu)[:, None] * columns)
    bread = np.asarray(np.linalg.inv(gram), dtype=np.float64)
    k_parameters = paid_parameters(columns.shape[1], *codes, group)
    scores = columns * (mass * (y - found.mu))[:, None]
    return bread, cluster_influence(scores, bread, group, len(group), k_parameters)


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
    raise SupportError(f"the Poisson regression did not converge in {MOST_ROUNDS} rounds")


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
