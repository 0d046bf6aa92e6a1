"""Hide counts of all published tables that tell, together, how many few firms are."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.arms import ARM_FLOW
from pipeline.datasets.arrays import Floats, Integers
from pipeline.datasets.details import DETAILS
from pipeline.datasets.matches import MATCHED
from pipeline.datasets.panel import ENTRY_YEAR, SAMPLE_FLOW, SURVIVAL_RULE, YEAR
from pipeline.datasets.populations import EVERY, NOUGHTS, ONES
from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.samples import ATTRITION
from pipeline.datasets.selection import STACKS
from pipeline.datasets.store import columns_that_tell
from pipeline.exhibits.details import Details
from pipeline.exhibits.inputs import CountedFirms, StudyResults
from pipeline.publishing.disclosure.counted import (
    COUNTINGS,
    FIGURES_OF_ONES,
    ONES_OF,
    placed,
    placed_estimates,
    placed_ones,
)
from pipeline.publishing.disclosure.counted_alike import (
    COORDINATES,
    FLOW_GROUPS,
    Uses,
    count_place,
    counted_alike,
    same_place,
)
from pipeline.publishing.disclosure.counts_of_arms import CellsOfArms, few_in_none
from pipeline.publishing.disclosure.details import without
from pipeline.publishing.disclosure.joined_arms import OfArm
from pipeline.publishing.disclosure.subtracted import PublishedCounts, hidden_counts

# The tables that StudyResults holds as fields.
_FIELDS = {
    "ARM_FLOW": "arm_flow",
    "BALANCE": "balance",
    "COVERAGE": "coverage",
    "ESTIMATES": "estimates",
    "EXPOSED": "exposed",
    "OUTCOME_PATHS": "paths",
    "PROFILE": "profile",
    "SAMPLE_FLOW": "sample_flow",
    "SCORE_COEFFICIENTS": "coefficients",
    "SUPPORT": "support",
}
_DETAILS = {table.name: table for table in DETAILS}
_FLOW_RANK = 11
_OTHER_SIZES = (*columns_that_tell(ESTIMATES, "other_count"), "n_obs")
# Columns that would tell a hidden count.
_FOLLOWERS = {
    (counting.table.name, column): others
    for counting in COUNTINGS
    for column, others in counting.followers.items()
} | {(ESTIMATES.name, name): _OTHER_SIZES for name in ("n_treated", "n_control")}
_FIRM_YEARS = [name for name in columns_that_tell(SAMPLE_FLOW, "count") if "firm_years" in name]
_OF_ISSUE = ["count", "firms", "first_year", "last_year"]
_ANY_TIME = -(10**6)


def hide_told_counts(
    vetted: StudyResults,
    results: StudyResults,
    counted: CountedFirms,
    minimum: int,
    arm_of: Mapping[str, OfArm],
) -> StudyResults:
    """Hide counts of `vetted` from which how many few firms are could be worked out.

    `results` are those before disclosure control, `counted` says whom their counts count. Of a
    study with arms they are joined, and `arm_of` says whose designs are.
    """
    if minimum <= 1:
        return vetted
    alike, n_firms = counted_alike(counted, results)
    cells, uses = _known(vetted, results, alike, n_firms)
    distinct, number = np.unique(uses, axis=0, return_inverse=True)
    numbered = cells.assign(number=number.reshape(-1))
    shown = np.ones(len(distinct), dtype=np.bool_)
    counts = _counts(numbered, distinct, n_firms)
    if arm_of:
        of_arms = CellsOfArms.of(numbered, results.settings.treatment, arm_of)
        parts = sorted({*counts.parts, *of_arms.sums()})
        in_none = few_in_none(alike, n_firms, distinct, minimum)
        counts = replace(counts, parts=parts, arms=of_arms.counts(counts.fixed, in_none))
    hidden = hidden_counts(counts, shown, minimum)
    shown_counts = _without(vetted, numbered[hidden[number.reshape(-1)]])
    return _with_sums(vetted, shown_counts, minimum)


def _known(
    vetted: StudyResults, results: StudyResults, uses: Uses, n_firms: Integers
) -> tuple[pd.DataFrame, Floats]:
    """Return the shown counts whose firms are known, and their uses (cells, signatures)."""
    parts = [*_shown(vetted), *_flow(vetted.sample_flow), *_ones(vetted, results)]
    cells = pd.concat(parts, ignore_index=True)
    places = [same_place(p) for p in cells[COORDINATES].itertuples(index=False, name=None)]
    found = [_firms(uses, place, n, n_firms) for place, n in zip(places, cells["n"], strict=True)]
    known = [vector is not None for vector in found]
    vectors = [vector for vector in found if vector is not None]
    return cells[known], np.array(vectors).reshape(-1, len(n_firms))


def _firms(uses: Uses, place: tuple[Any, ...], n: float, n_firms: Integers) -> Floats | None:
    """Return whom a count counts; effects of single years may count all of their sample."""
    for at in (place, (*place[:3], EVERY, EVERY, place[5], None, place[7])):
        vector = uses.get(at)
        if vector is not None and vector @ n_firms == n:
            return vector
    return None


def _counts(cells: pd.DataFrame, uses: Floats, n_firms: Integers) -> PublishedCounts:
    """Return the different counts of cells: the most needed of alike ones says what stays."""
    rank = cells.groupby("number")["rank"].min().to_numpy(np.int64)
    by_stack = cells[cells["stack"] != EVERY].fillna({"time": _ANY_TIME})
    alike = [name for name in COORDINATES if name != "stack"]
    parts = {
        tuple(dict.fromkeys(rows["number"].tolist()))
        for _, rows in by_stack.groupby(alike, sort=False)
    }
    entrants = cells["table"].isin([STACKS.name, ARM_FLOW.name])
    entrants &= cells["column"] == "n_entrants"
    settled = entrants.groupby(cells["number"]).any().to_numpy(np.bool_)
    return PublishedCounts(uses, n_firms, rank, rank == 0, settled, sorted(parts))


def _shown(results: StudyResults) -> Iterator[pd.DataFrame]:
    """Yield the shown counts above zero of every table: coordinates, rank, row, `n`."""
    for counting in COUNTINGS:
        rows = _table(results, counting.table.name)
        if rows is None or rows.empty:
            continue
        for column in counting.columns:
            yield _above_zero(placed(counting, rows, column), rows[column])
    for column in ("n_treated", "n_control"):
        yield _above_zero(placed_estimates(results.estimates, column), results.estimates[column])


def _above_zero(places: pd.DataFrame, counts: "pd.Series[int]") -> pd.DataFrame:
    found = places.assign(row=places.index, n=counts.reindex(places.index).astype("float64"))
    return found[found["n"] > 0]


def _flow(flow: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for name in FLOW_GROUPS:
        for column in (name, f"{name}_lost"):
            places = [
                count_place(SAMPLE_FLOW.name, column, time=int(step)) for step in flow["step"]
            ]
            rows = pd.DataFrame(places, columns=COORDINATES, index=flow.index).astype(object)
            last = flow["step"].eq(flow["step"].max()) & (column == name)
            ranks = last.map({True: 0, False: _FLOW_RANK})
            yield _above_zero(rows.assign(rank=ranks), flow[column])


def _ones(vetted: StudyResults, results: StudyResults) -> Iterator[pd.DataFrame]:
    """Yield the counts that means of zeros and ones tell."""
    for counting in COUNTINGS:
        if counting.table.name in ONES_OF:
            shown, rows = (_table(r, counting.table.name) for r in (vetted, results))
            if shown is None or rows is None:
                continue
            for places in placed_ones(counting, shown, rows):
                yield places.assign(row=places.index)[places["n"] > 0]


def _table(results: StudyResults, name: str) -> pd.DataFrame | None:
    if name in _DETAILS:
        return results.details.of(_DETAILS[name])
    found: pd.DataFrame | None = getattr(results, _FIELDS[name])
    return found


def _without(results: StudyResults, gone: pd.DataFrame) -> StudyResults:
    """Hide counts, and what would tell them."""
    fields: dict[str, Any] = {}
    details = results.details
    for name, cells in gone.groupby("table"):
        rows = _table(results, str(name))
        assert rows is not None, "a table with shown counts"
        shown = rows.copy()
        for column, marked in cells.groupby("column"):
            for hidden in _hidden_with(str(name), str(column)):
                shown[hidden] = _masked(shown[hidden], marked["row"])
        if name in _DETAILS:
            details = details.replaced(_DETAILS[str(name)], shown)
        else:
            fields[_FIELDS[str(name)]] = shown
    return replace(results, details=details, **fields)


def _hidden_with(table: str, column: str) -> tuple[str, ...]:
    """Return the columns that go with a count."""
    if column in (ONES, NOUGHTS):
        return FIGURES_OF_ONES[table]
    return (column, *_FOLLOWERS.get((table, column), ()))


def _masked(column: pd.Series, rows: "pd.Series | pd.Index") -> pd.Series:
    integer = pd.api.types.is_integer_dtype(column.dtype)
    return (column.astype("Int64") if integer else column).mask(column.index.isin(rows))


def _with_sums(before: StudyResults, results: StudyResults, minimum: int) -> StudyResults:
    """Hide what is made of hidden counts: sums over years, shares alive, effective sizes."""
    profile, earlier = results.profile, before.profile
    flow = _whole_steps(results.sample_flow)
    return replace(
        results,
        sample_flow=flow,
        issues=_without_step(results.issues, flow),
        profile=profile if profile is None or earlier is None else _whole_years(earlier, profile),
        details=_without_effective(_without_shares(results.details), minimum),
    )


def _without_step(issues: pd.DataFrame, flow: pd.DataFrame) -> pd.DataFrame:
    """Hide the issue that counts what a step lost where some step's losses are hidden."""
    told = issues["rule"].eq(SURVIVAL_RULE) & bool(flow["firm_years_lost"].isna().any())
    return issues.assign(**{name: _masked(issues[name], issues.index[told]) for name in _OF_ISSUE})


