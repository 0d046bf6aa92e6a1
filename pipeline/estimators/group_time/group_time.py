"""Group-time effects: one effect for each cohort and year, from that cohort's own comparison.

Callaway & Sant'Anna (2021), doi:10.1016/j.jeconom.2020.12.001. ATT(g,t) compares the change from
a base year to t of cohort g with that of its comparison firms. With matching weights it is

    sum_{G=g} s_i dY_i / sum s_i - sum_j w_jg dY_j / sum_j w_jg.

Each cell uses the firms observed in both of its years, or, by rule, every firm-year of the two.
Influences are summed over cells' firms by cluster at once, a firm in several cohorts' comparisons
adding up before clustering.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.effects.counts import Counts
from pipeline.effects.sample import complete_set_weights
from pipeline.effects.stacks import Flags, Floats
from pipeline.errors import SupportError
from pipeline.estimators.adjusted_change import (
    AdjustedChange,
    Method,
    adjusted_change,
    prepare_comparison,
)
from pipeline.estimators.group_time.cohort_sample import CohortSample, UsedRows
from pipeline.estimators.group_time.level_comparison import Levels, compare_levels
from pipeline.panel.panel_index import Codes

Base = Literal["varying", "universal"]

REFERENCE = "reference period"


@dataclass(frozen=True)
class GroupTimeRules:
    """Say how a cell compares: the estimator, the base year before entry, anticipation, gaps.

    `universal`: every year against the last one before entry and anticipation. `varying`: years
    before entry and anticipation against the year before them, which is a short difference.
    `every_row`: a cell takes all firm-years of its two years, also of firms seen in one of them.
    """

    method: Method
    base: Base
    anticipation_years: int
    every_row: bool = False


@dataclass(frozen=True)
class Cell:
    """Hold ATT(g,t), or the reason why it has no estimate; counts are of firms.

    `lone`: the treated, or the comparison, firms lie in a single cluster.
    """

    cohort: int
    year: int
    base_year: int | None
    estimate: float
    n_treated: int
    n_control: int
    note: str | None
    lone: bool = False

    @property
    def event_time(self) -> int:
        """Return years since entry."""
        return self.year - self.cohort

    @property
    def estimated(self) -> bool:
        """Say whether the cell has an estimate with a standard error."""
        return self.note is None


@dataclass(frozen=True)
class GroupTime:
    """Hold m cells, and by cluster (G,) what standard errors need.

    `influence` (m, G) sums the influences of a cluster's firms; `mass` (cohorts, G) sums the
    weights of its treated firms, from which shares are estimated; `cohorts` names its rows.
    `largest` is the largest absolute outcome.
    """

    cells: tuple[Cell, ...]
    influence: Floats
    cohorts: tuple[int, ...]
    mass: Floats
    counts: Counts
    largest: float


def group_time_effects(samples: list[CohortSample], rules: GroupTimeRules) -> GroupTime:
    """Estimate every cell of every cohort; cells without data have a reason."""
    n_clusters = 1 + max(int(sample.cluster.max(initial=-1)) for sample in samples)
    influence = np.zeros((sum(len(sample.years) for sample in samples), n_clusters))
    mass = np.zeros((len(samples), n_clusters))
    cells: list[Cell] = []
    used = UsedRows(samples)
    for position, sample in enumerate(samples):
        for cell, part in _cohort_cells(sample, rules, used.rows[position]):
            if part is not None:
                _add_by_cluster(influence[len(cells)], *part)
            cells.append(cell)
        treated = sample.treated & used.rows[position].any(axis=1)
        mass[position] = np.bincount(
            sample.cluster[treated], sample.weight[treated], minlength=n_clusters
        )
    return GroupTime(
        cells=tuple(cells),
        influence=influence,
        cohorts=tuple(sample.cohort for sample in samples),
        mass=mass,
        counts=used.counts(),
        largest=max(_largest(sample.y) for sample in samples),
    )


def base_column(sample: CohortSample, column: int, rules: GroupTimeRules) -> int | None:
    """Return the position of a year's base year, None where there is none.

    From the first year of anticipation on the last year before it, which alone is untouched by the
    programme (Callaway & Sant'Anna 2021, assumption 3); earlier the same year (`universal`) or the
    year before (`varying`).
    """
    untouched = sample.years + rules.anticipation_years < sample.cohort
    if rules.base == "varying" and untouched[column]:
        return column - 1 if column else None
    before = np.flatnonzero(untouched)
    return int(before[-1]) if len(before) else None


def _cohort_cells(
    sample: CohortSample, rules: GroupTimeRules, used: Flags
) -> Iterator[tuple[Cell, tuple[Codes, Floats] | None]]:
    """Yield each cell with clusters and influences."""
    changes = _Changes(sample, rules.method)
    for column in range(len(sample.years)):
        base = base_column(sample, column, rules)
        if base is None or base == column:
            yield _cell(sample, column, base, note=_without_change(base)), None
            continue
        seen = np.isfinite(sample.y[:, [base, column]])
        weight = _cell_weight(sample, seen, (base, column), rules)
        member = weight > 0
        try:
            _require_both_groups(sample.treated, member)
            if rules.every_row:
                found = _compare_rows(sample, weight, (base, column), rules.method)
            else:
                found = changes.compare(weight, (base, column))
        except SupportError as error:
            yield _cell(sample, column, base, member=member, note=str(error)), None
            continue
        used[:, base] |= seen[:, 0] & member
        used[:, column] |= seen[:, 1] & member
        cell = _cell(sample, column, base, member=member, effect=found.effect)
        yield cell, (sample.cluster[_chosen(member)], found.influence)


def _chosen(member: Flags) -> Flags | slice:
    """Return what picks the members of an array: no copy is made where all are."""
    return slice(None) if member.all() else member


class _Changes:
    """Compare changes since the base year; consecutive cells of the same firms share the fit."""

    def __init__(self, sample: CohortSample, method: Method) -> None:
        self.sample, self.method = sample, method
        self.weight: Floats | None = None

    def compare(self, weight: Floats, years: tuple[int, int]) -> AdjustedChange:
        """Return the effect on the change between two columns, and each member's influence."""
        sample, rows = self.sample, _chosen(weight > 0)
        if self.weight is None or not np.array_equal(self.weight, weight):
            self.fitted = prepare_comparison(
                sample.treated[rows], weight[rows], sample.columns[rows], self.method
            )
            self.weight = weight
        change = (sample.y[:, years[1]] - sample.y[:, years[0]])[rows]
        return adjusted_change(self.fitted, change)


def _compare_rows(
    sample: CohortSample, weight: Floats, years: tuple[int, int], method: Method
) -> AdjustedChange:
    """Compare levels in two columns; a firm's influence is the sum over the rows that it has."""
    member = np.flatnonzero(weight > 0)
    values = sample.y[member][:, list(years)]
    position, later = np.nonzero(np.isfinite(values))
    unit = member[position]
    rows = Levels(
        treated=sample.treated[unit],
        later=later == 1,
        weight=weight[unit],
        y=values[position, later],
        columns=sample.columns[unit],
    )
    found = compare_levels(rows, method)
    summed = np.bincount(position, found.influence, minlength=len(member))
    return AdjustedChange(found.effect, np.asarray(summed, dtype=np.float64))


def _add_by_cluster(total: Floats, cluster: Codes, influence: Floats) -> None:
    """Add influences to their clusters' totals, in place."""
    if (np.diff(cluster) > 0).all():
        total[cluster] += influence  # each firm its own cluster: no sums to form
    else:
        total += np.bincount(cluster, influence, minlength=len(total))


def _cell_weight(
    sample: CohortSample, seen: Flags, years: tuple[int, int], rules: GroupTimeRules
) -> Floats:
    """Return weights (u,) in one cell: zero where not `seen` (u, 2), or treated by its later year.

    A firm that enters later than both years and anticipation is not yet treated, whether it
    enters before or after the cohort.
    """
    if sample.sets is not None:
        weight = complete_set_weights(sample.sets, seen)
    else:
        enough = seen.any(axis=1) if rules.every_row else seen.all(axis=1)
        weight = np.where(enough, sample.weight, 0.0)
    last = max(sample.years[list(years)]) + rules.anticipation_years
    return np.where(sample.treated | (sample.treated_from > last), weight, 0.0)


def _require_both_groups(treated: Flags, member: Flags) -> None:
    for flags, name in ((treated, "treated"), (~treated, "comparison")):
        if not (flags & member).any():
            raise SupportError(f"no {name} firm is observed in this year and in the base year")


def _without_change(base: int | None) -> str:
    return "no earlier year inside the window to compare with" if base is None else REFERENCE


def _cell(
    sample: CohortSample,
    column: int,
    base: int | None,
    *,
    member: Flags | None = None,
    note: str | None = None,
    effect: float = float("nan"),
) -> Cell:
    return Cell(
        cohort=sample.cohort,
        year=int(sample.years[column]),
        base_year=None if base is None else int(sample.years[base]),
        estimate=0.0 if note == REFERENCE else effect,
        n_treated=0 if member is None else int((member & sample.treated).sum()),
        n_control=0 if member is None else int((member & ~sample.treated).sum()),
        note=note,
        lone=note is None and member is not None and _is_lone(sample, member),
    )


def _is_lone(sample: CohortSample, member: Flags) -> bool:
    """Say whether the treated, or the comparison, members lie in a single cluster."""
    groups = (member & own for own in (sample.treated, ~sample.treated))
    return any(
        not ((sample.cluster != sample.cluster[group.argmax()]) & group).any() for group in groups
    )


def _largest(y: Floats) -> float:
    """Return the largest absolute outcome, 0 without any; no copy of the outcomes is made."""
    ends = np.fmax.reduce(y, axis=None, initial=0.0), np.fmin.reduce(y, axis=None, initial=0.0)
    return float(max(ends[0], -ends[1]))
