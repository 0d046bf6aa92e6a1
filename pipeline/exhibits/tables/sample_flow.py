"""The sample-flow table: what each rule cost, from raw rows to matched firms."""

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.table import HIDDEN, Cell, Column, Counts, Panel, Row, Table
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.language import retell, say

# Facts `design.name` that are added, or with a minus sign subtracted.
_Terms = tuple[str, ...]
# (label, treated firms, comparison firms); an indented label is a loss.
_Step = tuple[str, _Terms, _Terms]


def sample_flow(results: StudyResults) -> Table:
    """Return the cleaning steps, then the selection steps of every design."""
    firms = capitalised(results.settings.exhibit.firms)
    designs = ["unmatched", *results.settings.match.designs]
    panels = [
        Panel(
            say("sample_flow.cleaning"), tuple(_step(row) for row in _ordered(results.sample_flow))
        )
    ]
    panels += [panel for panel in [_risk_sets(results)] if panel.rows]
    panels += [panel for panel in (_selection(results, name) for name in designs) if panel.rows]
    return Table(
        columns=(
            Column(say("row.rows"), spanner=say("column.lost")),
            Column(firms, spanner=say("column.lost")),
            Column(say("row.rows"), spanner=say("column.left")),
            Column(firms, spanner=say("column.left")),
            Column(say("column.treated"), spanner=say("column.left")),
            Column(say("column.comparison"), spanner=say("column.left")),
        ),
        panels=tuple(panels),
        notes=_notes(results),
        source=results.settings.exhibit.source,
    )


def _ordered(flow: pd.DataFrame) -> list[dict[Hashable, Any]]:
    return list(flow.sort_values("step", kind="stable").to_dict("records"))


def _step(row: dict[Hashable, Any]) -> Row:
    names = (
        "firm_years_lost",
        "firms_lost",
        "firm_years",
        "firms",
        "treated_firms",
        "comparison_firms",
    )
    rule = str(row["rule"])
    cells = (HIDDEN if pd.isna(row[name]) else Counts((int(str(row[name])),)) for name in names)
    return Row(capitalised(retell(rule)), tuple(cells))


def _risk_sets(results: StudyResults) -> Panel:
    lost = "all.n_entrants_not_active"
    return _steps(
        results,
        say("sample_flow.risk_sets"),
        [
            (say("sample_flow.entrants"), ("all.n_entrants",), ()),
            (say("sample_flow.not_active"), (lost,), ()),
            (say("sample_flow.in_risk_set"), ("all.n_entrants", f"-{lost}"), ("all.n_candidates",)),
        ],
    )


def _selection(results: StudyResults, design: str) -> Panel:
    rules = results.settings.match.designs
    steps = _matching_steps(design, rules[design].score) if design in rules else _unmatched_steps()
    return _steps(
        results,
        say("sample_flow.selection", design_label=results.settings.design_label(design)),
        steps,
    )


def _unmatched_steps() -> list[_Step]:
    pool = "unmatched.n_comparison"
    return [
        (say("sample_flow.outside_pool"), (), ("all.n_candidates", f"-{pool}")),
        (say("sample_flow.in_design"), ("unmatched.n_treated",), (pool,)),
    ]


def _matching_steps(design: str, model: str) -> list[_Step]:
    """Return the steps from the risk sets to the design, each firm lost for one reason only."""
    lacking = [f"{model}.{group}_without_covariates" for group in ("treated", "comparison")]
    off = [f"{model}.{group}_off_support" for group in ("treated", "comparison")]
    pool, used = f"{design}.n_comparison", f"{design}.n_comparison_used"
    return [
        (say("sample_flow.outside_pool"), (), ("all.n_candidates", f"-{pool}", f"-{lacking[1]}")),
        (say("sample_flow.without_covariate"), (lacking[0],), (lacking[1],)),
        (say("sample_flow.off_support"), (off[0],), (off[1],)),
        (say("sample_flow.without_match"), (f"{design}.n_treated_unmatched", f"-{off[0]}"), ()),
        (say("sample_flow.not_used"), (), (pool, f"-{off[1]}", f"-{used}")),
        (say("sample_flow.in_design"), (f"{design}.n_treated_matched",), (used,)),
    ]


def _steps(results: StudyResults, title: str, steps: list[_Step]) -> Panel:
    rows = [_selection_row(results, step) for step in steps]
    return Panel(title, tuple(row for row in rows if any(cell is not None for cell in row.cells)))


def _selection_row(results: StudyResults, step: _Step) -> Row:
    label, treated, comparison = step
    counts = (_total(results, treated), _total(results, comparison))
    return Row(label, (None, None, None, None, *counts), indent=label[0].islower())


def _total(results: StudyResults, terms: _Terms) -> Cell:
    """Add signed facts; none where the first is unknown, an absent later one counts as 0."""
    if any(_is_hidden(results, term) for term in terms):
        return HIDDEN
    values = [_signed_fact(results, term) for term in terms]
    if not values or math.isnan(values[0]):
        return None
    return Counts((int(sum(value for value in values if not math.isnan(value))),))


def _is_hidden(results: StudyResults, term: str) -> bool:
    design, _, name = term.removeprefix("-").partition(".")
    return results.hidden(design, "all", name)


def _signed_fact(results: StudyResults, term: str) -> float:
    design, _, name = term.removeprefix("-").partition(".")
    value = results.fact(design, "all", name)
    return -value if term.startswith("-") else value


def _notes(results: StudyResults) -> tuple[str, ...]:
    firms = results.settings.exhibit.firms
    return (
        say("sample_flow.what_a_row_is", firms=firms),
        say("sample_flow.what_counts", firms=firms),
        say("sample_flow.reading", firms=firms),
    )
