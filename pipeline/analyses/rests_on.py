"""What analyses rest on beside the options of specs: who exits, limits, groupings, sizes."""

from collections.abc import Iterator

from pipeline.analyses.group_names import BY_GROUP
from pipeline.analyses.size_weighted import NAME as SIZE_WEIGHTED
from pipeline.analyses.survival import NAME as SURVIVAL
from pipeline.datasets.specs import NONE
from pipeline.effects.rows import ALL, Row
from pipeline.params.analyses import (
    Analyses,
    ColumnExit,
    Grouping,
    GroupsSection,
    LastYearExit,
    Size,
    SizeWeighted,
    Survival,
)


def rests_on(asked: Analyses, reference: int) -> Iterator[Row]:
    """Yield the rows of ANALYSES; columns without a date are of the `reference` event time."""
    if asked.survival is not None:
        yield from _survival(asked.survival)
    if asked.groups is not None:
        yield from _groups(asked.groups, reference)
    if asked.size_weighted is not None:
        yield from _sizes(asked.size_weighted, reference)


def _row(estimator: str, **own: object) -> Row:
    """Return a row that says nothing but what is its own."""
    return {
        "estimator": estimator,
        "outcome": ALL,
        "grouping": ALL,
        "exit_known_by": NONE,
        "least_years_absent": 0,
        "column": NONE,
        "column_event_time": None,
        "lowest": None,
        "highest": None,
        **own,
    }


def _survival(asked: Survival) -> Iterator[Row]:
    rule = asked.exit
    yield _row(
        SURVIVAL,
        exit_known_by=rule.known_by,
        least_years_absent=rule.least_years_absent if isinstance(rule, LastYearExit) else 0,
        column=rule.column if isinstance(rule, ColumnExit) else NONE,
    )
    for outcome, limits in asked.limits.items():
        yield _row(SURVIVAL, outcome=outcome, lowest=limits.lowest, highest=limits.highest)


def _groups(asked: GroupsSection, reference: int) -> Iterator[Row]:
    """Yield groupings by a column; what groups they make is in GROUPS."""
    for name, grouping in asked.by.items():
        if grouping.column is not None:
            at = _dated(grouping, reference)
            yield _row(BY_GROUP, grouping=name, column=grouping.column, column_event_time=at)


def _sizes(asked: SizeWeighted, reference: int) -> Iterator[Row]:
    for name, size in asked.by.items():
        at = _dated(size, reference)
        yield _row(SIZE_WEIGHTED, grouping=name, column=size.column, column_event_time=at)


def _dated(read: Grouping | Size, reference: int) -> int:
    return reference if read.at is None else read.at
