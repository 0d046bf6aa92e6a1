"""Imputation: untreated outcomes predicted from untreated firm-years, effects averaged after.

Borusyak, Jaravel & Spiess (2024), doi:10.1093/restud/rdae007. Firm and year effects are fitted on
untreated firm-years only, so that no treated firm serves as a comparison. An average is linear in
the outcome, sum v y over all firm-years; its variance (their equation 8) is the sum over clusters
of (sum v e)^2, with e of treated firm-years as `effects.imputed_effects` has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.absorb import TwoEffects, solve_effects, two_effects
from pipeline.effects.estimated import Estimated
from pipeline.effects.imputed_effects import ImputedEffects
from pipeline.effects.terms import Term
from pipeline.estimators.stacked_regressors import pair_codes
from pipeline.estimators.twoway import FlatSample


@dataclass(frozen=True)
class Imputed:
    """Hold, by firm-year (n,): effects of the imputable treated, residuals of the untreated.

    `effect` is missing and `residual` zero elsewhere. `untreated` marks the rows that the effects
    were fitted on; `firm`, `year` are codes in the fit, -1 where it does not know the firm or year.
    """

    effect: Floats
    residual: Floats
    untreated: Flags
    firm: Codes
    year: Codes
    effects: TwoEffects

    @property
    def imputable(self) -> Flags:
        """Mark the treated firm-years whose untreated outcome can be predicted."""
        return np.isfinite(self.effect)


def impute(flat: FlatSample) -> Imputed:
    """Predict untreated outcomes of treated (and anticipating) firm-years, weighted."""
    untreated = ~(flat.treated_post | flat.anticipated)
    firm, year = _codes(flat.firm, untreated), _codes(flat.year - flat.year.min(), untreated)
    weight, y = flat.weight[untreated], flat.y[untreated]
    effects = two_effects(firm[untreated], year[untreated], weight)
    by_firm, by_year = solve_effects(
        effects,
        _sums(firm[untreated], weight * y),
        _sums(year[untreated], weight * y),
    )
    change = flat.y - by_firm[firm] - by_year[year]
    known = (firm >= 0) & (year >= 0)
    known[known] = effects.linked(firm[known], year[known])
    return Imputed(
        effect=np.where(flat.treated_post & known, change, np.nan),
        residual=np.where(untreated, change, 0.0),
        untreated=untreated,
        firm=firm,
        year=year,
        effects=effects,
    )


def imputed_averages(
    imputed: Imputed, flat: FlatSample, weights: Floats, terms: Sequence[Term]
) -> Estimated:
    """Return the averages sum weight x effect, with each firm's sum v e as its influence.

    `weights` (n, m) are zero but for imputable firm-years; each may sum to anything. Influences are
    those with firms as clusters; inference takes `source` where clusters are others.
    """
    used = np.flatnonzero(imputed.imputable)
    cell = pair_codes(flat.cohort[used].astype(np.int64), flat.year[used])
    effects = ImputedEffects(flat.firm[used], cell, imputed.effect[used], weights[used])
    of_effects = effects.influence(np.arange(flat.seen.n_firms))
    of_residuals = [_of_residuals(imputed, flat, column) for column in weights.T]
    return Estimated(
        terms=tuple(terms),
        estimates=effects.effect @ effects.weights,
        influence=np.column_stack(of_residuals) + of_effects,
        seen=flat.seen_by_entry.where(imputed.untreated | imputed.imputable),
        largest=float(np.abs(flat.y).max()),
        loadings=np.eye(len(terms)),
        source=effects,
    )


def _of_residuals(imputed: Imputed, flat: FlatSample, weight: Floats) -> Floats:
    """Return what each firm's untreated years add to its influence on an average, (F,)."""
    used = np.flatnonzero(weight)
    by_firm, by_year = solve_effects(
        imputed.effects,
        _sums(imputed.firm[used], weight[used], len(imputed.effects.first_total)),
        _sums(imputed.year[used], weight[used], imputed.effects.shares.shape[1]),
    )
    rows = np.flatnonzero(imputed.untreated)
    implied = -flat.weight[rows] * (by_firm[imputed.firm[rows]] + by_year[imputed.year[rows]])
    return _sums(flat.firm[rows], implied * imputed.residual[rows], flat.seen.n_firms)


def _sums(codes: Codes, values: Floats, n_codes: int = 0) -> Floats:
    return np.asarray(np.bincount(codes, values, n_codes), dtype=np.float64)


def _codes(codes: NDArray[np.integer], within: Flags) -> Codes:
    """Number the codes that occur `within` from 0; -1 for others."""
    occurs = np.bincount(codes[within], minlength=int(codes.max()) + 1) > 0
    number = np.where(occurs, np.cumsum(occurs) - 1, -1)
    return np.asarray(number[codes], dtype=np.intp)
