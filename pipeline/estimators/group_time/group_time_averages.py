"""Averages of group-time effects: overall, by cohort, by calendar year, by event time.

Callaway & Sant'Anna (2021), doi:10.1016/j.jeconom.2020.12.001, section 3. Cohorts are weighted
by the mass of their treated firms, and standard errors include that these shares are estimated.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from pipeline.effects.estimated import Estimated, Shares, combined, share_weights
from pipeline.effects.event_averages import NOTHING_AFTER_ENTRY, without_estimate
from pipeline.effects.terms import Term, event
from pipeline.errors import Reason
from pipeline.estimators.group_time.group_time import REFERENCE, Cell, GroupTime
from pipeline.estimators.stacked import entry_years_only

SIMPLE, COHORT_AVERAGE = Term("simple"), Term("cohort_average")


def simple_average(found: GroupTime, term: Term = SIMPLE) -> Estimated:
    """Average all cells from entry on; cohorts that entered early count more often."""
    chosen = [i for i, cell in enumerate(found.estimated) if cell.event_time >= 0]
    if not chosen:
        return without_estimate(found.effects, term, NOTHING_AFTER_ENTRY)
    return _by_share(found, [term], [chosen])


def event_averages(
    found: GroupTime, family: str = "event", among: Sequence[Cell] | None = None
) -> Estimated:
    """Average cohorts at each event time, over all cells or those `among`; terms of a family."""
    wanted = found.cells if among is None else among
    places = {(cell.cohort, cell.year) for cell in wanted}
    own = [(c.cohort, c.year) in places for c in found.estimated]
    times = sorted({c.event_time for c, is_own in zip(found.estimated, own, strict=True) if is_own})
    chosen = [
        [i for i, cell in enumerate(found.estimated) if own[i] and cell.event_time == time]
        for time in times
    ]
    terms = [event(time, family) for time in times]
    years = [[found.estimated[i].cohort for i in cells] for cells in chosen]
    named = zip(terms, years, strict=True)
    remarks = {term: entry_years_only(of, len(found.cohorts)) for term, of in named}
    without = {
        event(cell.event_time, family): cell.reason
        for cell in reversed(wanted)
        if cell.event_time not in times and cell.reason is not None
    }
    averages = replace(_by_share(found, terms, chosen), remarks=remarks)
    return _with_missing(averages, without)


def balanced_cells(found: GroupTime, last_event_time: int) -> list[Cell]:
    """Return the cells of cohorts that are observed up to `last_event_time`.

    Event times run to `last_event_time`, and start where the panel's length allows, so that the
    same cohorts stand behind every one from entry on.
    """
    years = [cell.year for cell in found.cells]
    kept = {g for g in found.cohorts if max(years) - g >= last_event_time}
    first = last_event_time - (max(years) - min(years))
    return [
        cell
        for cell in found.cells
        if cell.cohort in kept and first <= cell.event_time <= last_event_time
    ]


def cohort_averages(found: GroupTime) -> Estimated:
    """Average each cohort's years from entry on, equally."""
    cells = found.estimated
    chosen = {
        g: [i for i, cell in enumerate(cells) if cell.cohort == g and cell.event_time >= 0]
        for g in found.cohorts
    }
    known = {g: positions for g, positions in chosen.items() if positions}
    weights = np.zeros((len(cells), len(known)))
    for column, positions in enumerate(known.values()):
        weights[positions, column] = 1 / len(positions)
    terms = [Term("cohort", cohort=g) for g in known]
    averages = combined(found.effects, terms, weights)
    return _with_missing(averages, _without(found, known, lambda c: Term("cohort", c.cohort)))


def mean_over_cohorts(
    found: GroupTime, by_cohort: Estimated, term: Term = COHORT_AVERAGE
) -> Estimated:
    """Average the cohorts' own averages by their shares."""
    if not by_cohort.terms:
        return without_estimate(found.effects, term, NOTHING_AFTER_ENTRY)
    shares = _shares(found, [t.cohort for t in by_cohort.terms])
    weights = share_weights(shares, range(len(by_cohort.terms)))[:, None]
    return combined(by_cohort, [term], weights, shares=shares)


def year_averages(found: GroupTime) -> Estimated:
    """Average the cohorts that have entered, year by year."""
    cells = found.estimated
    years = sorted({cell.year for cell in cells if cell.event_time >= 0})
    chosen = [
        [i for i, cell in enumerate(cells) if cell.year == year and cell.event_time >= 0]
        for year in years
    ]
    averages = _by_share(found, [Term("year", year=year) for year in years], chosen)
    without = _without(found, years, lambda cell: Term("year", year=cell.year))
    return _with_missing(averages, without)


def _by_share(found: GroupTime, terms: list[Term], chosen: list[list[int]]) -> Estimated:
    """Average chosen cells, one list for each term, by the shares of their cohorts."""
    shares = _shares(found, [cell.cohort for cell in found.estimated])
    weights = np.zeros((len(found.estimated), len(terms)))
    for column, positions in enumerate(chosen):
        weights[:, column] = share_weights(shares, positions)
    return combined(found.effects, terms, weights, shares=shares)


def _shares(found: GroupTime, cohorts: Sequence[int | None]) -> Shares:
    group = [found.cohorts.index(cohort or 0) for cohort in cohorts]
    return Shares(found.mass, np.array(group, dtype=np.intp))


def _without(
    found: GroupTime, known: Sequence[int] | dict[int, list[int]], term: Callable[[Cell], Term]
) -> dict[Term, Reason]:
    """Return the reasons of cohorts or years from entry on none of whose cells is estimated."""
    return {
        term(cell): cell.reason
        for cell in reversed(found.cells)
        if cell.event_time >= 0
        and cell.reason is not None
        and not {term(cell).cohort, term(cell).year} & set(known)
    }


def _with_missing(averages: Estimated, without: dict[Term, Reason]) -> Estimated:
    """Add terms that are zero by construction, and those without an estimate."""
    zeros = {term: why for term, why in without.items() if why == REFERENCE}
    return replace(
        averages, zeros=zeros, reasons={t: w for t, w in without.items() if t not in zeros}
    )
