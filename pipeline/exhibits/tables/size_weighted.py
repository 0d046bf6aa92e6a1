"""Effects by size beside effects by firm: what the average job or sale sees, and the total."""

from functools import partial

from pipeline.datasets.samples import GROUPING_LOSSES
from pipeline.effects.terms import Term
from pipeline.exhibits.analysis_effects import (
    Effects,
    Place,
    analysis_effects,
    clusters_note,
    confidence_row,
    counts_row,
    estimate_rows,
    reasons_note,
)
from pipeline.exhibits.beneficiaries import is_lost
from pipeline.exhibits.details import Figure
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.ran import Ran, each, ran_on, rested_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.parts import by_design
from pipeline.exhibits.tables.table import Panel, Row, Table, Text
from pipeline.exhibits.units import unit_words
from pipeline.exhibits.words.groups import columns_read
from pipeline.exhibits.words.in_full import in_full
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.main_notes import largest_bands
from pipeline.params.analyses import SizeWeighted

NAME = "size_weighted"


def size_weighted_tables(results: StudyResults) -> list[Table]:
    """Return one table a design of the size-weighted effects asked for; none where none are."""
    return by_design(results.settings.estimate.analyses.size_weighted, partial(_table, results))


def _table(
    results: StudyResults, asked: SizeWeighted, design: str, numbered: dict[int, str]
) -> Table:
    names = list(numbered.values())
    effects = [analysis_effects(results, NAME, design, name) for name in names]
    spec = results.settings.estimate.headline.spec
    by_firm = [find_effect(results, name, design, spec) for name in names]
    firms = results.settings.exhibit.firms
    panels = [
        Panel(
            say("size_weighted.all_count_the_same", firms=firms),
            (
                *estimate_rows(say("row.average_effect"), by_firm),
                confidence_row(results, by_firm),
                counts_row(by_firm),
            ),
        ),
        *(
            _panel(results, size, effects)
            for name in asked.by
            for size in rested_on(results, NAME, grouping=name)
        ),
    ]
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(panels),
        notes=_notes(results, asked, design, names, effects),
        source=results.settings.exhibit.source,
    )


def _panel(results: StudyResults, size: Ran, effects: list[Effects]) -> Panel:
    """Return effects under one size, and the total where the outcome is of its column."""
    name = size.code("grouping")
    weighted = [found.get(Place(Term("att_by"), grouping=name)) for found in effects]
    totals = [found.get(Place(Term("total"), grouping=name)) for found in effects]
    rows = [*estimate_rows(say("row.average_effect"), weighted)]
    rows.append(confidence_row(results, weighted))
    if any(total is not None for total in totals):
        units = [None if e is None else Text(unit_words(e.scale)) for e in totals]
        estimates, errors = estimate_rows(say("size_weighted.total"), totals)
        # An outcome of another column has no total, which is no gap.
        cells = tuple(
            None if total is None else cell
            for cell, total in zip(estimates.cells, totals, strict=True)
        )
        rows += [Row(estimates.label, cells), errors, Row(say("row.unit"), tuple(units), True)]
    rows.append(counts_row(weighted))
    at = rounding.fixed(size.number("column_event_time"), 0)
    title = say("size_weighted.by_size", size=name, at=at)
    return Panel(title, tuple(rows))


def _notes(
    results: StudyResults,
    asked: SizeWeighted,
    design: str,
    names: list[str],
    effects: list[Effects],
) -> tuple[str, ...]:
    firms = results.settings.exhibit.firms
    rows = ran_on(results, NAME, [design], names)
    how = each(rows, lambda row: say(f"size_weighted.by_{row.code('weights')}", firms=firms))
    return (
        say(
            "size_weighted.what_is_shown", firms=firms, design=results.settings.design_label(design)
        ),
        say("size_weighted.how", how=how),
        *columns_read(results, NAME, {name: name for name in asked.by}),
        *in_full(results, say("size_weighted.reading", firms=firms)),
        *[note for name in asked.by for note in _of_size(results, design, name)],
        *clusters_note(effects),
        *reasons_note(effects),
    )


def _of_size(results: StudyResults, design: str, name: str) -> list[str]:
    """Return what the weights of one size rest on: the largest firms, and who has no size."""
    bands = largest_bands(results, design, "all", name)
    sentences = []
    if bands:
        treated, comparison = bands
        sentences.append(
            say("size_weighted.largest", size=name, treated=treated, comparison=comparison)
        )
    return [*sentences, *_without_size(results, design, name)]


def _without_size(results: StudyResults, design: str, name: str) -> list[str]:
    """Return how many of each group are left out because their size is not known."""
    key = {"design": design, "estimator": NAME, "grouping": name}
    counts = {
        group: results.details.figure(GROUPING_LOSSES, "n_firms", **key, treated=treated)
        for group, treated in (("treated", True), ("comparison", False))
    }
    firms = results.settings.exhibit.firms
    return [
        say(f"size_weighted.without_size_{group}", firms=firms, size=name, n=_count(lost))
        for group, lost in counts.items()
        if is_lost(lost)
    ]


def _count(lost: Figure) -> str:
    return say("mark.few") if lost.hidden else rounding.whole(lost.value)
