"""Logit and probit by maximum likelihood: by statsmodels, or by bare Newton steps.

What is published is fitted by statsmodels. Draws that redo a score many times over take the bare
steps, which reach the same optimum (the tests compare them to 1e-10) in a quarter of the time, and
which weigh firms, as statsmodels' Logit and Probit do not. Scores with sampling weights are those
of its generalised linear models.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from pipeline.datasets.arrays import Flags, Floats

Link = Literal["logit", "probit"]

# Newton's error is the square of the last step: about 1e-12 standard deviations.
STEP_TOLERANCE = 1e-6

# Where groups are separated the index grows by about one a step, and there is no optimum: this
# many steps stop before the information underflows, and are five times what others need.
MOST_STEPS = 35

# The same of statsmodels: its last step is taken, too, so that the error is the square of this.
STATSMODELS_TOLERANCE = 1e-9

# Rounding error of a log-likelihood, relative.
ROUNDING = 1e-12

# Firms summed at once.
BLOCK = 16_384


@dataclass(frozen=True)
class Optimum:
    """Hold coefficients (k,) on the columns, their covariance, the index (n,) and log-likelihood.

    The covariance is the inverse of the observed information, as in Stata and statsmodels.
    """

    coefficients: Floats
    covariance: Floats
    index: Floats
    log_likelihood: float


class Maximiser(Protocol):
    """Fit P(treated) = F(columns b), weighted where there are weights; None without an optimum."""

    def __call__(
        self, columns: Floats, treated: Flags, link: Link, weight: Floats | None = None
    ) -> Optimum | None:
        """Return the optimum for columns (n, k), treated and weights (n,)."""


@dataclass(frozen=True)
class _Hill:
    """Hold log-likelihood, gradient (k,) and information (k, k) at some coefficients."""

    log_likelihood: float
    gradient: Floats
    information: Floats


def maximise_by_statsmodels(
    columns: Floats, treated: Flags, link: Link, weight: Floats | None = None
) -> Optimum | None:
    """Fit P(treated) = F(columns b) by statsmodels, on standardised columns with an intercept.

    With weights (n,), that of the weighted likelihood. None is returned where no optimum is found.
    statsmodels says nothing where groups are quasi-separated: it stops after its steps, or at
    coefficients that are no numbers.
    """
    from statsmodels.discrete.discrete_model import Logit, Probit

    if weight is not None:
        return _maximise_weighted(columns, treated, link, weight)
    model = (Logit if link == "logit" else Probit)(
        treated.astype(np.float64), columns, check_rank=False
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # convergence is read below, and separation named
            fit = model.fit(
                method="newton",
                tol=STATSMODELS_TOLERANCE,
                maxiter=MOST_STEPS,
                ridge_factor=0.0,
                disp=False,
                callback=lambda _: None,  # in place of a search for perfect predictions
            )
    except np.linalg.LinAlgError:
        return None
    coefficients, covariance = np.asarray(fit.params), np.asarray(fit.cov_params())
    finite = np.isfinite(coefficients).all() and np.isfinite(covariance).all()
    if not fit.mle_retvals["converged"] or not finite:
        return None
    index = np.einsum("ij,j->i", columns, coefficients)
    return Optimum(coefficients, covariance, index, float(fit.llf))


def _maximise_weighted(
    columns: Floats, treated: Flags, link: Link, weight: Floats
) -> Optimum | None:
    """Fit the weighted likelihood by statsmodels' GLM.

    Its steps take the expected information. Bare ones from its optimum give the observed
    information, which that of unweighted scores is, too, and take the rest of the error.
    """
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.families.links import Logit, Probit
    from statsmodels.genmod.generalized_linear_model import GLM

    family = Binomial(link=Logit() if link == "logit" else Probit())
    model = GLM(treated.astype(np.float64), columns, family=family, freq_weights=weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whether it converged the steps that follow tell
        start = np.asarray(model.fit(maxiter=MOST_STEPS).params)
    return maximise(columns, treated, link, weight, start) if np.isfinite(start).all() else None


def maximise(
    columns: Floats,
    treated: Flags,
    link: Link,
    weight: Floats | None = None,
    start: Floats | None = None,
) -> Optimum | None:
    """Fit P(treated) = F(columns b) by Newton steps; columns (n, k) include the intercept.

    `weight` (n,) counts each firm that often; None counts each once. Steps go from `start`, or
    from zero. None is returned where no optimum is found, as where a combination of columns
    separates the groups.
    """

    def hill_at(coefficients: Floats) -> _Hill:
        return _hill(columns, treated, link, weight, coefficients)

    coefficients = np.zeros(columns.shape[1]) if start is None else start
    hill = hill_at(coefficients)
    for _ in range(MOST_STEPS):
        try:
            step = np.asarray(np.linalg.solve(hill.information, hill.gradient), np.float64)
        except np.linalg.LinAlgError:
            return None
        step, hill = _uphill(coefficients, step, hill, hill_at)
        coefficients = coefficients + step
        if np.abs(step).max() <= STEP_TOLERANCE:
            covariance = np.asarray(np.linalg.inv(hill.information), np.float64)
            index = np.einsum("ij,j->i", columns, coefficients)
            return Optimum(coefficients, covariance, index, hill.log_likelihood)
    return None


def link_density(index: Floats, link: Link) -> Floats:
    """Return the derivative of the probability by the index."""
    if link == "probit":
        return np.asarray(np.exp(-np.square(index) / 2) / np.sqrt(2 * np.pi))
    small = np.exp(-np.abs(index))
    return np.asarray(small / np.square(1 + small))


def surprise(index: Floats, treated: Flags, link: Link) -> Floats:
    """Return the derivative of each firm's log-likelihood by its index."""
    of_firm = _logit if link == "logit" else _probit
    return of_firm(index, treated)[1]


