"""Variants: the panels that the main table has no room for, laid out as its own are."""

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.main_effects import effect_panel, outcome_columns, shown_decimals
from pipeline.exhibits.tables.panels import Shown, further_panels
from pipeline.exhibits.tables.parts import by_outcome_and_panel
from pipeline.exhibits.tables.table import Table
from pipeline.exhibits.words.in_full import asks_for_all
from pipeline.exhibits.words.main_notes import main_notes
from pipeline.exhibits.words.short_notes import variant_notes


def variants_tables(results: StudyResults) -> list[Table]:
    """Return the panels beyond those of the main table, their letters running on; none without."""
    panels = further_panels(results)
    if not panels:
        return []
    return by_outcome_and_panel(
        results,
        panels,
        lambda part, letters: _table(results, Shown(part, {k: panels[k] for k in letters})),
    )


def _table(results: StudyResults, shown: Shown) -> Table:
    decimals = {name: shown_decimals(results, name) for name in shown.columns.values()}
    notes = main_notes if asks_for_all(results) else variant_notes
    return Table(
        columns=outcome_columns(results, shown.columns),
        panels=tuple(effect_panel(results, shown, letter, decimals) for letter in shown.panels),
        notes=notes(results, shown),
        source=results.settings.exhibit.source,
    )
