"""Cohort samples of a full panel: each cohort against all firms that may be compared with it."""

import numpy as np

from pipeline.estimators.group_time.cohort_sample import CohortSample
from pipeline.estimators.group_time.group_time_averages import (
    balanced_event_averages,
    cell_effects,
    cohort_averages,
    equal_average,
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


def figures(average):
    """Return estimate and standard error."""
    return average.estimate, float(np.sqrt(average.influence @ average.influence))


def all_averages(effects):
    """Return every cell and average by term."""
    cohorts, years = cohort_averages(effects), year_averages(effects)
    events = event_averages(effects)
    after = [event for event in events if event.event_time >= 0]
    overall = [
        simple_average(effects),
        mean_over_cohorts(effects, cohorts),
        equal_average(after, "event_average"),
        equal_average(years, "year_average"),
        *balanced_event_averages(effects, 0),
    ]
    return {a.term: a for a in [*cell_effects(effects), *cohorts, *years, *events, *overall]}
