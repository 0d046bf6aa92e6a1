"""What cells before entry say of pre-trends: the joint test, and the trends that it would find."""

from dataclasses import replace

import numpy as np

from pipeline.effects.description import Fact
from pipeline.effects.normal_rows import Behind, normal_rows
from pipeline.effects.rows import ALL_MATCHED_ON, NO_PRE_YEAR, Label, Row, test_row
from pipeline.estimators.group_time.group_time import Cell, GroupTime
from pipeline.estimators.group_time.group_time_averages import Average, cell_effects, event_averages
from pipeline.inference.covariance import chi_squared_test
from pipeline.inference.detectable import Leads, slope_facts


def group_time_pre_test(
    label: Label,
    effects: GroupTime,
    anticipation_years: int,
    matched: frozenset[int] = frozenset(),
) -> Row:
    """Return the joint test that all cells before entry and anticipation are zero.

    `matched` are the event times that the design matched on, alike by construction: their cells are
    left out. So are cells without a standard error, which are counted.
    """
    every = _cells_before(effects, anticipation_years, frozenset())
    before = _cells_before(effects, anticipation_years, matched)
    if not before:
        return test_row(label, "pre_trends", note=ALL_MATCHED_ON if every else NO_PRE_YEAR)
    rows = normal_rows(label, behind(effects), [part for _, part in before])
    known = _with_errors(before, rows)
    tested = f"{len(known) or len(before)} effects of cohorts and years before entry"
    if not known:
        return test_row(label, "pre_trends", note=f"{tested}: {rows[0]['note']}")
    influence = effects.influence[known]
    estimates = np.array([effects.cells[position].estimate for position in known])
    test = chi_squared_test(estimates, influence @ influence.T)
    if len(known) < len(before):
        tested += f", {len(before) - len(known)} without a standard error left out"
    if len(before) < len(every):
        tested += f", {len(every) - len(before)} matched on left out"
    if np.isnan(test.statistic):
        tested += f": no joint test with {effects.counts.n_clusters} clusters"
    return test_row(label, "pre_trends", note=tested, **vars(test))


def group_time_slopes(
    label: Label,
    effects: GroupTime,
    anticipation_years: int,
    matched: frozenset[int] = frozenset(),
) -> list[Fact]:
    """Return the slopes of a linear pre-trend that the joint test, or one year, would have found.

    The joint test is of the cells of `group_time_pre_test`; a single year is an event time, as
    readers see it. A slope adds to a cell the years between it and its base year: all of them up to
    entry under the universal base, one under the varying base, whose power is hence that against a
    constant yearly change.
    """
    before = _cells_before(effects, anticipation_years, matched)
    rows = normal_rows(label, behind(effects), [part for _, part in before])
    known = _with_errors(before, rows)
    if not known:
        return []
    tested_times = {effects.cells[position].event_time for position in known}
    years = replace(effects, cells=tuple(_span(cell) for cell in effects.cells))
    spans = np.array([years.cells[position].estimate for position in known])
    influence = effects.influence[known]
    tested = Leads(spans, influence @ influence.T)
    times = [
        (by_year.estimate, event.influence)
        for by_year, event in zip(event_averages(years), event_averages(effects), strict=True)
        if event.event_time in tested_times
    ]
    averaged = np.array([part for _, part in times])
    single = Leads(np.array([span for span, _ in times]), averaged @ averaged.T)
    return slope_facts(label, tested, single, np.inf)


def _cells_before(
    effects: GroupTime, anticipation_years: int, matched: frozenset[int]
) -> list[tuple[int, Average]]:
    """Return the cells before entry and anticipation, by position, but for those `matched` on.

    A short difference is one of them if both of its years are.
    """
    estimated = [position for position, cell in enumerate(effects.cells) if cell.estimated]
    alike = matched | {-1 - anticipation_years} if matched else matched
    return [
        (position, part)
        for position, part in zip(estimated, cell_effects(effects), strict=True)
        if (cell := effects.cells[position]).event_time < -anticipation_years
        and not (cell.event_time in matched and (cell.base_year or 0) - cell.cohort in alike)
    ]


def _with_errors(cells: list[tuple[int, Average]], rows: list[Row]) -> list[int]:
    """Return the positions of cells whose rows have a standard error."""
    return [at for (at, _), row in zip(cells, rows, strict=True) if row["std_error"] > 0]


def _span(cell: Cell) -> Cell:
    """Return the cell with the years from its base year in the place of its estimate."""
    return cell if cell.base_year is None else replace(cell, estimate=cell.year - cell.base_year)


def behind(effects: GroupTime) -> Behind:
    """Return what stands behind the averages of the cells."""
    return Behind(effects.counts, effects.largest)
