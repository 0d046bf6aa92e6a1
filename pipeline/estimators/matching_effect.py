"""Matching estimators of one difference per firm.

Each firm has one outcome (a change since the base year, say), firms are independent, and matching
is with replacement, ties shared. Their variances are in `inference.abadie_imbens`.
"""

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.effects.matched_effects import Estimand, MatchedEffect, Rules
from pipeline.errors import IdentificationError, Reason
from pipeline.matching.neighbours import ScoredFirms, match_both_ways, neighbour_mean
from pipeline.matching.sets import MatchedSets
from pipeline.selection.estimated_score import EstimatedScore


def matching_effect(
    firms: ScoredFirms,
    estimand: Estimand,
    rules: Rules,
    *,
    bias_covariates: Floats | None = None,
    score: EstimatedScore | None = None,
) -> MatchedEffect:
    """Estimate the average effect by matching.

    `bias_covariates` (n, k) adjust for remaining differences by regression (Abadie & Imbens 2011,
    doi:10.1198/jbes.2009.07333), `score` is the fit on which firms are matched. Firms without a
    match within the caliper are left out of the average.

    Raises IdentificationError where nobody is matched.
    """
    matches = match_both_ways(firms, rules.ratio, rules.tolerance)
    effect = _unit_effects(firms, matches, bias_covariates)
    of = _averaged(firms, matches, estimand)
    return MatchedEffect(firms, estimand, rules, matches, effect, of, score)


def _averaged(firms: ScoredFirms, matches: MatchedSets, estimand: Estimand) -> Flags:
    """Mark the firms (n,) that the effect averages over: matched, and treated for the ATT."""
    matched = np.bincount(matches.treated, minlength=len(firms.treated)) > 0
    of = matched if estimand == "ate" else matched & firms.treated
    if not of.any():
        raise IdentificationError(Reason("nobody_within_caliper"))
    return np.asarray(of)


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
