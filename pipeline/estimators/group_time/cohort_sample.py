"""One entry year's firms with their candidates for comparison, and which of them are used."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.estimated import Seen
from pipeline.effects.stacks import SetMembers


@dataclass(frozen=True)
class CohortSample:
    """Hold one cohort and its candidates for comparison: u firms, T years.

    `firm` and `cluster` codes, `treated`, `treated_from` (first treated year, infinite for never),
    `weight` of shape (u,); `y` (u, T) with missing values; `columns` (u, k) of covariates with a
    constant. `sets`: matched sets count in a cell only if complete in both of its years.
    """

    cohort: int
    years: NDArray[np.int64]
    firm: Codes
    cluster: Codes
    treated: Flags
    treated_from: Floats
    weight: Floats
    y: Floats
    columns: Floats
    sets: SetMembers | None = None


class UsedRows:
    """Mark which firm-years of each cohort's comparison enter some cell."""

    def __init__(self, samples: list[CohortSample]) -> None:
        self.samples = samples
        self.rows = [np.zeros(sample.y.shape, dtype=np.bool_, order="F") for sample in samples]

    def seen(self, n_firms: int) -> Seen:
        """Return the firms with rows in some cell, once per cohort, and how many these rows are."""
        used = [np.flatnonzero(rows.any(axis=1)) for rows in self.rows]
        pairs = list(zip(self.samples, used, strict=True))
        assignment = np.zeros(n_firms, dtype=np.intp)
        for sample in self.samples:
            assignment[sample.firm] = sample.cluster
        return Seen(
            firm=np.concatenate([sample.firm[units] for sample, units in pairs]),
            treated=np.concatenate([sample.treated[units] for sample, units in pairs]),
            entry=np.concatenate([np.full(len(units), s.cohort) for s, units in pairs]),
            assignment=assignment,
            n_rows=sum(int(rows.sum()) for rows in self.rows),
        )
