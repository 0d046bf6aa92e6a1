"""Cohort samples of a whole panel: each cohort against every firm that one of its cells may use.

Callaway & Sant'Anna (2021), doi:10.1016/j.jeconom.2020.12.001, and R's did. A cell compares with
never-treated firms, or with all that are untreated in both of its years and anticipation. The
second group changes from cell to cell, and includes, years before entry, cohorts that enter before
the cohort itself. Risk sets (`selection.risk_sets`) instead fix one group for all years of a stack.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.estimators.group_time.cohort_sample import CohortSample

Control = Literal["never_treated", "not_yet_treated"]


@dataclass(frozen=True)
class FirmsByYear:
    """Hold n firms over T years: outcomes `y` (n, T) with missing values, and arrays (n,).

    `first_treated` is infinite for never-treated firms; `cluster` has codes. A comparison firm is
    one before `exposed_from` (n,): its own entry, an earlier one of others in its cluster, or its
    first contact with any arm; minus infinity for firms that compare with none.
    """

    years: NDArray[np.int64]
    y: Floats
    first_treated: Floats
    exposed_from: Floats
    cluster: Codes

    def cohorts(self) -> list[int]:
        """Return the entry years."""
        entered = self.first_treated[np.isfinite(self.first_treated)]
        return [int(cohort) for cohort in np.unique(entered)]


def compared_firms(firms: FirmsByYear, cohort: int, control: Control, balanced: bool) -> Codes:
    """Return the positions of a cohort and of the firms that some cell may compare it with.

    `balanced` keeps firms observed in every year in which any firm is, as R's did does unless
    told otherwise.
    """
    own = firms.first_treated == cohort
    others = np.isinf(firms.first_treated) if control == "never_treated" else ~own
    others = others & (firms.exposed_from > -np.inf)
    return np.flatnonzero((own | others) & (_complete(firms.y) if balanced else True))


def cohort_sample(
    firms: FirmsByYear,
    cohort: int,
    members: Codes,
    *,
    weight: Floats,
    columns: Floats,
    within: Flags | None = None,
) -> CohortSample:
    """Return a cohort's sample: `weight` (m,) and `columns` (m, k) are those of the members.

    `columns` holds covariates and a constant; `within` (T,) keeps some of the years.
    """
    kept = np.ones(len(firms.years), dtype=np.bool_) if within is None else within
    return CohortSample(
        cohort=cohort,
        years=firms.years[kept],
        firm=members,
        cluster=firms.cluster[members],
        treated=firms.first_treated[members] == cohort,
        treated_from=firms.exposed_from[members],
        weight=weight,
        y=_years_of(firms.y, members, np.flatnonzero(kept)),
        columns=columns,
    )


def _complete(y: Floats) -> Flags:
    seen = np.isfinite(y)
    return np.asarray(seen[:, seen.any(axis=0)].all(axis=1))


def _years_of(y: Floats, members: Codes, columns: Codes) -> Floats:
    """Return rows and columns of y (n, T), each column in one piece: cells read two of them."""
    return np.asfortranarray(y[members][:, columns])
