"""Say what is weighted by a survey's sampling weights, and what beside it is not."""

from dataclasses import replace

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import sampling_weight
from pipeline.exhibits.tables.registry import TABLES
from pipeline.exhibits.tables.table import Table
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.rules import column_labels


def noted_weights(results: StudyResults, table: Table) -> Table:
    """Return a table with what it says of sampling weights; nothing where the study has none."""
    weighted = TABLES[table.part.table].sampled
    if weighted is None:
        return table
    said = sampling_words(results, "weighted" if weighted else "not_weighted")
    return replace(table, notes=(*table.notes, said)) if said else table


def sampling_words(results: StudyResults, code: str) -> str:
    """Return a sentence on the study's sampling weights, by its code; empty without any."""
    column = sampling_weight(results)
    if column is None:
        return ""
    label = column_labels(results)[column]
    return say(f"sampling.{code}", label=label, firms=results.settings.exhibit.firms)
