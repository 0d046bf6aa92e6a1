"""The recovery table: estimates beside the true effect, where the truth is known."""

import math

import pandas as pd

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.panels import panel_label, panel_position
from pipeline.exhibits.tables.table import (
    Cell,
    Panel,
    Row,
    Table,
    TableColumn,
    align_decimals,
    number_cell,
)
from pipeline.exhibits.units import shown_error, shown_value, unit_words
from pipeline.exhibits.words.in_full import in_full
from pipeline.exhibits.words.language import say


def recovery_tables(results: StudyResults) -> list[Table]:
    """Return the table where the truth is known; else none."""
    return [] if results.recovery is None else [recovery_table(results, results.recovery)]


def recovery_table(results: StudyResults, recovery: pd.DataFrame) -> Table:
    """Return one panel an outcome, one row a spec and design, for the average effect.

    `recovery` has outcome, design, estimator, term, truth, estimate, std_error; errors are
    (estimate - truth), and the same over the standard error.
    """
    average = recovery[recovery["term"] == "att"]
    panels = []
    for name, outcome in results.settings.outcomes.root.items():
        rows = average[average["outcome"] == name]
        if len(rows):
            panels.append(
                Panel(
                    f"{results.plain_name(name)} ({unit_words(outcome.scale)})",
                    _rows(results, rows),
                )
            )
    table = Table(
        columns=(
            TableColumn(say("recovery.true_effect")),
            TableColumn(say("column.estimate")),
            TableColumn(say("row.std_error")),
            TableColumn(say("recovery.error")),
            TableColumn(say("recovery.error_in_std_errors")),
        ),
        panels=tuple(panels),
        notes=_notes(results),
        source=results.settings.exhibit.source,
    )
    return align_decimals(table)


def _rows(results: StudyResults, rows: pd.DataFrame) -> tuple[Row, ...]:
    name = str(rows["outcome"].iloc[0])
    scale, decimals = results.settings.outcome(name).scale, results.decimals[name]
    order = sorted(
        rows.itertuples(),
        key=lambda row: _position(results, str(row.design), str(row.estimator)),
    )
    return tuple(
        Row(
            panel_label(results, str(row.design), str(row.estimator)),
            _cells(
                shown_value(float(str(row.truth)), scale),
                shown_value(float(str(row.estimate)), scale),
                shown_error(float(str(row.std_error)), float(str(row.estimate)), scale),
                decimals,
            ),
        )
        for row in order
    )


def _position(results: StudyResults, design: str, spec: str) -> tuple[int, int, int]:
    """Order rows as the main table's panels, the others as specs name designs and each other."""
    specs = results.settings.estimate.specs
    designs = list(dict.fromkeys(name for each in specs for name in each.designs))
    names = [each.name for each in specs]
    return panel_position(results, design, spec), designs.index(design), names.index(spec)


def _cells(truth: float, estimate: float, std_error: float, decimals: int) -> tuple[Cell, ...]:
    error = estimate - truth
    return (
        number_cell(truth, decimals),
        number_cell(estimate, decimals),
        number_cell(std_error, decimals),
        number_cell(error, decimals),
        number_cell(error / std_error if std_error > 0 else math.nan, 1),
    )


def _notes(results: StudyResults) -> tuple[str, ...]:
    return (
        say("recovery.truth"),
        *in_full(results, say("recovery.one_sample")),
        say("recovery.selection_on_growth"),
    )
