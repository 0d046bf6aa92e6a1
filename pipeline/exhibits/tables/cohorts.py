"""The cohort table: who entered when, and how many of them the headline design keeps."""

import math

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.table import (
    HIDDEN,
    Cell,
    Column,
    Counts,
    Magnitude,
    Panel,
    Row,
    Table,
)
from pipeline.exhibits.words.language import say

# Heading: design of the fact (`all` is the study, None the headline design), its name.
_COLUMNS: tuple[tuple[str, str | None, str], ...] = (
    ("sample_flow.entrants", "all", "n_entrants"),
    ("cohorts.candidates", "all", "n_candidates"),
    ("column.treated", None, "n_treated_matched"),
    ("column.comparison", None, "n_comparison_used"),
    ("cohorts.effective_comparison", None, "ess"),
)


def cohorts_table(results: StudyResults) -> Table:
    """Return one row an entry year, and their sum."""
    rows = [Row(year, _cells(results, f"[{year}]")) for year in entry_years(results)]
    total = Row(say("row.all_entry_years"), _cells(results, ""))
    return Table(
        columns=tuple(
            Column(say(heading), spanner="" if design else say("sample_flow.in_design"))
            for heading, design, _ in _COLUMNS
        ),
        panels=(Panel("", tuple(rows)),),
        foot=(total,),
        notes=_notes(results),
        source=results.settings.exhibit.source,
    )


def entry_years(results: StudyResults) -> list[str]:
    """Return the entry years of the study, ascending."""
    names = results.facts.loc[results.facts["design"] == "all", "name"]
    years = names.str.extract(r"^n_entrants\[(\d+)\]$")[0].dropna()
    return sorted(years.unique())


def _cells(results: StudyResults, suffix: str) -> tuple[Cell, ...]:
    headline = results.settings.estimate.headline.design
    return tuple(
        HIDDEN
        if results.hidden(design or headline, "all", f"{name}{suffix}")
        else _cell(results.fact(design or headline, "all", f"{name}{suffix}"), name)
        for _, design, name in _COLUMNS
    )


def _cell(value: float, name: str) -> Cell:
    if math.isnan(value):
        return None
    return Magnitude(value) if name == "ess" else Counts((int(value),))


def _notes(results: StudyResults) -> tuple[str, ...]:
    exhibit = results.settings.exhibit
    design = results.settings.design_label(results.settings.estimate.headline.design)
    return (
        say(
            "cohorts.who_counts",
            firms=exhibit.firms,
            design=design,
            unit=exhibit.firm,
        ),
    )
