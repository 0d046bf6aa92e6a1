"""Columns that nobody has a value of in a year, or nobody of a group in any."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.panel import (
    NO_VALUE_IN_YEAR,
    NO_VALUE_OF_COMPARISON,
    NO_VALUE_OF_TREATED,
)
from pipeline.errors import DataError, Reason
from pipeline.panel.gaps import LEAST_FIRMS
from pipeline.panel.ledger import Issue
from pipeline.panel.used_columns import UsedColumn
from pipeline.params.gaps import Gap

_GROUPS = {True: NO_VALUE_OF_TREATED, False: NO_VALUE_OF_COMPARISON}
_NAMES = {True: "treated", False: "comparison"}


@dataclass(frozen=True)
class Unobserved:
    """Hold a column without a value in a year (`treated` None), or of a group in its years."""

    column: str
    years: tuple[int, ...]
    treated: bool | None
    n_rows: int

    @property
    def gap(self) -> Gap:
        """Return what params call it."""
        return "missing_year" if self.treated is None else "missing_group"


@dataclass(frozen=True)
class _Counted:
    """Hold the rows of one column in a year and group, and how many have a value."""

    year: int
    treated: bool
    n_rows: int
    n_observed: int


def _by_column(coverage: pd.DataFrame) -> dict[str, list[_Counted]]:
    """Return what COVERAGE_BY_SOURCE counts of each column, all files together."""
    key = ["column", "year", "treated"]
    summed = coverage.groupby(key, as_index=False)[["n_rows", "n_missing"]].sum()
    found: dict[str, list[_Counted]] = {}
    for column, year, treated, n_rows, n_missing in summed.itertuples(index=False, name=None):
        counted = _Counted(int(year), bool(treated), int(n_rows), int(n_rows - n_missing))
        found.setdefault(str(column), []).append(counted)
    return found


def _unobserved(
    column: str, counted: Sequence[_Counted], years: Collection[int] | None = None
) -> list[Unobserved]:
    """Return the years, of those given, and groups without a value of a column.

    A column that nobody ever has is without both groups, and not without each year. Few rows tell
    nothing.
    """
    own = [of for of in counted if years is None or of.year in years]
    ever = any(of.n_observed for of in counted)
    found = [
        Unobserved(column, (year,), None, _n_rows(at))
        for year in sorted({of.year for of in own if ever})
        for at in [[of for of in own if of.year == year]]
        if _is_empty(at)
    ]
    for treated in (False, True):
        group = [of for of in own if of.treated == treated]
        if _is_empty(group):
            spanned = tuple(sorted(of.year for of in group))
            found.append(Unobserved(column, spanned, treated, _n_rows(group)))
    return found


def _n_rows(counted: Sequence[_Counted]) -> int:
    return sum(of.n_rows for of in counted)


def _is_empty(counted: Sequence[_Counted]) -> bool:
    """Say whether there are rows enough, and none has a value."""
    return _n_rows(counted) >= LEAST_FIRMS and not any(of.n_observed for of in counted)


def refuse_unobserved(
    coverage: pd.DataFrame,
    used: Sequence[UsedColumn],
    entry_years: Collection[int],
    accepted: Collection[Gap],
) -> list[Unobserved]:
    """Return what of the columns that are used is accepted although nobody has it.

    Raises DataError for the others, with every setting that settles it.
    """
    by_column = _by_column(coverage)
    found = [
        (one, gap)
        for one in used
        if one.column in by_column
        for gap in _unobserved(one.column, by_column[one.column], one.years(entry_years))
        if one.every_year or gap.treated is not None
    ]
    faults = [_told(one, gap) for one, gap in found if gap.gap not in accepted]
    if faults:
        raise DataError("\n".join(dict.fromkeys(faults)))
    return [gap for _, gap in found]


def _told(one: UsedColumn, gap: Unobserved) -> str:
    """Say which setting reads a column without values, and what settles it."""
    years = ", ".join(map(str, gap.years))
    of_outcome = one.section == "outcomes"
    where = (
        f"in {years}, a year that it is read in"
        if gap.treated is None
        else f"of the {_NAMES[gap.treated]} firms in any year that it is read in ({years})"
    )
    others = (
        "treatment.window (event times without it)"
        if of_outcome
        else f"{one.path} dated otherwise or removed, treatment.leave_out_entry_years"
    )
    left = f", clean.coverage.leave_out_years: [{years}]" if gap.treated is None else ""
    unseen = (
        f", {one.path}.post_only: true (first observed after entry) or observed: false (with its "
        "reason)"
        if of_outcome
        else ""
    )
    return (
        f"{one.path} reads {gap.column}, which none of the {gap.n_rows} rows {where} has: was it "
        f"delivered? Deliver it, or declare {others}{left}{unseen}; or go on as it is, said on the "
        f"page: clean.coverage.accept: [{gap.gap}]"
    )


def column_issues(
    coverage: pd.DataFrame, columns: Collection[str], accepted: Sequence[Unobserved]
) -> Iterator[Issue]:
    """Yield an issue for each of the columns that nobody has in a year, or nobody of a group."""
    of_used = [(gap.column, gap.treated, year) for gap in accepted for year in gap.years]
    counted = _by_column(coverage)
    found = [gap for name in sorted(columns) for gap in _unobserved(name, counted.get(name, ()))]
    for gap in found:
        known = any((gap.column, gap.treated, year) in of_used for year in gap.years)
        action = Reason("accepted" if known else "kept_missing")
        yield Issue(_rule(gap), gap.column, action, gap.n_rows, None, gap.years[0], gap.years[-1])


def _rule(gap: Unobserved) -> Reason:
    fields: Mapping[str, object] = {"year": gap.years[0]} if gap.treated is None else {}
    return Reason(NO_VALUE_IN_YEAR if gap.treated is None else _GROUPS[gap.treated], fields)
