"""Who is exposed to participants, by class, and who is in which arm: counts."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

from pipeline.datasets.exposure import CLEAN
from pipeline.exhibits.arms import given_up
from pipeline.exhibits.details import known_or_nan
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import arms_ran
from pipeline.exhibits.tables.table import (
    HIDDEN,
    Cell,
    Magnitude,
    Number,
    Panel,
    Row,
    Table,
    TableColumn,
    WholeNumbers,
)
from pipeline.exhibits.units import percentage_points
from pipeline.exhibits.words.arms import class_words, exposure_words
from pipeline.exhibits.words.beneficiaries import told_count
from pipeline.exhibits.words.language import say, tell

_Record = Mapping[Hashable, Any]

# Columns of counts by heading, in the order of the table.
_COUNTS = {
    "exposed.cells": "n_cells",
    "exposed.entered": "n_entered",
    "exposed.stronger": "n_stronger",
    "exposed.participants": "n_participants",
}
# Shown where a study has several exposures.
_ALSO = {"exposed.also": "n_also"}
_FLOW = {
    "arm_flow.listed": "n_listed",
    "arm_flow.joint": "n_joint",
    "arm_flow.after_another": "n_after_another",
    "arm_flow.entrants": "n_entrants",
    "arm_flow.until": "n_until",
}


def exposed_tables(results: StudyResults) -> list[Table]:
    """Return the firms in each class of every exposure; none where a study has no exposure."""
    table = results.exposed
    if table is None or table.empty or not results.arms:
        return []
    by_exposure: dict[str, list[_Record]] = {}
    for row in table.to_dict("records"):
        by_exposure.setdefault(str(row["exposure"]), []).append(row)
    counts = _COUNTS | (_ALSO if len(by_exposure) > 1 else {})
    heads = ("exposed.firms", "exposed.share", "exposed.mean", *counts)
    return [
        Table(
            columns=tuple(TableColumn(say(head)) for head in heads),
            panels=tuple(_panel(results, name, rows, counts) for name, rows in by_exposure.items()),
            notes=(
                say("exposed.what_is_shown"),
                *([say("exposed.also_reached")] if len(by_exposure) > 1 else []),
                *_outside(results, by_exposure),
            ),
            source=results.settings.exhibit.source,
        )
    ]


def _outside(results: StudyResults, by_exposure: Mapping[str, list[_Record]]) -> list[str]:
    """Say how many firms each exposure reaches that are not of those asked."""
    counts = {
        name: sum(known_or_nan(row["n_outside"]) for row in rows)
        for name, rows in by_exposure.items()
    }
    told = [
        f"{results.settings.arm_label(name)}, {told_count(results, count)}"
        for name, count in counts.items()
        if count != 0
    ]
    return [say("exposed.outside", counts="; ".join(told))] if told else []


def _panel(
    results: StudyResults, name: str, rows: list[_Record], counts: Mapping[str, str]
) -> Panel:
    """Return the classes of one exposure, the clean firms last."""
    ordered = sorted(rows, key=lambda row: (row["class"] == CLEAN, row["class"]))
    title = exposure_words(results, name, str(rows[0]["measure"]))
    return Panel(title, tuple(_row(results, row, counts) for row in ordered))


def _row(results: StudyResults, row: _Record, columns: Mapping[str, str]) -> Row:
    clean = row["class"] == CLEAN
    share, mean = known_or_nan(row["share"]), known_or_nan(row["mean"])
    counts = [None if clean else _count(row[column]) for column in columns.values()]
    if clean:
        counts[0] = _count(row["n_cells"])
    cells: tuple[Cell, ...] = (
        _count(row["n_firms"]),
        HIDDEN if math.isnan(share) else Number(percentage_points(share), 1),
        None if clean else HIDDEN if math.isnan(mean) else Magnitude(mean),
        *counts,
    )
    return Row(class_words(results, row), cells)


def _count(value: Any) -> Cell:
    count = known_or_nan(value)
    return HIDDEN if math.isnan(count) else WholeNumbers((int(count),))


def arm_flow_tables(results: StudyResults) -> list[Table]:
    """Return what became of the firms that each arm names; none where a study has one arm."""
    table = results.arm_flow
    if table is None or not results.arms:
        return []
    by_arm = {str(row["arm"]): row for row in table.to_dict("records")}
    named = [arm for arm in arms_ran(results) if arm in by_arm]
    rows = [
        Row(
            results.settings.arm_label(arm),
            tuple(_count(by_arm[arm][column]) for column in _FLOW.values()),
        )
        for arm in named
    ]
    return [
        Table(
            columns=tuple(TableColumn(say(head)) for head in _FLOW),
            panels=(Panel("", tuple(rows)),),
            notes=(say("arm_flow.what_is_shown"), *_given_up(results)),
            source=results.settings.exhibit.source,
        )
    ]


def _given_up(results: StudyResults) -> list[str]:
    """Say which arms have no results, and why."""
    told = [
        f"{results.settings.arm_label(arm)}: {tell(reason)}"
        for arm, reason in given_up(results).items()
    ]
    return [say("arm_flow.given_up", reasons="; ".join(told))] if told else []
