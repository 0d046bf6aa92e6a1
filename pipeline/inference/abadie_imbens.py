"""Variances of matching on one difference per firm, by the firms nearest each other.

The bootstrap fails here (Abadie & Imbens 2008, doi:10.3982/ECTA6474); these large-sample variances
do not, with normal intervals. What the estimation of a propensity score changes in them: Abadie &
Imbens (2016), doi:10.3982/ECTA11293, section IV, as Stata's teffects psmatch computes it; the tests
hold its printed standard errors of the ATE and of the ATT.
"""

from dataclasses import replace

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.effects.estimated import Estimated
from pipeline.effects.matched_effects import MatchedEffect, MatchedEffects
from pipeline.effects.rows import Label, Row
from pipeline.effects.terms import Term
from pipeline.errors import IdentificationError, Reason
from pipeline.inference.covariance import is_rounding, std_errors_of
from pipeline.inference.result_rows import Errors, result_rows
from pipeline.matching.neighbours import (
    ScoredFirms,
    covariance_within,
    match_both_ways,
    near_group,
    neighbour_mean,
    own_group,
    variance_within,
    without_self,
)
from pipeline.matching.sets import MatchedSets
from pipeline.selection.estimated_score import EstimatedScore

INFERENCE = "abadie_imbens"


def abadie_imbens_rows(label: Label, matched: Estimated) -> list[Row]:
    """Return a row for every term, with normal tests and intervals."""
    estimated, unknown = with_neighbour_covariance(matched)
    assert estimated.covariance is not None, "just made"
    errors = std_errors_of(estimated.covariance)
    reasons = [
        unknown.get(term) or _why_none(estimated, term, error)
        for term, error in zip(estimated.terms, errors, strict=True)
    ]
    known = np.where([reason is None for reason in reasons], errors, np.nan)
    said = [estimated.remarks.get(term, ()) for term in estimated.terms]
    told = Errors(known, np.inf, reasons, said, lambda term: dict(estimated.counts.get(term, {})))
    return [row | {"inference": INFERENCE} for row in result_rows(label, estimated, told)]


def with_neighbour_covariance(matched: Estimated) -> tuple[Estimated, dict[Term, Reason]]:
    """Return a result with the variances of its terms, and why some have none.

    Entry years share no firm, so that the variances of their effects add up. Terms share firms:
    what covariance they have is not known.
    """
    assert isinstance(matched.source, MatchedEffects), "asked of matched effects"
    variances = np.zeros(len(matched.source.effects))
    unknown: dict[Term, Reason] = {}
    for position, effect in enumerate(matched.source.effects):
        try:
            variances[position] = neighbour_variance(effect)
        except IdentificationError as error:
            used = np.flatnonzero(matched.loadings[position])
            unknown |= {matched.terms[column]: error.reason for column in used}
    covariance = np.full((len(matched.terms), len(matched.terms)), np.nan)
    np.fill_diagonal(covariance, variances @ np.square(matched.loadings))
    return replace(matched, covariance=covariance), unknown


def _why_none(estimated: Estimated, term: Term, error: float) -> Reason | None:
    counts = estimated.counts[term]
    if counts["n_treated"] < 2:
        return Reason("one_treated_matched")
    rounding = is_rounding(error, counts["n_obs"], estimated.largest)
    return Reason("no_variation") if rounding else None


def neighbour_variance(found: MatchedEffect) -> float:
    """Return the variance of Abadie & Imbens of an average effect.

    With M matches, K_i the times firm i serves as one (in shares) and K'_i the sum of squared
    shares: N^2 V = sum (y1_i - y0_i - tau)^2 + sum s2_i (K_i^2 + 2 K_i - K'_i) for the average
    over all firms; for the treated, sums over them and s2_i (K_i^2 - K'_i) over comparison firms
    (Abadie & Imbens 2006, doi:10.1111/j.1468-0262.2006.00655.x, theorems 6 and 7). s2_i is the
    variance among firm i and its nearest firms of the same group, or, homoskedastic, half the mean
    square of the pairs' differences from tau. A robust V is corrected for the estimation of the
    score, where there is its fit.

    Raises IdentificationError where a firm in use has no other firm of its group and cell to
    measure its variance by, or the correction leaves no variance.
    """
    matches, of = found.matches, found.of
    reuse = _reuse(matches, of) if found.estimand == "att" else _reuse_all(matches, of)
    own_variance = _own_variance(found, reuse > 0)
    total = np.square(found.effect[of] - found.estimate).sum() + (own_variance * reuse).sum()
    variance = float(total) / found.n_averaged**2
    if found.score is not None and found.rules.variance == "robust":
        variance -= _score_correction(found)
    if variance < 0:
        raise IdentificationError(Reason("variance_of_score_negative"))
    return variance


def _own_variance(found: MatchedEffect, needed: Flags) -> Floats:
    """Return each firm's outcome variance, (n,)."""
    firms, matches, rules, of = found.firms, found.matches, found.rules, found.of
    if rules.variance == "homoskedastic":
        counted = of[matches.treated]
        owner, other = matches.treated[counted], matches.control[counted]
        gap = np.where(firms.treated[owner], 1.0, -1.0) * (
            firms.outcome[owner] - firms.outcome[other]
        )
        mean_square = (matches.weight[counted] * np.square(gap - found.estimate)).sum() / of.sum()
        return np.full(len(of), mean_square / 2)
    near = own_group(firms, rules.own_neighbours + 1, rules.tolerance)
    alone = needed & (np.bincount(near.treated, minlength=len(of)) < 2)
    if alone.any():
        raise IdentificationError(Reason("alone_in_cell", {"n": int(alone.sum())}))
    return variance_within(firms.outcome, near)


def _reuse(matches: MatchedSets, of: Flags) -> Floats:
    """Return K^2 - K' of each firm, over the sets of the firms `of`."""
    counted = of[matches.treated]
    share = matches.weight[counted]
    used = np.bincount(matches.control[counted], share, minlength=len(of))
    squared = np.bincount(matches.control[counted], np.square(share), minlength=len(of))
    return np.square(used) - squared


def _reuse_all(matches: MatchedSets, of: Flags) -> Floats:
    """Return K^2 + 2 K - K' of each firm, over the sets of all firms."""
    used = np.bincount(matches.control, matches.weight, minlength=len(of))
    return _reuse(matches, of) + 2 * used


def _score_correction(found: MatchedEffect) -> float:
    firms, rules, score = found.firms, found.rules, found.score
    assert score is not None, "asked where firms are matched on a fitted score"
    near = rules.own_neighbours + 1
    if found.estimand == "ate":
        return ate_correction(firms, score, near, rules.tolerance)
    return att_correction(
        firms, score, found.estimate, near=near, ratio=rules.ratio, tolerance=rules.tolerance
    )


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
