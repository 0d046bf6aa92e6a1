"""Effects by size beside effects by firm: what the average job or sale sees, and the total."""

import math
from functools import partial

from pipeline.exhibits.analysis_effects import (
    Effects,
    analysis_effects,
    clusters_note,
    confidence_row,
    counts_row,
    estimate_rows,
    reasons_note,
)
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.parts import by_design
from pipeline.exhibits.tables.table import Panel, Row, Table, Text
from pipeline.exhibits.words.language import retell, say
from pipeline.params.analyses import Size, SizeWeighted

NAME = "size_weighted"

_COMPARISONS = {
    "treated_size": "comparison {firms} count by the size of the treated unit of their matched "
    "set, which is biased unless matches are alike in it",
    "own_size": "comparison {firms} count by their own size, so that totals are compared",
}


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
            say("All {firms} count the same", firms=firms),
            (
                *estimate_rows(results, say("Average effect"), by_firm),
                confidence_row(results, by_firm),
                counts_row(by_firm),
            ),
        ),
        *(_panel(results, name, size, effects) for name, size in asked.by.items()),
    ]
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(panels),
        notes=_notes(results, asked, design, effects),
        source=results.settings.exhibit.source,
    )


def _panel(results: StudyResults, name: str, size: Size, effects: list[Effects]) -> Panel:
    """Return effects under one size, and the total where the outcome is of its column."""
    weighted = [found.get(("all", "all", f"att_by[{name}]")) for found in effects]
    totals = [found.get(("all", "all", f"total[{name}]")) for found in effects]
    rows = [*estimate_rows(results, say("Average effect"), weighted)]
    rows.append(confidence_row(results, weighted))
    if any(total is not None for total in totals):
        units = [None if e is None else Text(retell(e.scale)) for e in totals]
        estimates, errors = estimate_rows(results, say("Total of the treated, a year"), totals)
        # An outcome of another column has no total, which is no gap.
        cells = tuple(
            None if total is None else cell
            for cell, total in zip(estimates.cells, totals, strict=True)
        )
        rows += [Row(estimates.label, cells), errors, Row(say("unit"), tuple(units), True)]
    rows.append(counts_row(weighted))
    at = results.settings.treatment.reference_event_time if size.at is None else size.at
    title = say("By {size} in year {at} from entry", size=name, at=rounding.fixed(at, 0))
    return Panel(title, tuple(rows))


def _notes(
    results: StudyResults, asked: SizeWeighted, design: str, effects: list[Effects]
) -> tuple[str, ...]:
    firms = results.settings.exhibit.firms
    return (
        say(
            "Average effects from entry on, first as in the main table, where a small unit counts "
            "as much as a large one, then with {firms} weighted by size before entry. Design: "
            "{design}. Standard errors in parentheses.",
            firms=firms,
            design=results.settings.design_label(design),
        ),
        say("By size, {how}.", how=say(_COMPARISONS[asked.comparison], firms=firms)),
        say(
            "Where the two differ, {firms} of different size gain differently, or a few large ones "
            "decide. The total is the sum over treated {firms} of size times the effect on the "
            "ratio of the level to that size, the mean over years from entry on; it speaks of the "
            "matched treated that have a size.",
            firms=firms,
        ),
        *[note for name in asked.by for note in _of_size(results, design, name)],
        *clusters_note(effects),
        *reasons_note(effects),
    )


def _of_size(results: StudyResults, design: str, name: str) -> list[str]:
    """Return what the weights of one size rest on: the largest firm, and who has no size."""
    shares = [
        results.fact(design, "all", f"largest_size_share_{group}[{name}]")
        for group in ("treated", "comparison")
    ]
    sentences = []
    if not any(map(math.isnan, shares)):
        treated, comparison = (rounding.fixed(100 * share, 1) for share in shares)
        sentences.append(
            say(
                "By {size} the largest unit has {treated} percent of the weight of the treated and "
                "{comparison} of that of the comparison.",
                size=name,
                treated=treated,
                comparison=comparison,
            )
        )
    return [*sentences, *_without_size(results, design, name)]


def _without_size(results: StudyResults, design: str, name: str) -> list[str]:
    """Return how many of each group are left out because their size is not known."""
    told = {
        "treated": "No {size} known for {n} treated {firms}.",
        "comparison": "No {size} known for {n} comparison {firms}.",
    }
    counts = {
        group: results.fact(design, "all", f"n_{group}_without_size[{name}]") for group in told
    }
    firms = results.settings.exhibit.firms
    return [
        say(told[group], firms=firms, size=name, n=rounding.count(lost))
        for group, lost in counts.items()
        if lost > 0
    ]
