"""Large-sample variances of matching on one difference per firm, by the firms nearest each other.

The bootstrap fails here (Abadie & Imbens 2008, doi:10.3982/ECTA6474); these variances do not.
"""

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.effects.matched_effects import MatchedEffect
from pipeline.errors import IdentificationError, Reason
from pipeline.inference.score_correction import ate_correction, att_correction
from pipeline.matching.neighbours import own_group, variance_within
from pipeline.matching.sets import MatchedSets


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
