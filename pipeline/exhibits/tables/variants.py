"""Variants: the panels that the main table has no room for, laid out as its own are."""

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.main_effects import effect_panel, effect_tables, outcome_columns
from pipeline.exhibits.tables.panels import Shown, further_panels
from pipeline.exhibits.tables.table import Table
from pipeline.exhibits.words.in_full import asks_for_all
from pipeline.exhibits.words.main_notes import main_notes
from pipeline.exhibits.words.short_notes import variant_notes


def variants_tables(results: StudyResults) -> list[Table]:
    """Return the panels beyond those of the main table, their letters running on; none without."""
    panels = further_panels(results)
    return effect_tables(results, panels, _table) if panels else []


def _table(results: StudyResults, shown: Shown) -> Table:
    notes = main_notes if asks_for_all(results) else variant_notes
    return Table(
        columns=outcome_columns(results, shown.columns),
        panels=tuple(effect_panel(results, shown, letter) for letter in shown.panels),
        notes=notes(results, shown),
        source=results.settings.exhibit.source,
    )
