"""Tables as a study shows them, by file name."""

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.registry import named_tables
from pipeline.exhibits.tables.table import Table


def effect_tables(results: StudyResults) -> dict[str, Table]:
    """Return the main table and that of variants, which have the panels of a study."""
    return {**named_tables(results, "main_effects"), **named_tables(results, "variants")}
