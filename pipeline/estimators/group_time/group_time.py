"""Group-time effects: one effect for each cohort and year, from that cohort's own comparison.

Callaway & Sant'Anna (2021), doi:10.1016/j.jeconom.2020.12.001. ATT(g,t) compares the change from
a base year to t of cohort g with that of its comparison firms. With matching weights it is

    sum_{G=g} s_i dY_i / sum s_i - sum_j w_jg dY_j / sum_j w_jg.

Each cell uses the firms observed in both of its years, or, by rule, every firm-year of the two.
Influences are by firm, so that a firm in several cohorts' comparisons adds up before clustering.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.effects.estimated import Cells, Estimated
from pipeline.effects.sample import complete_set_weights
from pipeline.effects.terms import Term
from pipeline.errors import Reason, SupportError
from pipeline.estimators.adjusted_change import (
    AdjustedChange,
    Method,
    adjusted_change,
    prepare_comparison,
)
from pipeline.estimators.group_time.cohort_sample import CohortSample, UsedRows
from pipeline.estimators.group_time.level_comparison import Levels, compare_levels

Base = Literal["varying", "universal"]

REFERENCE = Reason("reference_period")


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
    """Say which years ATT(g,t) compares, and why where it has no estimate; counts are of firms."""

    cohort: int
    year: int
    base_year: int | None
    n_treated: int
    n_control: int
    reason: Reason | None

    @property
    def event_time(self) -> int:
        """Return years since entry."""
        return self.year - self.cohort

    @property
    def estimated(self) -> bool:
        """Say whether the cell has an estimate."""
        return self.reason is None

    @property
    def is_reference(self) -> bool:
        """Say whether the cell is the base year itself, in which the effect is zero."""
        return self.reason == REFERENCE

    @property
    def term(self) -> Term:
        """Return the cell's term of ESTIMATES."""
        return Term("att_gt", self.cohort, self.year, self.event_time)


@dataclass(frozen=True)
class GroupTime:
    """Hold every cell, the effects of those estimated, in their order, and cohorts' masses.

    `mass` (cohorts, F) is the weight of each cohort's treated firms, by firm code, from which
    shares are estimated; `cohorts` names its rows.
    """

    cells: tuple[Cell, ...]
    effects: Estimated
    cohorts: tuple[int, ...]
    mass: Floats

    @property
    def estimated(self) -> list[Cell]:
        """Return the cells with an estimate, in the order of `effects`."""
        return [cell for cell in self.cells if cell.estimated]


def group_time_effects(samples: list[CohortSample], rules: GroupTimeRules) -> GroupTime:
    """Estimate every cell of every cohort; cells without data have a reason."""
    n_firms = 1 + max(int(sample.firm.max(initial=-1)) for sample in samples)
    mass = np.zeros((len(samples), n_firms))
    cells: list[Cell] = []
    found = _Found(n_firms, sum(len(sample.years) for sample in samples))
    used = UsedRows(samples)
    for position, sample in enumerate(samples):
        for cell, part in _cohort_cells(sample, rules, used.rows[position]):
            cells.append(cell)
            if part is not None:
                found.add(sample, *part)
        treated = sample.treated & used.rows[position].any(axis=1)
        mass[position, sample.firm[treated]] = sample.weight[treated]
    effects = Estimated(
        terms=tuple(cell.term for cell in cells if cell.estimated),
        estimates=np.array(found.estimates),
        influence=found.influence[:, : len(found.estimates)],
        seen=used.seen(n_firms),
        largest=max(_largest(sample.y) for sample in samples),
        loadings=np.eye(len(found.estimates)),
        source=Cells(found.sides[: len(found.estimates)]),
        counts={cell.term: _counts(cell) for cell in cells if cell.estimated},
    )
    return GroupTime(tuple(cells), effects, tuple(sample.cohort for sample in samples), mass)


def _counts(cell: Cell) -> dict[str, int]:
    """Return the firms of a cell; each is seen in two years."""
    n_obs = 2 * (cell.n_treated + cell.n_control)
    return {"n_treated": cell.n_treated, "n_control": cell.n_control, "n_obs": n_obs}


# Of comparison firms, of treated ones.
_SIDES = np.array([-1, 1], dtype=np.int8)


class _Found:
    """Collect cells' effects, firms' influences on them (F, k), and who is on which side (k, F).

    Room is made for every cell; that of cells without an estimate is never touched.
    """

    def __init__(self, n_firms: int, n_cells: int) -> None:
        self.estimates: list[float] = []
        self.influence = np.zeros((n_firms, n_cells), order="F")
        self.sides = np.zeros((n_cells, n_firms), dtype=np.int8)

    def add(self, sample: CohortSample, member: Flags, change: AdjustedChange) -> None:
        """Add the effect on the members (u,) of a cohort's sample in one cell."""
        place, rows = len(self.estimates), _chosen(member)
        firm = sample.firm[rows]
        self.estimates.append(change.effect)
        self.influence[firm, place] = change.influence
        self.sides[place, firm] = _SIDES[sample.treated[rows].astype(np.intp)]


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
) -> Iterator[tuple[Cell, tuple[Flags, AdjustedChange] | None]]:
    """Yield each cell with its members (u,) and their influences on it."""
    changes = _Changes(sample, rules.method)
    for column in range(len(sample.years)):
        base = base_column(sample, column, rules)
        if base is None or base == column:
            reason = Reason("no_earlier_year") if base is None else REFERENCE
            yield _cell(sample, column, base, reason=reason), None
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
            yield _cell(sample, column, base, member=member, reason=error.reason), None
            continue
        used[:, base] |= seen[:, 0] & member
        used[:, column] |= seen[:, 1] & member
        yield _cell(sample, column, base, member=member), (member, found)


def _chosen(member: Flags) -> Flags | slice:
    """Return what picks the members of an array: no copy is made where all are."""
    return slice(None) if member.all() else member


class _Changes:
    """Compare changes since the base year; consecutive cells of the same firms share the fit.

    Cells of other firms start their score from the coefficients of the cell before.
    """

    def __init__(self, sample: CohortSample, method: Method) -> None:
        self.sample, self.method = sample, method
        self.weight: Floats | None = None
        self.start: Floats | None = None

    def compare(self, weight: Floats, years: tuple[int, int]) -> AdjustedChange:
        """Return the effect on the change between two columns, and each member's influence."""
        sample, rows = self.sample, _chosen(weight > 0)
        if self.weight is None or not np.array_equal(self.weight, weight):
            self.fitted = prepare_comparison(
                sample.treated[rows], weight[rows], sample.columns[rows], self.method, self.start
            )
            self.weight, self.start = weight, self.fitted.start
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
    for flags, group in ((treated, "treated"), (~treated, "comparison")):
        if not (flags & member).any():
            raise SupportError(Reason("nobody_in_both_years_of_cell", {"group": group}))


def _cell(
    sample: CohortSample,
    column: int,
    base: int | None,
    *,
    member: Flags | None = None,
    reason: Reason | None = None,
) -> Cell:
    return Cell(
        cohort=sample.cohort,
        year=int(sample.years[column]),
        base_year=None if base is None else int(sample.years[base]),
        n_treated=0 if member is None else int((member & sample.treated).sum()),
        n_control=0 if member is None else int((member & ~sample.treated).sum()),
        reason=reason,
    )


def _largest(y: Floats) -> float:
    """Return the largest absolute outcome, 0 without any; no copy of the outcomes is made."""
    ends = np.fmax.reduce(y, axis=None, initial=0.0), np.fmin.reduce(y, axis=None, initial=0.0)
    return float(max(ends[0], -ends[1]))
