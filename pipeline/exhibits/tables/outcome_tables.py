"""Tables with one column an outcome: their parts, and what they say of outcomes not observed."""

from collections.abc import Callable
from dataclasses import replace

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.parts import side_by_side
from pipeline.exhibits.tables.table import Table
from pipeline.exhibits.words.language import say


def by_outcome(results: StudyResults, make: Callable[[dict[int, str]], Table]) -> list[Table]:
    """Return tables of the study's outcomes; each says which of its columns are not observed.

    A part with no observed outcome is left out: the main table keeps its place and says why.
    """
    intended = results.settings.outcomes.intended
    observed = {n for n, o in enumerate(intended.values(), start=1) if o.observed}

    def made(numbered: dict[int, str]) -> Table:
        table = make(numbered)
        return replace(table, notes=(*table.notes, *unobserved_notes(results, numbered)))

    tables = side_by_side(list(intended), made)
    return [t for t in tables if observed & {column.number for column in t.columns}]


def unobserved_notes(results: StudyResults, numbered: dict[int, str]) -> list[str]:
    """Return a sentence for each column whose outcome is not observed, with the reason."""
    outcomes = {n: results.settings.outcome(name) for n, name in numbered.items()}
    return [
        say(
            "outcome_tables.not_observed", column=column, label=outcome.label, reason=outcome.reason
        )
        for column, outcome in outcomes.items()
        if not outcome.observed
    ]
