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

from pipeline.effects.least_squares import Fit, fit_absorbed
from pipeline.effects.stacks import Floats
from pipeline.estimators.twoway import FlatSample
from pipeline.panel.panel_index import Codes


@dataclass(frozen=True)
class CohortFit:
    """Hold a fit whose first c coefficients are effects of a cohort in a year.

    `cohort`, `event_time` and `mass` (the summed weight of the cell's rows) have shape (c,).
    """

    fit: Fit
    cohort: NDArray[np.int64]
    event_time: NDArray[np.int64]
    mass: Floats


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


def fit_sun_abraham(
    flat: FlatSample, reference: int, clusters: Codes, other: Floats | None = None
) -> CohortFit:
    """Fit all cohorts' effects but those at the reference event time, with firm and year effects.

    `other` (n, k) holds further regressors.
    """
    cells = _cells(flat)
    cohort, event_time = cells[:, cells[1] != reference]
    columns = [_cell_column(flat, g, e) for g, e in zip(cohort, event_time, strict=True)]
    columns += [] if other is None else list(other.T)
    return _fit(flat, (cohort, event_time), columns, flat.firm, clusters)


def fit_extended_twoway(
    flat: FlatSample,
    reference: int,
    clusters: Codes,
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
    return _fit(flat, (cohort, event_time), columns, first, clusters)


def cohort_average(found: CohortFit, wanted: NDArray[np.bool_]) -> tuple[float, float]:
    """Average wanted cells by their mass, taken as known: estimate and standard error.

    Missing where one of them has no estimate of its own.
    """
    share = np.where(wanted, found.mass, 0.0)
    return _combine(found, share / share.sum())


def event_mean(found: CohortFit) -> tuple[float, float]:
    """Average, equally, the event times from entry on, each averaged by mass over cohorts."""
    share = np.zeros(len(found.mass))
    times = np.unique(found.event_time[found.event_time >= 0])
    for event_time in times:
        cell = np.where(found.event_time == event_time, found.mass, 0.0)
        share += cell / cell.sum() / len(times)
    return _combine(found, share)


def _combine(found: CohortFit, share: Floats) -> tuple[float, float]:
    used = np.flatnonzero(share)
    weight = share[used]
    covariance = found.fit.covariance[np.ix_(used, used)]
    # Where effects cancel exactly, rounding may leave a variance just below zero.
    variance = np.maximum(weight @ covariance @ weight, 0.0)
    return float(weight @ found.fit.estimates[used]), float(np.sqrt(variance))


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
    clusters: Codes,
) -> CohortFit:
    cohort, event_time = cells
    regressors = np.empty((len(flat.y), len(columns)), order="F")
    for position, column in enumerate(columns):
        regressors[:, position] = column
    names = tuple(f"regressor[{position}]" for position in range(len(columns)))
    fit = fit_absorbed(
        flat.y,
        regressors,
        names,
        first=first,
        second=flat.year - flat.year.min(),
        weight=flat.weight,
        clusters=clusters,
    )
    mass = regressors[fit.kept, : len(cohort)].T @ flat.weight[fit.kept]
    return CohortFit(fit, cohort, event_time, mass)
