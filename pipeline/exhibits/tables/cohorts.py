"""The cohort table: who entered when, and how many of them the headline design keeps."""

from pipeline.datasets.matches import MATCHED
from pipeline.datasets.selection import STACKS
from pipeline.datasets.store import Dataset
from pipeline.exhibits.details import Figure
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.table import (
    HIDDEN,
    Cell,
    Magnitude,
    Panel,
    Row,
    Table,
    TableColumn,
    WholeNumbers,
)
from pipeline.exhibits.words.in_full import either
from pipeline.exhibits.words.language import say

# Heading, the table that has the column, and its name there.
_COLUMNS = (
    ("sample_flow.entrants", STACKS, "n_entrants"),
    ("cohorts.candidates", STACKS, "n_candidates"),
    ("column.treated", MATCHED, "n_treated_matched"),
    ("column.comparison", MATCHED, "n_comparison_used"),
    ("cohorts.effective_comparison", MATCHED, "ess"),
)


def cohorts_table(results: StudyResults) -> Table:
    """Return one row an entry year, and their sum."""
    rows = [Row(str(year), _cells(results, year)) for year in entry_years(results)]
    total = Row(say("row.all_entry_years"), _cells(results, None))
    return Table(
        columns=tuple(
            TableColumn(
                say(heading), spanner=say("sample_flow.in_design") if table is MATCHED else ""
            )
            for heading, table, _ in _COLUMNS
        ),
        panels=(Panel("", tuple(rows)),),
        foot=(total,),
        notes=_notes(results),
        source=results.settings.exhibit.source,
    )


def entry_years(results: StudyResults) -> list[int]:
    """Return the entry years of the study, ascending."""
    return sorted(int(year) for year in results.details.of(STACKS)["stack"])


def _cells(results: StudyResults, year: int | None) -> tuple[Cell, ...]:
    """Return the cells of one entry year, or of all together."""
    return tuple(_cell(_figure(results, table, name, year), name) for _, table, name in _COLUMNS)


def _figure(results: StudyResults, table: Dataset, name: str, year: int | None) -> Figure:
    if table is STACKS:
        found = results.details.total(STACKS, name)
        return found if year is None else results.details.figure(STACKS, name, stack=year)
    design = results.settings.estimate.headline.design
    stack = "all" if year is None else str(year)
    return results.details.figure(MATCHED, name, design=design, stack=stack)


def _cell(figure: Figure, name: str) -> Cell:
    if figure.hidden:
        return HIDDEN
    if not figure.known:
        return None
    return Magnitude(figure.value) if name == "ess" else WholeNumbers((int(figure.value),))


def _notes(results: StudyResults) -> tuple[str, ...]:
    exhibit = results.settings.exhibit
    design = results.settings.design_label(results.settings.estimate.headline.design)
    named = {"firms": exhibit.firms, "design": design, "unit": exhibit.firm}
    return either(
        results,
        full=[say("cohorts.who_counts", **named)],
        short=[say("short_notes.entry_years", design=design)],
    )
