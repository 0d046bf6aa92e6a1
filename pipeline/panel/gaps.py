"""What a delivery lacks: years with few firms, columns without values, firms that go and come.

Everything found is a row of ISSUES. `clean` stops where a year inside the window has fewer than
half of the firms of the years around it, or a column that is used has no value in a year or group,
unless params accept it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags
from pipeline.datasets.panel import (
    CLUSTER_CHANGES,
    FEW_COMPARISON,
    FEW_FIRMS,
    FEW_IN_FILE,
    FEW_TREATED,
    GONE_ONE_YEAR,
    HALF_YEAR,
)
from pipeline.errors import DataError, Reason
from pipeline.panel.ledger import Issue
from pipeline.panel.panel_index import NO_ROW, PanelIndex, index_panel
from pipeline.panel.used_columns import window_times
from pipeline.params.clean import CleanSection
from pipeline.params.gaps import CoverageGaps
from pipeline.params.treatment import TreatmentSection

# A year has few firms below this share of those of the years around it (at an end of the panel,
# where firms enter or leave, of the year beside it), and half below the last; years around which
# fewer firms are seen on average tell nothing.
_FEW, _FEW_AT_END, _HALF = 0.8, 2 / 3, 0.5
LEAST_FIRMS = 10
# Thin years that follow each other are compared with the years around them all; at an end, where
# firms also enter and leave for good, this many.
_LONGEST_AT_END = 2


@dataclass(frozen=True)
class Presence:
    """Hold which firms (rows) are seen in which years (columns): those that anybody has."""

    years: Codes
    seen: Flags
    treated: Flags

    def of(self, firms: Flags) -> "Presence":
        """Return the presence of some firms."""
        return Presence(self.years, self.seen[firms], self.treated[firms])


def presence(panel: pd.DataFrame, index: PanelIndex) -> Presence:
    """Return who is seen when; years of nobody are left out."""
    seen = index.row != NO_ROW
    anybody = seen.any(axis=0)
    first_row = index.row[np.arange(len(seen)), seen.argmax(axis=1)]
    treated = panel["cohort"].notna().to_numpy()[first_row]
    years = index.first_year + np.flatnonzero(anybody)
    return Presence(years, seen[:, anybody], treated)


@dataclass(frozen=True)
class ThinYear:
    """Hold a year with few firms: theirs, those of the years around it, and who is absent.

    `around` has none of the thin years that follow each other with it; `is_half` says whether each
    of them has fewer than half of the firms of those around. `absent` counts the firms that are
    seen in every year around it, and not in it.
    """

    year: int
    n_firms: int
    around: dict[int, int]
    absent: int
    is_half: bool


def thin_years(present: Presence) -> list[ThinYear]:
    """Return the years with far fewer firms than those around them; at an end, the one beside."""
    seen, n_firms = present.seen, present.seen.sum(axis=0)
    found = []
    for place, thin in thin_places(n_firms).items():
        absent = int((seen[:, thin.beside].all(axis=1) & ~seen[:, place]).sum())
        around = {int(present.years[at]): int(n_firms[at]) for at in thin.beside}
        year = int(present.years[place])
        found.append(ThinYear(year, int(n_firms[place]), around, absent, thin.is_half))
    return found


@dataclass(frozen=True)
class ThinPlace:
    """Hold the places beside a thin one, or beside those that are thin with it."""

    beside: list[int]
    is_half: bool


def thin_places(counts: Codes) -> dict[int, ThinPlace]:
    """Return the places of a series of counts that are thin, ascending.

    One is where it, and each of a run of places with it, has too small a share of the average
    beside the run; the longest such run is taken. Half ones, and several, must be below both sides,
    and at an end have about as many as each other, so that numbers that go on rising or falling, or
    do so once and for good, are no gap.
    """
    found: dict[int, ThinPlace] = {}
    for is_half in (True, False):
        for length in range(len(counts) // 2, 0, -1):
            for start in range(len(counts) - length + 1):
                beside = _beside(start, length, len(counts))
                run = range(start, start + length)
                if beside and _is_thin(counts, run, beside, is_half):
                    for place in run:
                        found.setdefault(place, ThinPlace(beside, is_half))
    return dict(sorted(found.items()))


def _beside(start: int, length: int, n: int) -> list[int]:
    """Return the places beside a run; none where it is too long for an end of the series."""
    beside = [at for at in (start - 1, start + length) if 0 <= at < n]
    return beside if len(beside) > 1 or length <= _LONGEST_AT_END else []


def _is_thin(counts: Codes, run: range, beside: list[int], is_half: bool) -> bool:
    own, around = counts[list(run)], counts[beside]
    share = _HALF if is_half else _FEW if len(beside) > 1 else _FEW_AT_END
    few = around.mean() >= LEAST_FIRMS and own.max() < share * around.mean()
    dips = (len(run) == 1 and not is_half) or own.max() < around.min()
    if len(beside) == 1:
        level = own.min() >= _FEW_AT_END * own.max()
        gone_on = _gone_on(counts, run, beside[0]) if is_half else around.min()
        return bool(few and level and own.max() < share * gone_on)
    return bool(few and dips)


def _gone_on(counts: Codes, run: range, beside: int) -> float:
    """Return the number that an end would have if it went on as from beyond to the place beside.

    Where numbers shrink towards an end; else that of the place beside.
    """
    beyond = beside + (1 if beside > run[0] else -1)
    if not 0 <= beyond < len(counts) or counts[beyond] <= counts[beside]:
        return float(counts[beside])
    return float(counts[beside] ** 2 / counts[beyond])


def year_issues(present: Presence, accepted: Collection[int]) -> Iterator[Issue]:
    """Yield an issue for each year with few firms of all, else of a group; `accepted` are known."""
    whole = thin_years(present)
    for thin in whole:
        action = Reason("accepted" if thin.year in accepted else "not_filled")
        yield _of_year(HALF_YEAR if thin.is_half else FEW_FIRMS, thin, action)
    told = {thin.year for thin in whole}
    for code, group in ((FEW_TREATED, present.treated), (FEW_COMPARISON, ~present.treated)):
        for thin in thin_years(present.of(group)):
            if thin.year not in told:
                yield _of_year(code, thin, Reason("not_filled"))


def _of_year(code: str, thin: ThinYear, action: Reason) -> Issue:
    rule = Reason(code, {"year": thin.year})
    return Issue(rule, "year", action, thin.absent, thin.absent, thin.year, thin.year)


def file_issues(flows: pd.DataFrame) -> Iterator[Issue]:
    """Yield an issue for each year of a delivered file with far fewer firms than its neighbours.

    Files of one year, and one file alone, tell nothing that years do not. Which file it is stays
    in FIRM_FLOWS.
    """
    n_firms = flows.groupby(["source", "year"])["n_firms"].sum().unstack("source")
    if n_firms.shape[1] < 2:
        return
    for _, own in n_firms.items():
        years, counts = own.dropna().index.to_numpy(), own.dropna().to_numpy()
        for place, thin in thin_places(counts).items():
            year, lacking = int(years[place]), int(counts[thin.beside].mean() - counts[place])
            rule = Reason(FEW_IN_FILE, {"year": year})
            yield Issue(rule, "year", Reason("not_filled"), lacking, None, year, year)


def look_at_years(
    panel: pd.DataFrame, clean: CleanSection, treatment: TreatmentSection
) -> list[Issue]:
    """Return an issue for each year with few firms.

    Where firms must be seen in so many years, or in all, that is before it costs them: a year
    delivered in part would else cost them in silence. Raises DataError at half a year inside the
    window that params do not accept.
    """
    present = presence(panel, index_panel(panel))
    entry_years = panel["cohort"].dropna().unique().tolist()
    window = {entry + time for entry in entry_years for time in window_times(treatment)}
    accepted = "half_year" in (clean.coverage or CoverageGaps()).accept
    return list(year_issues(present, refuse_half_years(present, window, accepted)))


def refuse_half_years(present: Presence, window: Collection[int], accepted: bool) -> frozenset[int]:
    """Return the accepted years of the window with fewer than half of their neighbours' firms.

    Raises DataError where they are not accepted.
    """
    halves = [thin for thin in thin_years(present) if thin.is_half and thin.year in window]
    if halves and not accepted:
        raise DataError(_halves_told(halves))
    return frozenset(thin.year for thin in halves)


def _halves_told(halves: Sequence[ThinYear]) -> str:
    years = ", ".join(str(thin.year) for thin in halves)
    return (
        f"{'; '.join(map(_half_told, halves))}: was it delivered in part? Deliver it whole, or "
        f"take it out: clean.coverage.leave_out_years: [{years}], clean.window (first_year, "
        "last_year), treatment.window (event times without it), or clean.absent.flag where a "
        "column says which other rows are of absent firms; or go on as it is, said on the page: "
        "clean.coverage.accept: [half_year] (estimate.missing then says what becomes of firms "
        "without it)"
    )


def _half_told(thin: ThinYear) -> str:
    around = ", ".join(f"{year}: {n}" for year, n in thin.around.items())
    return (
        f"{thin.year} has {thin.n_firms} firms, fewer than half of those of the years around it "
        f"({around}); {thin.absent} firms seen there lack {thin.year}"
    )


def firm_issues(panel: pd.DataFrame, index: PanelIndex, present: Presence) -> Iterator[Issue]:
    """Yield issues on firms that are gone for one year and back, and that change their cluster."""
    seen = present.seen
    again = seen[:, :-2] & ~seen[:, 1:-1] & seen[:, 2:]
    yield from _by_firm(GONE_ONE_YEAR, "year", again, present.years[1:-1], Reason("not_filled"))
    moved = _changes(panel, index)
    years = index.first_year + np.arange(moved.shape[1])
    yield from _by_firm(CLUSTER_CHANGES, "cluster", moved, years, Reason("kept"))


def _changes(panel: pd.DataFrame, index: PanelIndex) -> Flags:
    """Mark where a firm's cluster differs from that of the last year in which it was seen."""
    code = np.append(pd.factorize(panel["cluster"])[0], -1)
    own = code[index.row]
    moved = np.zeros(own.shape, dtype=np.bool_)
    last = own[:, 0].copy()
    for place in range(1, own.shape[1]):
        now = own[:, place]
        moved[:, place] = (now >= 0) & (last >= 0) & (now != last)
        last = np.where(now >= 0, now, last)
    return moved


def _by_firm(
    code: str, column: str, marked: Flags, years: Codes, action: Reason
) -> Iterator[Issue]:
    """Yield an issue that counts marks (firms, years), firms with any, and their years."""
    if not marked.any():
        return
    firms = int(marked.any(axis=1).sum())
    concerned: Sequence[int] = years[marked.any(axis=0)].tolist()
    count = int(marked.sum())
    yield Issue(Reason(code), column, action, count, firms, concerned[0], concerned[-1])
