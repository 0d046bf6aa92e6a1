"""Say below each table of effects what they are of, where some firms are exposed to others."""

from dataclasses import replace

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.table import Table
from pipeline.exhibits.words.language import say
from pipeline.params.treatment import SPILL, TOTAL_ON_TREATED

# Tables that name what each of their rows is of.
_NAMED_BY_ROW = ("arms", "arm_contrasts", "pools")


def with_estimand(results: StudyResults, name: str, section: str, table: Table) -> Table:
    """Return a table whose first note says what its effects are of; as it is where none is of it.

    Effects of studies without exposure are on the treated, and need no words.
    """
    found = set(results.estimates["estimand"].dropna())
    codes = [code for code in (TOTAL_ON_TREATED, SPILL) if code in found]
    if section not in ("effects", "robustness") or name in _NAMED_BY_ROW:
        return table
    return replace(table, notes=(*(say(f"of_what.{code}") for code in codes), *table.notes))
