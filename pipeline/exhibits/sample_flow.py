"""The sample-flow table: what each rule cost, from raw rows to matched firms."""

import math
from collections.abc import Hashable

import pandas as pd

from pipeline.exhibits.design_words import capitalised
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.table import Cell, Column, Counts, Panel, Row, Table

# (label, facts of treated firms, facts of comparison firms); several facts are added up.
_Step = tuple[str, tuple[str, ...], tuple[str, ...]]


def sample_flow(results: StudyResults) -> Table:
    """Return the cleaning steps, then the selection steps of every design."""
    firms = capitalised(results.settings.exhibit.firms)
    designs = ["unmatched", *results.settings.match.designs]
    panels = [Panel("Cleaning", tuple(_step(row) for row in _ordered(results.sample_flow)))]
    panels += [panel for panel in (_selection(results, name) for name in designs) if panel.rows]
    return Table(
        columns=(
            Column("Rows", spanner="Lost"),
            Column(firms, spanner="Lost"),
            Column("Rows", spanner="Left"),
            Column(firms, spanner="Left"),
            Column("Treated", spanner="Left"),
            Column("Comparison", spanner="Left"),
        ),
        panels=tuple(panels),
        notes=_notes(results),
        source=results.settings.exhibit.source,
    )


def _ordered(flow: pd.DataFrame) -> list[dict[Hashable, object]]:
    return list(flow.sort_values("step", kind="stable").to_dict("records"))


def _step(row: dict[Hashable, object]) -> Row:
    names = (
        "firm_years_lost",
        "firms_lost",
        "firm_years",
        "firms",
        "treated_firms",
        "comparison_firms",
    )
    rule = str(row["rule"])
    return Row(capitalised(rule), tuple(Counts((int(str(row[name])),)) for name in names))


def _selection(results: StudyResults, design: str) -> Panel:
    if design in results.settings.match.designs:
        steps = _matching_steps(design, results.settings.match.designs[design].score)
    else:
        steps = [("In the design", (f"{design}.n_treated",), (f"{design}.n_comparison",))]
    rows = [_selection_row(results, step) for step in steps]
    shown = [row for row in rows if any(cell is not None for cell in row.cells)]
    return Panel(f"Selection: {results.settings.design_label(design)}", tuple(shown))


def _matching_steps(design: str, model: str) -> list[_Step]:
    """Return the steps from the risk sets to the design; indented labels are losses."""
    treated_lacking = f"{model}.treated_without_covariates"
    comparison_lacking = f"{model}.comparison_without_covariates"
    return [
        (
            "In a risk set",
            (f"{design}.n_treated", treated_lacking),
            (f"{design}.n_comparison", comparison_lacking),
        ),
        ("without a covariate", (treated_lacking,), (comparison_lacking,)),
        (
            "off common support",
            (f"{model}.treated_off_support",),
            (f"{model}.comparison_off_support",),
        ),
        ("off support or without a match", (f"{design}.n_treated_unmatched",), ()),
        ("In the design", (f"{design}.n_treated_matched",), (f"{design}.n_comparison_used",)),
    ]


def _selection_row(results: StudyResults, step: _Step) -> Row:
    label, treated, comparison = step
    counts = (_total(results, treated), _total(results, comparison))
    return Row(label, (None, None, None, None, *counts), indent=label[0].islower())


def _total(results: StudyResults, names: tuple[str, ...]) -> Cell:
    """Add facts given as `design.name`; an absent one counts as none lost."""
    values = [results.fact(design, "all", name) for design, _, name in map(_parts, names)]
    known = [value for value in values if not math.isnan(value)]
    return Counts((int(sum(known)),)) if known else None


def _parts(name: str) -> tuple[str, str, str]:
    return name.partition(".")


def _notes(results: StudyResults) -> tuple[str, ...]:
    firms = results.settings.exhibit.firms
    return (
        f"A row is one of the {firms} in one year. In cleaning, comparison {firms} are the "
        "never-treated.",
        "Selection counts units over entry years: a comparison unit that serves two entry years "
        "counts twice before matching.",
        "Indented rows are losses.",
    )
