"""What the estimation of a propensity score changes in the variance of matching on it.

Abadie & Imbens (2016), doi:10.3982/ECTA11293, section IV, as Stata's teffects psmatch computes it:
the tests hold its printed standard errors of the ATE and of the ATT.
"""

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.matching.neighbours import (
    ScoredFirms,
    covariance_within,
    match_both_ways,
    near_group,
    neighbour_mean,
    own_group,
    without_self,
)
from pipeline.selection.estimated_score import EstimatedScore


def ate_correction(firms: ScoredFirms, score: EstimatedScore, near: int, tolerance: float) -> float:
    """Return c' V c, what the variance of the ATE loses.

    c is the mean of f (cov(x, y | 1) / p + cov(x, y | 0) / (1 - p)), covariances among the `near`
    nearest firms of each group on the score.
    """
    p, f = score.probability[:, None], score.density[:, None]
    one, zero = _covariances(firms, score, near, tolerance)
    c = (f * (one / p + zero / (1 - p))).mean(axis=0)
    return float(c @ score.covariance @ c)


def att_correction(
    firms: ScoredFirms,
    score: EstimatedScore,
    estimate: float,
    *,
    near: int,
    ratio: int,
    tolerance: float,
) -> float:
    """Return c' V c - d' V d, what the variance of the ATT loses (negative if it gains).

    c sums over all firms f (x (m1 - m0 - tau) + cov(x, y | 1) + p / (1 - p) cov(x, y | 0)), over
    the number of treated: m the mean outcome of the `near` nearest firms of each group on the
    score, a firm itself left out. d, the derivative of the ATT by the coefficients, sums
    f x (y1 - y0 - tau), the missing outcome taken from the `ratio` nearest firms on the covariates.
    """
    p, f = score.probability[:, None], score.density[:, None]
    one, zero = _covariances(firms, score, near, tolerance)
    gap = _other_means(firms, near, tolerance) - estimate
    parts = score.design * gap[:, None] + one + p / (1 - p) * zero
    c = (f * parts).sum(axis=0) / firms.treated.sum()
    on_covariates = ScoredFirms(firms.outcome, firms.treated, score.points, firms.cells)
    other = neighbour_mean(firms.outcome, match_both_ways(on_covariates, ratio, tolerance))
    effect = np.where(firms.treated, 1.0, -1.0) * (firms.outcome - other)
    d = (f * score.design * (effect - estimate)[:, None]).sum(axis=0) / firms.treated.sum()
    return float(c @ score.covariance @ c - d @ score.covariance @ d)


def _covariances(
    firms: ScoredFirms, score: EstimatedScore, near: int, tolerance: float
) -> tuple[Floats, Floats]:
    """Return the local covariance of the design with the outcome, by group, each (n, k)."""
    of_group = {
        group: covariance_within(
            score.design, firms.outcome, near_group(firms, group, near, tolerance)
        )
        for group in (True, False)
    }
    return of_group[True], of_group[False]


def _other_means(firms: ScoredFirms, near: int, tolerance: float) -> Floats:
    """Return m1 - m0 of each firm, means over `near` other firms of each group."""
    own = neighbour_mean(firms.outcome, without_self(own_group(firms, near + 1, tolerance)))
    means = {
        group: neighbour_mean(firms.outcome, near_group(firms, group, near, tolerance))
        for group in (True, False)
    }
    one = np.where(firms.treated, own, means[True])
    zero = np.where(firms.treated, means[False], own)
    return np.asarray(one - zero)
