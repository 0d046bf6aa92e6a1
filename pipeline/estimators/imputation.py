"""Imputation: untreated outcomes predicted from untreated firm-years, effects averaged after.

Borusyak, Jaravel & Spiess (2024), doi:10.1093/restud/rdae007. Firm and year effects are fitted on
untreated firm-years only, so that no treated firm serves as a comparison. An average is linear in
the outcome, sum v y over all firm-years; its variance (their equation 8) is the sum over clusters
of (sum v e)^2. For treated firm-years e is the effect less its mean within cohort and year,
averaged over clusters by squared weight: conservative where effects differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.absorb import TwoEffects, solve_effects, two_effects
from pipeline.effects.estimated import Estimated
from pipeline.effects.terms import Term
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
    imputed: Imputed, flat: FlatSample, weights: Floats, terms: Sequence[Term], clusters: Codes
) -> Estimated:
    """Return the averages sum weight x effect, with each firm's sum v e as its influence.

    `weights` (n, m) are zero but for imputable firm-years; each may sum to anything. Effects are
    centred on means over `clusters`, one code by row: influences are for that clustering.
    """
    parts = [_average(imputed, flat, column, clusters) for column in weights.T]
    return Estimated(
        terms=tuple(terms),
        estimates=np.array([estimate for estimate, _ in parts]),
        influence=np.column_stack([influence for _, influence in parts]),
        seen=flat.seen_by_entry.where(imputed.untreated | imputed.imputable),
        largest=float(np.abs(flat.y).max()),
        loadings=np.eye(len(terms)),
    )


def _average(
    imputed: Imputed, flat: FlatSample, weight: Floats, clusters: Codes
) -> tuple[float, Floats]:
    """Return one average and each firm's influence on it, (F,)."""
    used = np.flatnonzero(weight)
    effect = imputed.effect[used]
    by_firm, by_year = solve_effects(
        imputed.effects,
        _sums(imputed.firm[used], weight[used], len(imputed.effects.first_total)),
        _sums(imputed.year[used], weight[used], imputed.effects.shares.shape[1]),
    )
    rows = np.flatnonzero(imputed.untreated)
    implied = -flat.weight[rows] * (by_firm[imputed.firm[rows]] + by_year[imputed.year[rows]])
    n_firms = flat.seen.n_firms
    influence = _sums(flat.firm[rows], implied * imputed.residual[rows], n_firms)
    group = np.unique(
        np.column_stack([flat.cohort[used], flat.year[used]]), axis=0, return_inverse=True
    )[1]
    deviation = effect - _group_means(group, clusters[used], weight[used], effect)
    influence += _sums(flat.firm[used], weight[used] * deviation, n_firms)
    return float(weight[used] @ effect), influence


def _group_means(group: Codes, clusters: Codes, weight: Floats, effect: Floats) -> Floats:
    """Return each row's group mean: sum_c V_c (sum v tau)_c / sum_c V_c^2, V_c = sum v in c."""
    pair = group * (int(clusters.max()) + 1) + clusters
    first, cell = np.unique(pair, return_index=True, return_inverse=True)[1:]
    total = np.bincount(cell, weight)
    weighted = np.bincount(cell, weight * effect)
    owner = group[first]
    above, below = np.bincount(owner, total * weighted), np.bincount(owner, total**2)
    return np.asarray(np.divide(above, below, out=np.zeros_like(above), where=below > 0)[group])


def _sums(codes: Codes, values: Floats, n_codes: int = 0) -> Floats:
    return np.asarray(np.bincount(codes, values, n_codes), dtype=np.float64)


def _codes(codes: NDArray[np.integer], within: Flags) -> Codes:
    """Number the codes that occur `within` from 0; -1 for others."""
    occurs = np.bincount(codes[within], minlength=int(codes.max()) + 1) > 0
    number = np.where(occurs, np.cumsum(occurs) - 1, -1)
    return np.asarray(number[codes], dtype=np.intp)