def probability(index: Floats, link: Link) -> Floats:
    """Return the probability of treatment at an index."""
    from scipy.special import expit, ndtr

    return np.asarray(expit(index) if link == "logit" else ndtr(index))


def _hill(
    columns: Floats, treated: Flags, link: Link, weight: Floats | None, coefficients: Floats
) -> _Hill:
    """Sum over firms, block by block, so that each block stays in the processor's cache.

    By einsum, which runs in this thread: where a machine is shared, waiting for the threads of a
    matrix library takes longer than the sums.
    """
    k = len(coefficients)
    total = _Hill(0.0, np.zeros(k), np.zeros((k, k)))
    of_firm = _logit if link == "logit" else _probit
    for first in range(0, len(treated), BLOCK):
        rows = slice(first, first + BLOCK)
        block = columns[rows]
        likelihood, score, information = of_firm(
            np.einsum("ij,j->i", block, coefficients), treated[rows]
        )
        if weight is not None:
            likelihood, score, information = (
                weight[rows] * part for part in (likelihood, score, information)
            )
        total = _Hill(
            total.log_likelihood + float(likelihood.sum()),
            total.gradient + np.einsum("i,ij->j", score, block),
            total.information + np.einsum("ij,ik->jk", block * information[:, None], block),
        )
    return total


def _uphill(
    coefficients: Floats, step: Floats, before: _Hill, hill_at: Callable[[Floats], _Hill]
) -> tuple[Floats, _Hill]:
    """Halve a step until the likelihood does not fall; return it and the hill after it."""
    floor = before.log_likelihood - ROUNDING * abs(before.log_likelihood)
    hill = hill_at(coefficients + step)
    for _ in range(MOST_STEPS):
        if hill.log_likelihood >= floor:
            break
        step = step / 2
        hill = hill_at(coefficients + step)
    return step, hill


def _logit(index: Floats, treated: Flags) -> tuple[Floats, Floats, Floats]:
    """Return each firm's log-likelihood, and its first and minus its second derivative."""
    small = np.exp(-np.abs(index))
    larger = 1 / (1 + small)
    chance = np.where(index >= 0, larger, small * larger)
    likelihood = np.minimum(np.where(treated, index, -index), 0) - np.log1p(small)
    return likelihood, treated - chance, small * np.square(larger)


def _probit(index: Floats, treated: Flags) -> tuple[Floats, Floats, Floats]:
    """Return each firm's log-likelihood, and its first and minus its second derivative."""
    from scipy.special import log_ndtr

    sign = np.where(treated, 1.0, -1.0)
    likelihood = log_ndtr(sign * index)
    ratio = sign * np.exp(-np.square(index) / 2 - likelihood) / np.sqrt(2 * np.pi)
    return likelihood, ratio, ratio * (ratio + index)
