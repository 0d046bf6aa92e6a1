"""Cohort samples of a full panel: each cohort against all firms that may be compared with it."""

from typing import NamedTuple

import numpy as np

from pipeline.effects.estimated import Estimated, joined
from pipeline.effects.event_averages import mean_from_entry, mean_or_why
from pipeline.effects.terms import EVENT_AVERAGE, Term
from pipeline.estimators.group_time.cohort_sample import CohortSample
from pipeline.estimators.group_time.group_time import GroupTime
from pipeline.estimators.group_time.group_time_averages import (
    balanced_cells,
    cohort_averages,
    event_averages,
    mean_over_cohorts,
    simple_average,
    year_averages,
)
from pipeline.estimators.group_time.group_time_panel import (
    FirmsByYear,
    cohort_sample,
    compared_firms,
)
from pipeline.exhibits.numbers import term_key
from pipeline.inference.analytic import infer


class Figures(NamedTuple):
    """Hold what others print of one term."""

    estimate: float
    std_error: float


def full_samples(
    wide,
    first_treated,
    *,
    never_only,
    covariates=None,
    weight=None,
    clusters=None,
    balanced=False,
) -> list[CohortSample]:
    """Return a sample per cohort; `wide` has firms in rows and years in columns.

    `first_treated` (n,) is infinite for never-treated; `covariates` (n, k) without constant.
    """
    n = len(wide)
    columns = np.ones((n, 1)) if covariates is None else np.column_stack([np.ones(n), covariates])
    weight = np.ones(n) if weight is None else weight
    firms = FirmsByYear(
        years=wide.columns.to_numpy(dtype=np.int64),
        y=wide.to_numpy(dtype=float),
        first_treated=first_treated,
        exposed_from=first_treated,
        cluster=np.arange(n) if clusters is None else clusters,
    )
    control = "never_treated" if never_only else "not_yet_treated"
    samples = []
    for cohort in firms.cohorts():
        rows = compared_firms(firms, cohort, control, balanced)
        sample = cohort_sample(firms, cohort, rows, weight=weight[rows], columns=columns[rows])
        samples.append(sample)
    return samples


def balanced_averages(found: GroupTime, last_event_time: int) -> Estimated:
    """Average, at each event time, the cohorts that are observed up to `last_event_time`."""
    return event_averages(found, "event_balanced", balanced_cells(found, last_event_time))


def every_term(found: GroupTime, last_event_time: int = 0) -> Estimated:
    """Return every cell and average, `event_balanced` up to `last_event_time`."""
    cohorts, years, events = cohort_averages(found), year_averages(found), event_averages(found)
    parts = [found.effects, cohorts, years, events, simple_average(found)]
    parts += [mean_over_cohorts(found, cohorts), mean_from_entry(events, EVENT_AVERAGE)]
    parts += [mean_or_why(years, years.terms, Term("year_average"))]
    return joined([*parts, balanced_averages(found, last_event_time)])


def all_averages(found: GroupTime) -> dict[str, Figures]:
    """Return figures by the term's key, clustered by the clusters of the samples."""
    inferred = infer(every_term(found), "assignment")
    estimated = inferred.estimated
    pairs = zip(estimated.estimates.tolist(), inferred.std_errors.tolist(), strict=True)
    return {
        term_key(term): Figures(*pair) for term, pair in zip(estimated.terms, pairs, strict=True)
    }
