"""Split what does not fit one table into parts, evenly; tables with one column an outcome."""

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial
from typing import TypeVar

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.render.latex import fits, fits_page
from pipeline.exhibits.tables.table import Table, TablePart
from pipeline.exhibits.words.language import say
from pipeline.params.analyses import Analysis

T = TypeVar("T")
Asked = TypeVar("Asked", bound=Analysis)

MOST_COLUMNS = 4


def fewest_parts(items: list[T], most: int, fit: Callable[[list[T]], bool]) -> list[list[T]]:
    """Split a list into the fewest parts of at most `most` items that all fit.

    Sizes differ by one at most. Where single items do not fit, they stand alone.
    """
    if not items:
        return []
    pieces = math.ceil(len(items) / most)
    while pieces < len(items) and not all(fit(part) for part in _split(items, pieces)):
        pieces += 1
    return _split(items, pieces)


def side_by_side(names: list[str], make: Callable[[dict[int, str]], Table]) -> list[Table]:
    """Return tables of at most four columns, fewer where their numbers are wide.

    `make` is given names by column number, each part once; numbers run on from table to table.
    """

    @cache
    def made(*part: tuple[int, str]) -> Table:
        return make(dict(part))

    numbered = list(enumerate(names, start=1))
    parts = fewest_parts(numbered, MOST_COLUMNS, lambda part: fits(made(*part)))
    return [made(*part) for part in parts]


def by_design(
    asked: Asked | None, make: Callable[[Asked, str, dict[int, str]], Table]
) -> list[Table]:
    """Return the tables of each design that an analysis names; none where it is not asked for.

    `make` is given the analysis, the design, and outcomes by column number.
    """
    if asked is None:
        return []
    return [
        table
        for design in asked.designs
        for table in side_by_side(asked.outcomes, partial(make, asked, design))
    ]


def pages(table: Table) -> list[Table]:
    """Split a table's panels over as few tables as fit a page, each with foot and notes."""
    panels = list(table.panels)
    parts = fewest_parts(
        panels, max(len(panels), 1), lambda part: fits_page(replace(table, panels=tuple(part)))
    )
    return [replace(table, panels=tuple(part)) for part in parts] or [table]


def noted_once(parts: list[Table]) -> list[Table]:
    """Return parts of a table of which those with the notes of the first refer to them.

    A part that has a note of its own keeps all: what it says may be a caution on its columns.
    """
    return [
        replace(part, notes=(say("short_notes.as_before"),))
        if i and part.notes and set(part.notes) <= set(parts[0].notes)
        else part
        for i, part in enumerate(parts)
    ]


def by_file_name(parts: dict[TablePart, Table]) -> dict[str, Table]:
    """Return tables by file name, each knowing which part it is."""
    return {part.file_name: replace(table, part=part) for part, table in parts.items()}


def _split(items: list[T], pieces: int) -> list[list[T]]:
    size, extra = divmod(len(items), max(pieces, 1))
    starts = [i * size + min(i, extra) for i in range(pieces + 1)]
    return [items[first:last] for first, last in itertools.pairwise(starts)]


def by_outcome(results: StudyResults, make: Callable[[dict[int, str]], Table]) -> list[Table]:
    """Return tables of the study's observed outcomes; the first says which are not observed."""
    tables = side_by_side(observed_outcomes(results), make)
    first = [replace(t, notes=(*t.notes, *unobserved_notes(results))) for t in tables[:1]]
    return [*first, *tables[1:]]


def by_outcome_and_panel(
    results: StudyResults,
    letters: Iterable[str],
    make: Callable[[dict[int, str], tuple[str, ...]], Table],
) -> list[Table]:
    """Return tables of the observed outcomes, each of as many panels as fit its page.

    `make` is given outcomes by column number, and letters of panels; each part is made once.
    """

    @cache
    def made(part: tuple[tuple[int, str], ...], some: tuple[str, ...]) -> Table:
        return make(dict(part), some)

    every = tuple(letters)
    numbered = list(enumerate(observed_outcomes(results), start=1))
    parts = fewest_parts(numbered, MOST_COLUMNS, lambda part: fits(made(tuple(part), every)))
    across = [tuple(part) for part in parts]
    down = fewest_parts(
        list(every),
        max(len(every), 1),
        lambda some: all(fits_page(made(part, tuple(some))) for part in across),
    )
    return [made(part, tuple(some)) for some in down for part in across]


def observed_outcomes(results: StudyResults) -> list[str]:
    """Return the outcomes that have a column, in order."""
    return [name for name, o in results.settings.outcomes.intended.items() if o.observed]


def unobserved_notes(results: StudyResults) -> list[str]:
    """Return a sentence for each outcome that is not observed, with the reason."""
    return [
        say("outcome_tables.not_observed", label=outcome.label, reason=outcome.reason)
        for outcome in results.settings.outcomes.intended.values()
        if not outcome.observed
    ]
