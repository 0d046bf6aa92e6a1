"""Matching estimators of one difference per firm, and their large-sample variances.

Each firm has one outcome (a change since the base year, say), firms are independent, and matching
is with replacement, ties shared. The bootstrap fails here (Abadie & Imbens 2008,
doi:10.3982/ECTA6474); these variances do not.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.score_correction import EstimatedScore, ate_correction, att_correction
from pipeline.matching.neighbours import (
    ScoredFirms,
    match_both_ways,
    neighbour_mean,
    own_group,
    variance_within,
)
from pipeline.matching.sets import MatchedSets

Estimand = Literal["ate", "att"]


@dataclass(frozen=True)
class MatchingEffect:
    """Hold an average effect, its standard error, how many firms it averages over and matches."""

    estimate: float
    std_error: float
    n_averaged: int
    n_matches: int


@dataclass(frozen=True)
class Rules:
    """Say how firms are matched: `ratio` neighbours of the other group, ties within `tolerance`.

    `variance`: `robust` measures each firm's outcome variance against `own_neighbours` other firms
    of its group, `homoskedastic` takes one for all from the matched pairs. Stata's vce(robust,
    nn(2)), its default, is one other firm on a score (where its two include the firm itself) and
    two on covariates; vce(iid) is `homoskedastic`.
    """

    ratio: int = 1
    own_neighbours: int = 1
    tolerance: float = 1e-10
    variance: Literal["robust", "homoskedastic"] = "robust"


def matching_effect(
    firms: ScoredFirms,
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
    variance among firm i and its nearest firms of the same group, or, homoskedastic, half the mean
    square of the pairs' differences from tau. `bias_covariates` (n, k) adjust for remaining
    differences by regression (2011, doi:10.1198/jbes.2009.07333). With `score`, a robust V is
    corrected for the score's estimation. Firms without a match within the caliper are left out of
    the average.

    Raises IdentificationError where nobody is matched, or a firm in use has no other firm of its
    group and cell to measure its variance by.
    """
    matches = match_both_ways(firms, rules.ratio, rules.tolerance)
    effect = _unit_effects(firms, matches, bias_covariates)
    of = _averaged(firms, matches, estimand)
    estimate, n = float(effect[of].mean()), int(of.sum())
    reuse = _reuse(matches, of, len(effect)) if estimand == "att" else _reuse_all(matches, of)
    own_variance = _own_variance(firms, matches, rules, reuse > 0, (of, estimate))
    total = np.square(effect[of] - estimate).sum() + (own_variance * reuse).sum()
    variance = float(total) / n**2
    if score is not None and rules.variance == "robust":
        variance -= _score_correction(firms, estimand, rules, score, estimate)
    if variance < 0:
        raise IdentificationError(Reason("variance_of_score_negative"))
    n_matches = len(np.unique(matches.control[of[matches.treated]]))
    return MatchingEffect(estimate, float(np.sqrt(variance)), n, n_matches)


def _averaged(firms: ScoredFirms, matches: MatchedSets, estimand: Estimand) -> Flags:
    """Mark the firms (n,) that the effect averages over: matched, and treated for the ATT."""
    matched = np.bincount(matches.treated, minlength=len(firms.treated)) > 0
    of = matched if estimand == "ate" else matched & firms.treated
    if not of.any():
        raise IdentificationError(Reason("nobody_within_caliper"))
    return np.asarray(of)


def _own_variance(
    firms: ScoredFirms,
    matches: MatchedSets,
    rules: Rules,
    needed: Flags,
    average: tuple[Flags, float],
) -> Floats:
    """Return each firm's outcome variance, (n,)."""
    of, estimate = average
    if rules.variance == "homoskedastic":
        counted = of[matches.treated]
        owner, other = matches.treated[counted], matches.control[counted]
        gap = np.where(firms.treated[owner], 1.0, -1.0) * (
            firms.outcome[owner] - firms.outcome[other]
        )
        mean_square = (matches.weight[counted] * np.square(gap - estimate)).sum() / of.sum()
        return np.full(len(of), mean_square / 2)
    near = own_group(firms, rules.own_neighbours + 1, rules.tolerance)
    alone = needed & (np.bincount(near.treated, minlength=len(of)) < 2)
    if alone.any():
        raise IdentificationError(Reason("alone_in_cell", {"n": int(alone.sum())}))
    return variance_within(firms.outcome, near)


def _unit_effects(firms: ScoredFirms, matches: MatchedSets, covariates: Floats | None) -> Floats:
    """Return y1 - y0 of each firm, the missing one imputed from its matches."""
    imputed = neighbour_mean(firms.outcome, matches)
    if covariates is not None:
        imputed = imputed + _regression_gap(firms, matches, covariates)
    return np.where(firms.treated, 1.0, -1.0) * (firms.outcome - imputed)


def _regression_gap(firms: ScoredFirms, matches: MatchedSets, covariates: Floats) -> Floats:
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
        gap = np.where(group, gap, predicted - neighbour_mean(predicted, matches))
    return gap


def _reuse(matches: MatchedSets, of: Flags, n: int) -> Floats:
    """Return K^2 - K' of each firm, over the sets of the firms `of`."""
    counted = of[matches.treated]
    share = matches.weight[counted]
    used = np.bincount(matches.control[counted], share, minlength=n)
    squared = np.bincount(matches.control[counted], np.square(share), minlength=n)
    return np.square(used) - squared


def _reuse_all(matches: MatchedSets, of: Flags) -> Floats:
    """Return K^2 + 2 K - K' of each firm, over the sets of all firms."""
    used = np.bincount(matches.control, matches.weight, minlength=len(of))
    return _reuse(matches, of, len(of)) + 2 * used


def _score_correction(
    firms: ScoredFirms, estimand: Estimand, rules: Rules, score: EstimatedScore, estimate: float
) -> float:
    near = rules.own_neighbours + 1
    if estimand == "ate":
        return ate_correction(firms, score, near, rules.tolerance)
    return att_correction(
        firms, score, estimate, near=near, ratio=rules.ratio, tolerance=rules.tolerance
    )
