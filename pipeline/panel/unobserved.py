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
    counted = _by_column(coverage)
    found = [
        (gap, one)
        for one in used
        for gap in _of_used(one, counted.get(one.column, ()), one.years(entry_years))
    ]
    faults: dict[tuple[str, bool | None], list[tuple[Unobserved, UsedColumn]]] = {}
    for gap, one in found:
        if gap.gap not in accepted:
            faults.setdefault((gap.column, gap.treated), []).append((gap, one))
    if faults:
        raise DataError("\n".join(_told(of) for of in faults.values()))
    return list(dict.fromkeys(gap for gap, _ in found))


def _of_used(
    one: UsedColumn, counted: Sequence[_Counted], years: frozenset[int]
) -> list[Unobserved]:
    """Return the gaps in the years in which a column is read; a group's where no year's say it."""
    found = _unobserved(one.column, counted, years)
    of_years = [gap for gap in found if gap.treated is None and one.every_year]
    empty = {year for gap in of_years for year in gap.years}
    of_groups = [gap for gap in found if gap.treated is not None]
    return [*of_years, *(gap for gap in of_groups if not empty.issuperset(gap.years))]


def _told(found: Sequence[tuple[Unobserved, UsedColumn]]) -> str:
    """Say which settings read a column without values, and what settles it."""
    gap = found[0][0]
    rows = {of.years: of.n_rows for of, _ in found}
    n_rows = sum(rows.values()) if gap.treated is None else max(rows.values())
    years = ", ".join(map(str, sorted({year for of in rows for year in of})))
    readers = dict.fromkeys(one for _, one in found)
    whose = "" if gap.treated is None else f" of {_NAMES[gap.treated]} firms"
    left = f"clean.coverage.leave_out_years: [{years}], " if gap.treated is None else ""
    return (
        f"{gap.column} has no value in any row{whose} of {years} ({n_rows} rows), and "
        f"{', '.join(one.path for one in readers)} read it there: was it delivered? Deliver it, or "
        f"declare {left}{', '.join(_remedies(list(readers)))}; or go on as it is, said on the "
        f"page: clean.coverage.accept: [{gap.gap}]"
    )


def _remedies(readers: Sequence[UsedColumn]) -> Iterator[str]:
    """Yield the settings that make outcomes and covariates not read a column."""
    if outcomes := [one.path for one in readers if one.section == "outcomes"]:
        yield "treatment.window (event times without these years)"
        yield f"post_only: true (first observed after entry) or observed: false of {outcomes[0]}"
    if covariates := [one.path for one in readers if one.section != "outcomes"]:
        yield "treatment.leave_out_entry_years"
        yield f"another date of {', '.join(covariates)}, or leave them out"


def column_issues(
    coverage: pd.DataFrame, columns: Collection[str], accepted: Sequence[Unobserved]
) -> Iterator[Issue]:
    """Yield an issue for each of the columns that nobody has in a year, or nobody of a group."""
    counted = _by_column(coverage)
    found = [gap for name in sorted(columns) for gap in _unobserved(name, counted.get(name, ()))]
    known = {_place(gap) for gap in accepted}
    for gap in accepted:
        yield _issue(gap, "accepted")
    for gap in found:
        if _place(gap) not in known:
            yield _issue(gap, "kept_missing")


def _place(gap: Unobserved) -> tuple[str, bool | None, int | None]:
    return gap.column, gap.treated, gap.years[0] if gap.treated is None else None


def _issue(gap: Unobserved, action: str) -> Issue:
    of_year = gap.treated is None
    rule = NO_VALUE_IN_YEAR if gap.treated is None else _GROUPS[gap.treated]
    fields: Mapping[str, object] = {"year": gap.years[0]} if of_year else {}
    first, last = gap.years[0], gap.years[-1]
    return Issue(Reason(rule, fields), gap.column, Reason(action), gap.n_rows, None, first, last)
