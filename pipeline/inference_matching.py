"""Matching estimators of one difference per firm, and their large-sample variances.

Each firm has one outcome (a change since the base year, say), firms are independent, and matching
is with replacement, ties shared. The bootstrap fails here (Abadie & Imbens 2008,
doi:10.3982/ECTA6474); these variances do not.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.matching.mahalanobis import Space, share_nearest
from pipeline.matching.sets import Flags, Floats, MatchedSets, Positions, join_sets

Estimand = Literal["ate", "att"]


@dataclass(frozen=True)
class Firms:
    """Hold n firms: outcome (n,), treated flags (n,), points (n, k), exact cells (n,) or None.

    Distances are Euclidean between points: a score as one column, or whitened covariates.
    """

    outcome: Floats
    treated: Flags
    points: Floats
    cells: Positions | None = None


@dataclass(frozen=True)
class EstimatedScore:
    """Hold the maximum-likelihood fit of a score on which firms were matched.

    `design` (n, k) with its intercept, `covariance` (k, k) of the coefficients, `probability`
    (n,), `density` (n,) the derivative of the probability by the index (p (1 - p) for a logit),
    `points` (n, m) the whitened covariates themselves.
    """

    design: Floats
    covariance: Floats
    probability: Floats
    density: Floats
    points: Floats


@dataclass(frozen=True)
class MatchingEffect:
    """Hold an average effect and its standard error."""

    estimate: float
    std_error: float


@dataclass(frozen=True)
class Rules:
    """Say how firms are matched: `ratio` neighbours of the other group, ties within `tolerance`.

    `own_neighbours` other firms of the same group measure a firm's outcome variance.
    """

    ratio: int = 1
    own_neighbours: int = 1
    tolerance: float = 1e-10


def matching_effect(
    firms: Firms,
    estimand: Estimand,
    rules: Rules,
    *,
    bias_covariates: Floats | None = None,
    score: EstimatedScore | None = None,
) -> MatchingEffect:
    """Estimate the average effect by matching, with the standard error of Abadie & Imbens.

    With M matches, K_i the times firm i serves as one (in shares) and K'_i the sum of squared
    shares: N^2 V = sum (y1_i - y0_i - tau)^2 + sum s2_i (K_i^2 + 2 K_i - K'_i) for the average
    over all firms; for the treated, sums over them and s2_i (K_i^2 - K'_i) over comparison firms
    (Abadie & Imbens 2006, doi:10.1111/j.1468-0262.2006.00655.x, theorems 6 and 7). s2_i is the
    variance among firm i and its nearest firms of the same group. `bias_covariates` (n, k)
    adjust for remaining differences by regression (2011, doi:10.1198/jbes.2009.07333). With
    `score`, V is corrected for the score's estimation (2016, doi:10.3982/ECTA11293).
    """
    matches = _match_both_ways(firms, rules)
    effect = _unit_effects(firms, matches, bias_covariates)
    of = np.ones(len(effect), dtype=np.bool_) if estimand == "ate" else firms.treated
    estimate = float(effect[of].mean())
    own_variance = _spread(firms.outcome, _own_neighbours(firms, rules.own_neighbours + 1, rules))
    reuse = _reuse(matches, of, len(effect)) if estimand == "att" else _reuse_all(matches, effect)
    total = np.square(effect[of] - estimate).sum() + (own_variance * reuse).sum()
    variance = float(total) / int(of.sum()) ** 2
    if score is not None:
        variance -= _score_correction(firms, estimand, rules, score, estimate)
    return MatchingEffect(estimate, float(np.sqrt(variance)))


def used_firms_variance(outcome: Floats, treated: Flags, weight: Floats) -> float:
    """Return the variance of an ATT given the weights, as Stata's psmatch2 prints it.

    V = v1 / n1 + v0 sum_j w_j^2 / n1^2, with the outcome's variance among matched treated firms
    (v1) and among comparison firms in use (v0), comparison weights w summing to n1.
    Lechner (2001), doi:10.1007/978-3-642-57615-7_3.
    """
    one, zero = treated & (weight > 0), ~treated & (weight > 0)
    n_treated = weight[one].sum()
    v1, v0 = np.var(outcome[one], ddof=1), np.var(outcome[zero], ddof=1)
    return float(v1 / n_treated + v0 * np.square(weight[zero]).sum() / n_treated**2)


def _match_both_ways(firms: Firms, rules: Rules) -> MatchedSets:
    """Match every firm to its nearest firms of the other group."""
    one, zero = np.flatnonzero(firms.treated), np.flatnonzero(~firms.treated)
    return join_sets(
        [
            _neighbours(firms, own, other, rules.ratio, rules.tolerance)
            for own, other in ((one, zero), (zero, one))
        ]
    )


def _own_neighbours(firms: Firms, number: int, rules: Rules) -> MatchedSets:
    """Return the `number` nearest firms of each firm's own group, itself included."""
    groups = [np.flatnonzero(firms.treated), np.flatnonzero(~firms.treated)]
    return join_sets(
        [_neighbours(firms, group, group, number, rules.tolerance) for group in groups]
    )


def _neighbours(
    firms: Firms, own: Positions, among: Positions, number: int, tolerance: float
) -> MatchedSets:
    """Return the `number` nearest firms (ties too) of each firm of `own` among `among`, by cell."""
    space = Space(firms.points, np.zeros(len(firms.points)), np.inf)
    cells = firms.cells
    if cells is None:
        return share_nearest(space, own, among, number, tolerance)
    return join_sets(
        [
            share_nearest(
                space, own[cells[own] == cell], among[cells[among] == cell], number, tolerance
            )
            for cell in np.unique(cells[own])
        ]
    )


def _unit_effects(firms: Firms, matches: MatchedSets, covariates: Floats | None) -> Floats:
    """Return y1 - y0 of each firm, the missing one imputed from its matches."""
    imputed = _average(firms.outcome, matches)
    if covariates is not None:
        imputed = imputed + _regression_gap(firms, matches, covariates)
    return np.where(firms.treated, 1.0, -1.0) * (firms.outcome - imputed)


def _regression_gap(firms: Firms, matches: MatchedSets, covariates: Floats) -> Floats:
    """Return what the other group's regression predicts for a firm beyond its matches.

    Least squares in each group, weighted by how much a firm serves as a match.
    """
    columns = np.column_stack([np.ones(len(covariates)), covariates])
    root = np.sqrt(np.bincount(matches.control, matches.weight, minlength=len(columns)))
    gap = np.zeros(len(columns))
    for group in (firms.treated, ~firms.treated):
        fitted = np.linalg.lstsq(
            columns[group] * root[group, None], firms.outcome[group] * root[group], rcond=None
        )[0]
        predicted = columns @ fitted
        gap = np.where(group, gap, predicted - _average(predicted, matches))
    return gap


def _average(values: Floats, sets: MatchedSets) -> Floats:
    """Return the weighted mean of `values` over each firm's set."""
    return np.bincount(
        sets.treated, sets.weight * values[sets.control], minlength=len(values)
    ).astype(np.float64)


def _spread(values: Floats, sets: MatchedSets) -> Floats:
    """Return the variance (n-1) of `values` within each firm's set."""
    return _covariance(values[:, None], values, sets)[:, 0]


def _covariance(columns: Floats, values: Floats, sets: MatchedSets) -> Floats:
    """Return the covariance (n-1) of each column with `values` within each firm's set, (n, k)."""
    number = np.bincount(sets.treated, minlength=len(values))
    level = values[sets.control] - _average(values, sets)[sets.treated]
    freedom = np.maximum(number - 1, 1)
    return np.column_stack(
        [
            np.bincount(sets.treated, column[sets.control] * level, minlength=len(values)) / freedom
            for column in columns.T
        ]
    )


def _reuse(matches: MatchedSets, of: Flags, n: int) -> Floats:
    """Return K^2 - K' of each firm, over the sets of the firms `of`."""
    counted = of[matches.treated]
    share = matches.weight[counted]
    used = np.bincount(matches.control[counted], share, minlength=n)
    squared = np.bincount(matches.control[counted], np.square(share), minlength=n)
    return np.square(used) - squared


def _reuse_all(matches: MatchedSets, effect: Floats) -> Floats:
    """Return K^2 + 2 K - K' of each firm, over the sets of all firms."""
    n = len(effect)
    used = np.bincount(matches.control, matches.weight, minlength=n)
    return _reuse(matches, np.ones(n, dtype=np.bool_), n) + 2 * used


def _score_correction(
    firms: Firms, estimand: Estimand, rules: Rules, score: EstimatedScore, estimate: float
) -> float:
    """Return what the estimation of the score takes from the variance (negative if it adds).

    ATE: c' V c with c the mean of f (cov(x, y | 1) / p + cov(x, y | 0) / (1 - p)), covariances
    within the nearest firms of each group on the score. ATT: c' V c - d' V d, with c the sum over
    n1 of f (x (m1 - m0 - tau) + cov(x, y | 1) + p / (1 - p) cov(x, y | 0)), m the outcome means
    within those firms, and d that of f x (y1 - y0 - tau) with neighbours on the covariates
    (Abadie & Imbens 2016, section IV).
    """
    number = rules.own_neighbours + 1
    p, f = score.probability[:, None], score.density[:, None]
    means, covariances = {}, {}
    for arm in (True, False):
        near = _nearest_of_arm(firms, arm, number, rules.tolerance)
        means[arm] = _average(firms.outcome, near)
        covariances[arm] = _covariance(score.design, firms.outcome, near)
    if estimand == "ate":
        c = (f * (covariances[True] / p + covariances[False] / (1 - p))).mean(axis=0)
        return float(c @ score.covariance @ c)
    n_treated = firms.treated.sum()
    gap = (means[True] - means[False] - estimate)[:, None]
    parts = score.design * gap + covariances[True] + p / (1 - p) * covariances[False]
    c = (f * parts).sum(axis=0) / n_treated
    on_covariates = Firms(firms.outcome, firms.treated, score.points)
    matches = _match_both_ways(on_covariates, Rules(number, 1, rules.tolerance))
    effect = _unit_effects(on_covariates, matches, None)
    d = (f * score.design * (effect - estimate)[:, None]).sum(axis=0) / n_treated
    return float(c @ score.covariance @ c - d @ score.covariance @ d)


def _nearest_of_arm(firms: Firms, arm: bool, number: int, tolerance: float) -> MatchedSets:
    everyone = np.arange(len(firms.outcome))
    among = np.flatnonzero(firms.treated == arm)
    return _neighbours(firms, everyone, among, number, tolerance)
