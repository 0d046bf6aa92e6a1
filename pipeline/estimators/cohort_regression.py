"""Regressions with an effect of its own for every cohort and year, on the flat panel.

Interaction-weighted estimator: Sun & Abraham (2021), doi:10.1016/j.jeconom.2020.09.006. All
cohorts have terms for all years but the reference, so that only never-treated firms compare.
Extended two-way: Wooldridge (2021), doi:10.2139/ssrn.3906345. Cohorts have terms from entry (or
anticipation) on only, so that firms also compare before they enter. Both replace the flat
two-way figure, whose weights may be negative, by an average with declared weights.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.estimated import Estimated, combined
from pipeline.effects.event_averages import (
    NOTHING_AFTER_ENTRY,
    is_from_entry,
    means_by_event_time,
    without_estimate,
)
from pipeline.effects.least_squares import fit_absorbed
from pipeline.effects.terms import Term, event
from pipeline.errors import Reason
from pipeline.estimators.end_bins import EndBins
from pipeline.estimators.twoway import FlatSample

NOT_ESTIMATED = Reason("cohort_year_collinear")


@dataclass(frozen=True)
class CohortFit:
    """Hold effects of a cohort in a year, terms `cell`, and the summed weight of their rows.

    `mass` (c,) is that of the cells with an estimate; `lost` are cells with rows but without one.
    Where `ends` bin event times, cells of one entry year in a bin have the same term.
    """

    effects: Estimated
    mass: Floats
    lost: tuple[Term, ...]
    ends: EndBins | None = None

    def is_averaged(self, cell: Term) -> bool:
        """Say whether the average effect takes a cell."""
        return is_from_entry(cell) if self.ends is None else self.ends.in_averages(cell)


def interaction_sample(flat: FlatSample) -> FlatSample:
    """Return the rows of firms treated in their own stack, and of firms that only compare.

    The latter, also where they enter after the last year that they serve in, are never treated in
    the sample: they compare, and have no effects of their own. What firms that enter lend to other
    entry years' comparisons outside their own window is left out.
    """
    entered = flat.treated_post | flat.anticipated | flat.ever_treated
    compares = np.bincount(flat.firm, entered)[flat.firm] == 0
    only = replace(flat, cohort=np.where(compares, np.inf, flat.cohort))
    return only.where(flat.ever_treated | compares)


def fit_sun_abraham(flat: FlatSample, reference: int, other: Floats | None = None) -> CohortFit:
    """Fit all cohorts' effects but those at the reference event time, with firm and year effects.

    `other` (n, k) holds further regressors.
    """
    cells = _cells(flat)
    cohort, event_time = cells[:, cells[1] != reference]
    columns = [_cell_column(flat, g, e) for g, e in zip(cohort, event_time, strict=True)]
    columns += [] if other is None else list(other.T)
    return _fit(flat, (cohort, event_time), columns, flat.firm)


def fit_extended_twoway(
    flat: FlatSample,
    reference: int,
    covariates: Floats | None,
    effects: Literal["firm", "cohort"],
) -> CohortFit:
    """Fit cohorts' effects after the reference event time, with firm or cohort, and year effects.

    `covariates` (n, k), constant by firm, enter by year and by cohort, and in every effect as
    deviations from the cell's mean: an effect is then that at the cell's own mean.
    """
    cells = _cells(flat)
    cohort, event_time = cells[:, cells[1] > reference]
    members = [_cell_column(flat, g, e) for g, e in zip(cohort, event_time, strict=True)]
    columns = list(members)
    for covariate in () if covariates is None else covariates.T:
        columns += [cell * (covariate - _mean(covariate, flat.weight * cell)) for cell in members]
        columns += [covariate * (flat.cohort == g) for g in np.unique(flat.cohort)]
        columns += [covariate * (flat.year == t) for t in np.unique(flat.year)[1:]]
    first = flat.firm if effects == "firm" else np.unique(flat.cohort, return_inverse=True)[1]
    return _fit(flat, (cohort, event_time), columns, first)


def event_time_averages(found: CohortFit) -> Estimated:
    """Average each event time's cells by their mass, taken as known.

    An event time one of whose cells has no estimate has a reason instead.
    """
    lost = {term.event_time for term in found.lost}
    events = means_by_event_time(found.effects, found.mass, lost)
    times = {term.event_time for term in events.terms}
    every = {term.event_time for term in (*found.effects.terms, *found.effects.reasons)}
    without = sorted(time for time in every - times if time is not None)
    return replace(events, reasons={event(time): NOT_ESTIMATED for time in without})


def average_by_mass(found: CohortFit, term: Term) -> Estimated:
    """Average the cells from entry on by their mass, or say why there is no average."""
    if any(map(found.is_averaged, found.lost)):
        return without_estimate(found.effects, term, NOT_ESTIMATED)
    after = [found.is_averaged(cell) for cell in found.effects.terms]
    weights = np.where(after, found.mass, 0.0)
    if not weights.any():
        return without_estimate(found.effects, term, NOTHING_AFTER_ENTRY)
    return combined(found.effects, [term], (weights / weights.sum())[:, None])


def _cells(flat: FlatSample) -> NDArray[np.int64]:
    """Return cohort and event time (2, c) of the cells that occur, sorted."""
    entered = np.isfinite(flat.cohort)
    cohort = flat.cohort[entered].astype(np.int64)
    return np.unique(np.vstack([cohort, flat.year[entered] - cohort]), axis=1)


def _cell_column(flat: FlatSample, cohort: int, event_time: int) -> Floats:
    member = (flat.cohort == cohort) & (flat.year == cohort + event_time)
    return np.asarray(member, dtype=np.float64)


def _mean(values: Floats, weight: Floats) -> float:
    return float((values * weight).sum() / weight.sum())


def _fit(
    flat: FlatSample,
    cells: tuple[NDArray[np.int64], NDArray[np.int64]],
    columns: list[Floats],
    first: Codes,
) -> CohortFit:
    pairs = zip(*(part.tolist() for part in cells), strict=True)
    terms = [Term("cell", cohort=g, event_time=e) for g, e in pairs]
    regressors = np.empty((len(flat.y), len(columns)), order="F")
    for position, column in enumerate(columns):
        regressors[:, position] = column
    effects = fit_absorbed(
        flat.y,
        regressors,
        [*terms, *[None] * (len(columns) - len(terms))],
        first=first,
        second=flat.year - flat.year.min(),
        weight=flat.weight,
        seen=flat.seen_by_entry,
    )
    assert effects.regression is not None and effects.regression.kept is not None, "least squares"
    kept = effects.regression.kept
    mass = regressors[kept, : len(terms)].T @ flat.weight[kept]
    known = np.array([term in effects.terms for term in terms], dtype=np.bool_)
    lost = [t for t, m, is_known in zip(terms, mass, known, strict=True) if m > 0 and not is_known]
    return _binned(CohortFit(effects, mass[known], tuple(lost)), flat.ends)


def _binned(found: CohortFit, ends: EndBins | None) -> CohortFit:
    """Return cells beyond the ends as cells of the ends: each keeps an estimate of its own."""
    if ends is None:
        return found
    reasons = found.effects.reasons
    told = dict(zip(ends.of_cells(list(reasons)), reasons.values(), strict=True))
    effects = replace(found.effects, terms=ends.of_cells(found.effects.terms), reasons=told)
    return CohortFit(effects, found.mass, ends.of_cells(found.lost), ends)