def _whole_steps(flow: pd.DataFrame) -> pd.DataFrame:
    """Hide the firm-years of steps whose firms are hidden: they are the firms' years."""
    hidden = flow[list(FLOW_GROUPS)].isna().any(axis=1)
    return flow.assign(**{name: flow[name].mask(hidden) for name in _FIRM_YEARS})


def _whole_years(before: pd.DataFrame, profile: pd.DataFrame) -> pd.DataFrame:
    """Hide counts of several years of a column and group of which one year's is hidden now."""
    of = [profile["column"], profile["treated"]]
    several = ~profile["scope"].isin([YEAR, ENTRY_YEAR])
    shown = profile.copy()
    for name in ("n_rows", "n_missing"):
        hidden = before[name].notna() & profile[name].isna() & profile["scope"].eq(YEAR)
        gone = several & hidden.groupby(of).transform("any")
        shown[name] = profile[name].mask(gone)
        shown["missing_share"] = shown["missing_share"].mask(gone)
    return shown


def _without_shares(details: Details) -> Details:
    """Hide shares alive where one of the counts that they are made of is hidden."""
    rows = details.of(ATTRITION)
    hidden = rows[columns_that_tell(ATTRITION, "count")].isna().any(axis=1)
    return without(details, ATTRITION, ["share_alive"], hidden.to_list())


def _without_effective(details: Details, minimum: int) -> Details:
    """Hide effective sizes below the threshold, and those of hidden numbers of firms.

    With weights that are alike they are these numbers.
    """
    rows = details.of(MATCHED)
    few = (rows["ess"] < minimum) | rows["n_comparison_used"].isna()
    return without(details, MATCHED, ["ess"], few.to_list())
