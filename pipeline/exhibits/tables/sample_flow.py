"""The sample-flow table: what each rule cost, from raw rows to matched firms."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.datasets.matches import LOSSES, MATCHED, UNMATCHED
from pipeline.datasets.panel import NOT_IN_PANEL
from pipeline.datasets.selection import SCORE_LOSSES, STACKS
from pipeline.exhibits.details import Details, Figure
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import Ran, matching_designs, score_ran
from pipeline.exhibits.tables.table import (
    HIDDEN,
    Cell,
    Panel,
    Row,
    Table,
    TableColumn,
    WholeNumbers,
)
from pipeline.exhibits.words.beneficiaries import why_not_in_panel
from pipeline.exhibits.words.designs import capitalised, out_of_contact
from pipeline.exhibits.words.in_full import either
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.steps import step_words

# A figure, and those to take off it.
_Count = tuple[Figure, ...]


@dataclass(frozen=True)
class _Step:
    """Hold what one step says, and how many treated and comparison firms it leaves or loses."""

    label: str
    treated: _Count | None
    comparison: _Count | None
    is_loss: bool = False


def sample_flow(results: StudyResults) -> Table:
    """Return the cleaning steps, then the selection steps of every design."""
    firms = capitalised(results.settings.exhibit.firms)
    designs = ["unmatched", *matching_designs(results)]
    cleaning = (*_not_in_panel(results), *cleaning_rows(results))
    panels = [Panel(say("sample_flow.cleaning"), cleaning)]
    steps = [risk_set_steps(results), *(selection_steps(results, name) for name in designs)]
    panels += [panel for panel in steps if panel.rows]
    return Table(
        columns=(
            TableColumn(say("row.rows"), spanner=say("column.lost")),
            TableColumn(firms, spanner=say("column.lost")),
            TableColumn(say("row.rows"), spanner=say("column.left")),
            TableColumn(firms, spanner=say("column.left")),
            TableColumn(say("column.treated"), spanner=say("column.left")),
            TableColumn(say("column.comparison"), spanner=say("column.left")),
        ),
        panels=tuple(panels),
        notes=_notes(results),
        source=results.settings.exhibit.source,
    )


def _not_in_panel(results: StudyResults) -> list[Row]:
    """Return the beneficiaries that the panel lacks, where the register has such."""
    lost = results.issues[results.issues["rule"] == NOT_IN_PANEL]["count"]
    cells = [HIDDEN if pd.isna(count) else WholeNumbers((int(count),)) for count in lost]
    said = why_not_in_panel(results)
    label = (
        say("sample_flow.not_in_panel_because", said=said)
        if said
        else say("sample_flow.not_in_panel")
    )
    return [Row(label, (None, cell, None, None, None, None), indent=True) for cell in cells]


def cleaning_rows(results: StudyResults) -> tuple[Row, ...]:
    """Return one row a cleaning step, with what it loses and leaves."""
    ordered = results.sample_flow.sort_values("step", kind="stable")
    rows = ordered.to_dict("records")
    return tuple(_step(*step) for step in zip(step_words(ordered), rows, strict=True))


def _step(label: str, row: dict[Hashable, Any]) -> Row:
    names = (
        "firm_years_lost",
        "firms_lost",
        "firm_years",
        "firms",
        "treated_firms",
        "comparison_firms",
    )
    cells = (
        HIDDEN if pd.isna(row[name]) else WholeNumbers((int(str(row[name])),)) for name in names
    )
    return Row(label, tuple(cells))


def risk_set_steps(results: StudyResults) -> Panel:
    """Return the steps from the panel to the risk sets; losses are indented."""
    entrants, lost, candidates = (
        results.details.total(STACKS, name)
        for name in ("n_entrants", "n_entrants_not_active", "n_candidates")
    )
    return _steps(
        say("sample_flow.risk_sets"),
        [
            _Step(say("sample_flow.entrants"), (entrants,), None),
            _Step(say("sample_flow.not_active"), (lost,), None, is_loss=True),
            _Step(say("sample_flow.in_risk_set"), (entrants, lost), (candidates,)),
        ],
    )


def selection_steps(results: StudyResults, design: str) -> Panel:
    """Return the steps from the risk sets to a design; losses are indented."""
    details = results.details
    steps = (
        _unmatched_steps(details)
        if design == "unmatched"
        else _matching_steps(details, design, score_ran(results, design))
    )
    label = results.settings.design_label(design)
    return _steps(say("sample_flow.selection", design_label=label), steps)


def _unmatched_steps(details: Details) -> list[_Step]:
    treated, pool = (
        details.figure(MATCHED, name, design="unmatched", stack="all")
        for name in ("n_treated", "n_comparison")
    )
    candidates = details.total(STACKS, "n_candidates")
    return [
        _Step(say("sample_flow.outside_pool"), None, (candidates, pool), is_loss=True),
        _Step(say("sample_flow.in_design"), (treated,), (pool,)),
    ]


def _matching_steps(details: Details, design: str, model: Ran) -> list[_Step]:
    """Return the steps from the risk sets to the design, each firm lost for one reason only."""
    lacking, untreated, off = (
        [
            details.total(SCORE_LOSSES, name, model=model.code("model"), treated=group)
            for group in (True, False)
        ]
        for name in ("n_without_covariates", "n_in_untreated_categories", "n_off_support")
    )
    pool, used, matched = (
        details.figure(MATCHED, name, design=design, stack="all")
        for name in ("n_comparison", "n_comparison_used", "n_treated_matched")
    )
    unmatched = details.figure(LOSSES, "n_firms", design=design, stack="all", reason=UNMATCHED)
    candidates = details.total(STACKS, "n_candidates")
    return [
        _Step(
            say("sample_flow.outside_pool"),
            None,
            (candidates, pool, lacking[1], untreated[1]),
            is_loss=True,
        ),
        _Step(say("sample_flow.without_covariate"), (lacking[0],), (lacking[1],), is_loss=True),
        *_untreated_categories(model, untreated[1]),
        _Step(say("sample_flow.off_support"), (off[0],), (off[1],), is_loss=True),
        _Step(say("sample_flow.without_match"), (unmatched, off[0]), None, is_loss=True),
        _Step(say("sample_flow.not_used"), None, (pool, off[1], used), is_loss=True),
        _Step(say("sample_flow.in_design"), (matched,), (used,)),
    ]


def _untreated_categories(model: Ran, lost: Figure) -> list[_Step]:
    """Return who left for a category without a treated firm, where the model leaves them out."""
    if model.code("untreated_categories") != "leave_out":
        return []
    return [_Step(say("sample_flow.untreated_category"), None, (lost,), is_loss=True)]


def _steps(title: str, steps: list[_Step]) -> Panel:
    rows = [_selection_row(step) for step in steps]
    return Panel(title, tuple(row for row in rows if any(cell is not None for cell in row.cells)))


def _selection_row(step: _Step) -> Row:
    counts = (_left(step.treated), _left(step.comparison))
    return Row(step.label, (None, None, None, None, *counts), indent=step.is_loss)


def _left(count: _Count | None) -> Cell:
    """Return what is left; none where the first figure is unknown, an absent later one is 0."""
    if count is None:
        return None
    first, *lost = count
    if any(figure.hidden for figure in count):
        return HIDDEN
    if not first.known:
        return None
    return WholeNumbers((int(first.value - sum(figure.value for figure in lost if figure.known)),))


def _notes(results: StudyResults) -> tuple[str, ...]:
    firms = results.settings.exhibit.firms
    return (
        say("sample_flow.what_a_row_is", firms=firms),
        say("sample_flow.what_counts", firms=firms),
        *_of_arm(results),
        *either(
            results,
            full=[say("sample_flow.reading", firms=firms)],
            short=[say("short_notes.losses")],
        ),
    )


def _of_arm(results: StudyResults) -> list[str]:
    """Say of which arm entrants are, and who is compared with them; nothing without arms."""
    without = out_of_contact(results)
    if without is None or results.arm is None:
        return []
    arm = results.settings.arm_label(results.arm)
    return [say(f"sample_flow.out_of_contact_{without}", arm=arm)]
