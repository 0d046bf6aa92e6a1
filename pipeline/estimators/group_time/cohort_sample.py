"""One entry year's firms with their candidates for comparison, and which of them are used."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.effects.counts import Counts
from pipeline.effects.stacks import Flags, Floats, SetMembers
from pipeline.panel.panel_index import Codes


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

    def counts(self) -> Counts:
        """Count treated and comparison firms, firm-years, clusters."""
        treated, controls = self._members()
        members = [own | others for own, others in zip(treated, controls, strict=True)]
        firm = [sample.firm for sample in self.samples]
        cluster = [sample.cluster for sample in self.samples]
        return Counts(
            n_treated=_n_distinct(firm, treated),
            n_control=_n_distinct(firm, controls),
            n_obs=sum(int(rows.sum()) for rows in self.rows),
            n_clusters=_n_distinct(cluster, members),
            n_treated_clusters=_n_distinct(cluster, treated),
            n_control_clusters=_n_distinct(cluster, controls),
            n_entry_years=sum(bool(own.any()) for own in treated),
            lone_entry_years=tuple(
                sample.cohort
                for sample, *groups in zip(self.samples, treated, controls, strict=True)
                if any(_n_distinct([sample.cluster], [group]) == 1 for group in groups)
            ),
        )

    def _members(self) -> tuple[list[Flags], list[Flags]]:
        """Return treated and comparison firms (u,) with rows in some cell, by cohort."""
        used = [
            (np.asarray(rows.any(axis=1)), sample.treated)
            for rows, sample in zip(self.rows, self.samples, strict=True)
        ]
        return [member & own for member, own in used], [member & ~own for member, own in used]


def _n_distinct(codes: list[Codes], members: list[Flags]) -> int:
    """Count the distinct codes of members, over all cohorts."""
    chosen = [code[member] for code, member in zip(codes, members, strict=True)]
    return int(np.count_nonzero(np.bincount(np.concatenate(chosen))))
