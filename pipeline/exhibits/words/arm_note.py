"""Say below a table of which arm its figures are."""

from dataclasses import replace

from pipeline.exhibits.arms import is_exposed
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.registry import TABLES
from pipeline.exhibits.tables.table import Table
from pipeline.exhibits.words.language import say

# Tables that show all arms, or none.
_OF_ALL_ARMS = ("arms", "arm_contrasts", "pools")


def noted_arm(results: StudyResults, table: Table) -> Table:
    """Return a table of treated and comparison firms with a note on whom the treated are.

    As it is without arms, and where it is a further part of a table.
    """
    of = table.part.table
    if results.arm is None or not TABLES[of].sampled or of in _OF_ALL_ARMS or table.part.part > 1:
        return table
    code = "treated_are_exposed" if is_exposed(results, results.arm) else "treated_are"
    note = say(f"others.{code}", arm=results.settings.arm_label(results.arm))
    return replace(table, notes=(*table.notes, note))
