"""Cohort samples of a full panel: each cohort against all firms that may be compared with it."""

import numpy as np

from pipeline.effects.group_time import CohortSample


def full_samples(
    wide, first_treated, *, never_only, covariates=None, weight=None, clusters=None
) -> list[CohortSample]:
    """Return a sample per cohort; `wide` has firms in rows and years in columns.

    `first_treated` (n,) is infinite for never-treated; `covariates` (n, k) without constant.
    """
    n = len(wide)
    columns = np.ones((n, 1)) if covariates is None else np.column_stack([np.ones(n), covariates])
    weight = np.ones(n) if weight is None else weight
    clusters = np.arange(n) if clusters is None else clusters
    years = wide.columns.to_numpy(dtype=np.int64)
    values = np.asfortranarray(wide.to_numpy(dtype=float))
    samples = []
    for cohort in np.unique(first_treated[np.isfinite(first_treated)]):
        others = np.isinf(first_treated) if never_only else first_treated > cohort
        rows = np.flatnonzero(others | (first_treated == cohort))
        samples.append(
            CohortSample(
                cohort=int(cohort),
                years=years,
                firm=rows,
                cluster=clusters[rows],
                treated=first_treated[rows] == cohort,
                treated_from=first_treated[rows],
                weight=weight[rows],
                y=np.asfortranarray(values[rows]),
                columns=columns[rows],
            )
        )
    return samples
