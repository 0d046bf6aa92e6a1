"""Averages of group-time effects: overall, by cohort, by calendar year, by event time.

Callaway & Sant'Anna (2021), doi:10.1016/j.jeconom.2020.12.001, section 3. Cohorts are weighted
by the mass of their treated firms, and standard errors include that these shares are estimated.
An average A = sum_k p_k theta_k / P has the influence

    sum_k (p_k / P) psi_k + sum_k s_k (theta_k - A) / P,

psi_k being the influence of theta_k and s_k the cluster's own part of p_k; the means that a
share's influence is centred on cancel.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.effects.counts import entry_years_note
from pipeline.effects.stacks import Floats
from pipeline.estimators.group_time.group_time import Cell, GroupTime
from pipeline.panel.panel_index import Codes


@dataclass(frozen=True)
class Average:
    """Hold one average and each cluster's influence on it, shape (G,).

    `lone`: in all that it averages one group lies in a single cluster, which leaves no influence.
    """

    term: str
    estimate: float
    influence: Floats
    cohort: int | None = None
    year: int | None = None
    event_time: int | None = None
    note: str | None = None
    lone: bool = False


def cell_effects(effects: GroupTime) -> list[Average]:
    """Return the estimated cells as they are, terms `att_gt[g,t]`."""
    return [
        Average(
            f"att_gt[{cell.cohort},{cell.year}]",
            cell.estimate,
            effects.influence[position],
            cohort=cell.cohort,
            year=cell.year,
            event_time=cell.event_time,
            lone=cell.lone,
        )
        for position, cell in enumerate(effects.cells)
        if cell.estimated
    ]


def simple_average(effects: GroupTime) -> Average | None:
    """Average all cells from entry on; cohorts that entered early count more often."""
    return _share_weighted(
        effects, "simple", _positions(effects, [c.event_time >= 0 for c in effects.cells])
    )


def event_averages(
    effects: GroupTime, name: str = "event", among: Sequence[Cell] | None = None
) -> list[Average]:
    """Average cohorts at each event time, over all cells or those `among`; terms `<name>[e]`."""
    wanted = effects.cells if among is None else among
    found = []
    for event_time in sorted({cell.event_time for cell in wanted}):
        here = {(c.cohort, c.year) for c in wanted if c.event_time == event_time}
        cells = _positions(effects, [(c.cohort, c.year) in here for c in effects.cells])
        mean = _share_weighted(effects, f"{name}[{event_time}]", cells)
        if mean is not None:
            years = [effects.cells[k].cohort for k in cells]
            note = entry_years_note(years, len(effects.cohorts))
            found.append(replace(mean, event_time=event_time, note=note))
    return found


def balanced_event_averages(effects: GroupTime, last_event_time: int) -> list[Average]:
    """Average, at each event time, the cohorts that are observed up to `last_event_time`."""
    return event_averages(effects, "event_balanced", balanced_cells(effects, last_event_time))


def balanced_cells(effects: GroupTime, last_event_time: int) -> list[Cell]:
    """Return the cells of cohorts that are observed up to `last_event_time`.

    Event times run to `last_event_time`, and start where the panel's length allows, so that the
    same cohorts stand behind every one from entry on.
    """
    years = [cell.year for cell in effects.cells]
    kept = {g for g in effects.cohorts if max(years) - g >= last_event_time}
    first = last_event_time - (max(years) - min(years))
    return [
        cell
        for cell in effects.cells
        if cell.cohort in kept and first <= cell.event_time <= last_event_time
    ]


def cohort_averages(effects: GroupTime) -> list[Average]:
    """Average each cohort's years from entry on, equally; terms `cohort[g]`."""
    found = []
    for cohort in effects.cohorts:
        after_entry = [c.cohort == cohort and c.event_time >= 0 for c in effects.cells]
        cells = _positions(effects, after_entry)
        if len(cells):
            parts = [_as_average(effects, position) for position in cells]
            mean = equal_average(parts, f"cohort[{cohort}]")
            found.append(replace(mean, cohort=cohort))
    return found


def mean_over_cohorts(effects: GroupTime, by_cohort: list[Average]) -> Average:
    """Average the cohorts' own averages by their shares; term `cohort_average`."""
    rows = np.array([effects.cohorts.index(a.cohort or 0) for a in by_cohort], dtype=np.intp)
    return _by_share(effects, "cohort_average", by_cohort, rows)


def year_averages(effects: GroupTime) -> list[Average]:
    """Average the cohorts that have entered, year by year; terms `year[t]`."""
    found = []
    for year in sorted({cell.year for cell in effects.cells}):
        entered = [c.year == year and c.event_time >= 0 for c in effects.cells]
        cells = _positions(effects, entered)
        mean = _share_weighted(effects, f"year[{year}]", cells)
        if mean is not None:
            found.append(replace(mean, year=year))
    return found


def equal_average(parts: Iterable[Average], term: str) -> Average:
    """Average with equal weights, which are known: no share is estimated."""
    listed = list(parts)
    estimate = float(np.mean([part.estimate for part in listed]))
    influence = np.mean([part.influence for part in listed], axis=0)
    return Average(term, estimate, influence, lone=all(part.lone for part in listed))


def _positions(effects: GroupTime, wanted: list[bool]) -> Codes:
    """Return the positions of the wanted cells that are estimated."""
    chosen = [cell.estimated and asked for cell, asked in zip(effects.cells, wanted, strict=True)]
    return np.asarray(np.flatnonzero(chosen), dtype=np.intp)


def _share_weighted(effects: GroupTime, term: str, cells: Codes) -> Average | None:
    if not len(cells):
        return None
    rows = np.array([effects.cohorts.index(effects.cells[k].cohort) for k in cells], dtype=np.intp)
    return _by_share(effects, term, [_as_average(effects, k) for k in cells], rows)


def _by_share(effects: GroupTime, term: str, parts: list[Average], cohort_row: Codes) -> Average:
    """Average parts by the shares of their cohorts, rows of `mass`."""
    mass = effects.mass.sum(axis=1)[cohort_row]
    total = mass.sum()
    values = np.array([part.estimate for part in parts])
    estimate = float(mass @ values / total)
    influence = np.zeros(effects.mass.shape[1])
    for part, share in zip(parts, mass / total, strict=True):
        influence += share * part.influence
    deviation = np.bincount(cohort_row, values - estimate, minlength=len(effects.cohorts))
    influence += (deviation / total) @ effects.mass
    return Average(term, estimate, influence, lone=all(part.lone for part in parts))


def _as_average(effects: GroupTime, position: int) -> Average:
    cell = effects.cells[position]
    return Average("", cell.estimate, effects.influence[position], lone=cell.lone)
