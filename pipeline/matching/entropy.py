"""Entropy balancing: comparison weights nearest to base weights that meet the treated moments.

Hainmueller (2012), doi:10.1093/pan/mpr025.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats
from pipeline.errors import DataError, EvaluationError, Reason, SupportError
from pipeline.matching.score_weights import treatment_odds
from pipeline.matching.stack import RiskSet, StackMatch, weighted
from pipeline.params.match import EntropyDesign
from pipeline.selection.design_matrix import expanded_columns, told_terms
from pipeline.selection.frequency import (
    Frequency,
    among,
    counted,
    mean,
    spread,
    times_of,
    weighted_times,
)

# Largest weighted deviation that counts as met, in standard deviations of the covariate.
MOMENT_TOLERANCE = 1e-8

MOST_STEPS = 200

# Eigenvalues of the Hessian below this share of the largest belong to redundant moments.
REDUNDANT = 1e-12

# Rounding error of the objective, relative beyond one.
ROUNDING = 1e-14

# Slack of the linear programme (standard deviations) above which a moment is out of reach.
OUT_OF_REACH = 1e-7

_POWER_NAMES = {1: "mean", 2: "second moment", 3: "third moment"}


@dataclass(frozen=True)
class Moments:
    """Hold k moments: how messages call them, and deviations of comparison firms, shape (n0, k).

    A deviation is a comparison firm's power of a covariate minus its mean among the treated, in
    units of the covariate's standard deviation: a weighted mean of zero meets the moment.
    """

    names: tuple[str, ...]
    deviations: Floats


def weigh_by_entropy(risk_set: RiskSet, design: EntropyDesign) -> StackMatch:
    """Weight comparison firms so that they share the treated firms' moments.

    Only firms on support. Raises SupportError where a moment is out of reach, DataError where a
    covariate is missing or a base weight not positive; messages begin with model, stack and design.
    """
    risk_set.require_both()
    used, treated = risk_set.usable, risk_set.treated
    base = _base_weights(risk_set, design)
    weight = np.zeros(len(treated))
    weight[used & treated] = 1.0
    covariates = risk_set.covariates.loc[used, design.covariates]
    try:
        weight[used & ~treated] = entropy_weights(
            covariates,
            treated[used],
            base[used & ~treated],
            design.moments,
            among(risk_set.frequency, used),
            sampling=among(risk_set.sampling, used),
        )
    except EvaluationError as error:
        raise error.at(risk_set.where) from None
    return weighted(risk_set, weight)


def _base_weights(risk_set: RiskSet, design: EntropyDesign) -> Floats:
    """Return the weights from which the solution departs as little as possible, one per firm."""
    if design.base == "odds":
        return treatment_odds(risk_set)
    if design.base_covariate is None:
        return np.ones(len(risk_set.firms))
    base = risk_set.covariates[design.base_covariate].to_numpy(np.float64)
    needed = base[risk_set.usable & ~risk_set.treated]
    without = int((~(needed > 0)).sum())
    if without:
        raise DataError(
            f"{risk_set.where}: base_covariate {design.base_covariate} is missing, zero or "
            f"negative for {without} of {len(needed)} comparison firms; base weights must be "
            "positive"
        )
    return base


def entropy_weights(
    covariates: pd.DataFrame,
    treated: Flags,
    base: Floats,
    order: int,
    frequency: Frequency = None,
    *,
    sampling: Floats | None = None,
) -> Floats:
    """Return comparison weights, shape (n0,), summing to the number of treated firms.

    Minimises sum w log(w / base) subject to the first `order` moments of each covariate being
    those of the treated, to 1e-8 standard deviations. `covariates` and `treated` have one entry
    per firm, `base` one positive entry per comparison firm. Where firms count as
    often as `frequency` says, times their `sampling` weights, weights are those of one of their
    copies.
    Raises SupportError naming the moments that no weights can meet.
    """
    moments = covariate_moments(covariates, treated, order, frequency, sampling=sampling)
    mass = weighted_times(frequency, sampling)
    times: Floats = times_of(mass, len(treated))[~treated]
    prior = base * times
    share = _solve_dual(moments.deviations, prior / prior.sum())
    if share is None:
        _refuse_out_of_reach(moments, counted(~treated, frequency))
    return np.asarray(share * counted(treated, frequency) / times)


def _solve_dual(deviations: Floats, base: Floats) -> Floats | None:
    """Minimise log sum base exp(-deviations z) over z by Newton; None where none exists.

    The gradient is minus the weighted mean deviation, the Hessian their weighted covariance.
    Steps are halved until the objective falls (Boyd & Vandenberghe 2004, section 9.2).
    """
    multipliers = np.zeros(deviations.shape[1])
    objective, share = _weights_at(deviations, base, multipliers)
    for _ in range(MOST_STEPS):
        mean = share @ deviations
        if np.abs(mean).max() <= MOMENT_TOLERANCE / 10:
            return share
        hessian = deviations.T @ (share[:, None] * deviations) - np.outer(mean, mean)
        step = np.linalg.pinv(hessian, rcond=REDUNDANT, hermitian=True) @ mean
        fraction = 2.0
        trial = np.inf
        # Near the minimum the objective is flat to rounding, which must not stop the steps.
        while trial > objective - 1e-4 * fraction * (mean @ step) + ROUNDING * (1 + abs(objective)):
            fraction /= 2
            trial, share = _weights_at(deviations, base, multipliers + fraction * step)
        multipliers, objective = multipliers + fraction * step, trial
    return share if np.abs(share @ deviations).max() <= MOMENT_TOLERANCE else None


def _weights_at(deviations: Floats, base: Floats, multipliers: Floats) -> tuple[float, Floats]:
    """Return the dual objective and the weights, summing to one, at given multipliers."""
    exponent = -(deviations @ multipliers)
    highest = exponent.max()
    raw = base * np.exp(exponent - highest)
    total = raw.sum()
    return float(np.log(total) + highest), raw / total


def _refuse_out_of_reach(moments: Moments, n_control: int) -> NoReturn:
    """Name the moments that stay unmet when the others are met as far as they can be.

    A linear programme minimises the sum of absolute deviations over all weights.
    """
    from scipy.optimize import linprog

    n_rows, k = moments.deviations.shape
    cost = np.concatenate([np.zeros(n_rows), np.ones(2 * k)])
    slack = np.hstack([moments.deviations.T, np.eye(k), -np.eye(k)])
    one = np.concatenate([np.ones(n_rows), np.zeros(2 * k)])
    found = linprog(cost, A_eq=np.vstack([slack, one]), b_eq=np.append(np.zeros(k), 1.0))
    gap = np.abs(found.x[n_rows : n_rows + k] - found.x[n_rows + k :])
    unmet = np.flatnonzero(gap > OUT_OF_REACH)
    listed = ", ".join(f"{moments.names[i]} ({gap[i]:.3g} SD away)" for i in unmet)
    raise SupportError(
        f"no weights of the {n_control} comparison firms meet the treated firms' "
        f"{listed or 'moments without leaving nearly all of them out'}; balance fewer moments, "
        "drop the covariate or widen the comparison pool (controls_from, support of its score "
        "model; treatment.comparison)",
        reason=Reason("moments_not_met", {"n_control": n_control}),
    )


def covariate_moments(
    covariates: pd.DataFrame,
    treated: Flags,
    order: int,
    frequency: Frequency = None,
    *,
    sampling: Floats | None = None,
) -> Moments:
    """Return the first `order` moments of each covariate, categories as indicators.

    Powers are of the covariate less its treated mean, over its standard deviation: given the
    lower moments, meeting those is meeting the raw ones. An indicator has a mean only. Means and
    deviations are of firms that count as `entropy_weights` says.
    Raises DataError where a value is missing.
    """
    missing = covariates.isna().sum()
    if missing.any():
        listed = ", ".join(f"{name} {count}" for name, count in missing[missing > 0].items())
        raise DataError(
            f"covariates to balance are missing for some of {len(covariates)} firms ({listed}); "
            "put them in the score model, whose rule for missing values then applies"
        )
    told, mass = told_terms(covariates, frequency), weighted_times(frequency, sampling)
    names, deviations = zip(*_powers(covariates, treated, order, told, mass), strict=True)
    return Moments(names, np.column_stack(deviations))


def _powers(
    covariates: pd.DataFrame, treated: Flags, order: int, told: list[str], mass: Frequency
) -> Iterator[tuple[str, Floats]]:
    of_treated = among(mass, treated)
    for name, (*_, values) in zip(told, expanded_columns(covariates), strict=True):
        deviation = spread(values, mass) or 1.0
        standard = (values - mean(values[treated], of_treated)) / deviation
        two_valued = len(np.unique(values)) <= 2
        for power in range(1, 2 if two_valued else order + 1):
            raised = standard**power
            aim = mean(raised[treated], of_treated)
            yield f"{_POWER_NAMES[power]} of {name}", raised[~treated] - aim
