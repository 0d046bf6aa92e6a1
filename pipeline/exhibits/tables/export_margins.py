"""Effects on levels with zeros, taken apart: who is above zero, and how much."""

from collections.abc import Iterator
from functools import partial

from pipeline.datasets.samples import ZEROS
from pipeline.effects.terms import Term
from pipeline.exhibits.analysis_effects import (
    Effects,
    Place,
    analysis_effects,
    bounds,
    bounds_interval,
    clusters_note,
    counts_row,
    estimate_rows,
    in_log_points,
    interval_row,
    reasons_note,
)
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.tables.effect_cells import interval_label
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.parts import by_design
from pipeline.exhibits.tables.table import Panel, Row, Table, WholeNumbers
from pipeline.exhibits.words.bounds import Beside, outside_bounds
from pipeline.exhibits.words.in_full import either
from pipeline.exhibits.words.language import say, tell
from pipeline.params.analyses import Margins

_PARTS = ("firms_above_zero", "level_per_firm", "level")

# Decimals of log points, in which the parts of an effect add up.
_PART_DECIMALS = 3

_LEFT_OUT = ("without_largest_firm", "without_largest_five")


def export_margins_tables(results: StudyResults) -> list[Table]:
    """Return one table a design of the margins asked for; none where none are."""
    return by_design(results.settings.estimate.analyses.margins, partial(_table, results))


def _table(results: StudyResults, asked: Margins, design: str, numbered: dict[int, str]) -> Table:
    names = list(numbered.values())
    effects = [analysis_effects(results, "margins", design, name) for name in names]
    panels = [
        Panel(say("export_margins.parts"), _parts(results, effects)),
        Panel(
            say("export_margins.without_largest", firms=results.settings.exhibit.firms),
            _without_largest(results, names, design),
        ),
        Panel(say("export_margins.share_above_zero"), _extensive(results, names, design)),
        Panel(
            say("export_margins.logs_of_stayers"),
            _intensive(results, names, design, effects),
        ),
        Panel(say("export_margins.unit_dependent"), _scales(results, asked, effects)),
    ]
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(panel for panel in panels if panel.rows),
        foot=_foot(results, names, design),
        notes=(
            *_notes(results, asked, design, effects),
            *outside_bounds(
                results, _beside(results, design, dict(zip(names, effects, strict=True)))
            ),
        ),
        source=results.settings.exhibit.source,
    )


def _parts(results: StudyResults, effects: list[Effects]) -> tuple[Row, ...]:
    firms = results.settings.exhibit.firms
    rows = [
        row
        for term in _PARTS
        for row in estimate_rows(
            say(f"export_margins.{term}", firms=firms),
            [in_log_points(found.get(Place(Term(term))), _PART_DECIMALS) for found in effects],
        )
    ]
    return (*rows, counts_row([found.get(Place(Term("level"))) for found in effects]))


def _without_largest(results: StudyResults, names: list[str], design: str) -> tuple[Row, ...]:
    """Return the headline estimator's effect on the level when the largest are left out."""
    spec = results.settings.estimate.headline.spec
    effects = [analysis_effects(results, spec, design, name) for name in names]
    return tuple(
        row
        for sample in _LEFT_OUT
        if any(found := [effect.get(Place(sample=sample)) for effect in effects])
        for row in estimate_rows(say(f"export_margins.{sample}"), found)
    )


def _extensive(results: StudyResults, names: list[str], design: str) -> tuple[Row, ...]:
    """Return the headline estimator's effect on being above zero, where an outcome says so."""
    spec = results.settings.estimate.headline.spec
    found = [_share_above_zero(results, name, design, spec) for name in names]
    return estimate_rows(say("row.average_effect"), found) if any(found) else ()


def _share_above_zero(results: StudyResults, name: str, design: str, spec: str) -> Effect | None:
    outcomes = results.settings.outcomes.intended
    column = outcomes[name].column
    same = [n for n, o in outcomes.items() if o.transform == "any" and o.column == column]
    return find_effect(results, same[0], design, spec) if same and column is not None else None


def _intensive(
    results: StudyResults, names: list[str], design: str, effects: list[Effects]
) -> tuple[Row, ...]:
    place = Place(sample="base_exporters")
    rows = estimate_rows(say("export_margins.stayers"), [found.get(place) for found in effects])
    bounding = [s.name for s in results.settings.estimate.specs if s.gives == "bounds"]
    if not bounding:
        return rows
    spec = bounding[0]
    bounded = [analysis_effects(results, spec, design, name) for name in names]
    ends = [bounds_interval(b, place) for b in bounded]
    return (
        *rows,
        interval_row(say("export_margins.lee_bounds"), [bounds(b, place) for b in bounded]),
        interval_row(interval_label(results), ends, indent=True),
    )


def _scales(results: StudyResults, asked: Margins, effects: list[Effects]) -> tuple[Row, ...]:
    return tuple(
        row
        for scale in asked.unit_dependent
        for row in estimate_rows(scale, [found.get(Place(Term(scale))) for found in effects])
    )


def _foot(results: StudyResults, names: list[str], design: str) -> tuple[Row, ...]:
    counts = {
        say("export_margins.above_zero_at_base"): "n_above_zero_at_base",
        say("export_margins.never_above_zero"): "n_never_above_zero",
    }
    return tuple(
        Row(label, tuple(_pair(results, design, name, column) for name in names))
        for label, column in counts.items()
    )


def _pair(results: StudyResults, design: str, name: str, column: str) -> WholeNumbers | None:
    """Return a count of treated and of comparison firms; none where either is not known."""
    found = [
        results.details.figure(ZEROS, column, design=design, outcome=name, treated=treated)
        for treated in (True, False)
    ]
    return WholeNumbers(tuple(int(n.value) for n in found)) if all(n.known for n in found) else None


def _notes(
    results: StudyResults, asked: Margins, design: str, effects: list[Effects]
) -> tuple[str, ...]:
    firms = results.settings.exhibit.firms
    label = results.settings.design_label(design)
    notes = [
        *either(
            results,
            full=[
                say("export_margins.decomposition", design=label, firms=firms),
                say("export_margins.who_is_largest", firms=firms),
            ],
            short=[say("short_notes.margins", design=label)],
        ),
        say("export_margins.selection"),
    ]
    if asked.unit_dependent:
        shown = [
            f"{scale}: {tell(remark)}"
            for found in effects
            for scale in asked.unit_dependent
            if (effect := found.get(Place(Term(scale)))) is not None
            and (remark := effect.remark("depends_on_unit")) is not None
        ]
        notes += [say("export_margins.unit_dependence", shown="; ".join(shown))] if shown else []
    return (*notes, *clusters_note(effects), *reasons_note(effects))


def _beside(results: StudyResults, design: str, effects: dict[str, Effects]) -> Iterator[Beside]:
    """Yield the bounds (Lee) beside the effect on logs of those still above zero."""
    place = Place(sample="base_exporters")
    for spec in [s.name for s in results.settings.estimate.specs if s.gives == "bounds"][:1]:
        for name, found in effects.items():
            bounded = analysis_effects(results, spec, design, name)
            called = say("export_margins.lee_bounds")
            yield Beside(name, found.get(place), called, place, bounded)
