"""Survival after entry with attrition, and outcomes with exit counted beside survivors only."""

import math
from collections.abc import Iterator
from functools import partial

from pipeline.datasets.samples import ATTRITION
from pipeline.effects.terms import Term
from pipeline.exhibits.analysis_effects import (
    Effects,
    Place,
    analysis_effects,
    bounds,
    bounds_interval,
    clusters_note,
    estimate_rows,
    interval_row,
    reasons_note,
)
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.ran import Ran, rested_on
from pipeline.exhibits.render.rounding import general
from pipeline.exhibits.tables.effect_cells import interval_label
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.parts import side_by_side
from pipeline.exhibits.tables.table import (
    DASH,
    Cell,
    Number,
    Panel,
    Row,
    Table,
    TableColumn,
    Text,
    WholeNumbers,
)
from pipeline.exhibits.units import percentage_points, unit_words
from pipeline.exhibits.words.bounds import Beside, outside_bounds
from pipeline.exhibits.words.in_full import either
from pipeline.exhibits.words.language import say
from pipeline.params.analyses import Survival

NAME = "survival"

_FATES = ("gone", "gap", "not_known")


def survival_tables(results: StudyResults) -> list[Table]:
    """Return for each design survival and attrition by year, then outcomes with exit counted."""
    asked = results.settings.estimate.analyses.survival
    if asked is None:
        return []
    tables = []
    for design in asked.designs:
        tables.append(_by_year(results, design))
        tables += side_by_side(asked.outcomes, partial(_outcomes, results, asked, design))
    return tables


def _by_year(results: StudyResults, design: str) -> Table:
    effects = analysis_effects(results, NAME, design, "survival")
    found = {time: e for e in effects.values() if (time := e.term.event_time or 0) >= 1}
    rows = [
        row
        for time, effect in sorted(found.items())
        for row in _with_shares(results, design, time, estimate_rows(str(time), [effect]))
    ]
    average = estimate_rows(say("row.average_effect"), [effects.get(Place())])
    return Table(
        columns=(
            TableColumn(say("survival.difference"), say("unit.percentage_points")),
            TableColumn(say("column.treated"), say("unit.percent")),
            TableColumn(say("column.comparison"), say("unit.percent")),
            *(TableColumn(say(f"survival.{fate}")) for fate in _FATES),
        ),
        panels=(
            Panel(say("survival.share_alive"), tuple(rows)),
            Panel("", tuple(_padded(row) for row in average)),
        ),
        notes=_survival_notes(results, design, effects),
        source=results.settings.exhibit.source,
    )


def _padded(row: Row) -> Row:
    return Row(row.label, (*row.cells, *[None] * 5), row.indent)


def _with_shares(
    results: StudyResults, design: str, time: int, pair: tuple[Row, Row]
) -> tuple[Row, Row]:
    """Put the shares alive and the counts of firms beside a difference."""

    def figure(name: str, treated: bool) -> float:
        key = {"design": design, "treated": treated, "event_time": time}
        return results.details.figure(ATTRITION, name, **key).value

    shares = [_share(figure("share_alive", treated)) for treated in (True, False)]
    fates = [_counts(*(figure(f"n_{fate}", group) for group in (True, False))) for fate in _FATES]
    first, second = pair
    return Row(first.label, (*first.cells, *shares, *fates)), _padded(second)


def _share(value: float) -> Cell:
    return DASH if math.isnan(value) else Number(percentage_points(value), 1)


def _counts(treated: float, comparison: float) -> Cell:
    if math.isnan(treated) or math.isnan(comparison):
        return DASH
    return WholeNumbers((int(treated), int(comparison)))


def _survival_notes(results: StudyResults, design: str, effects: Effects) -> tuple[str, ...]:
    named = {"firms": results.settings.exhibit.firms}
    named |= {"design": results.settings.design_label(design)}
    return (
        *either(
            results,
            full=[say("survival.what_is_shown", **named)],
            short=[say("short_notes.survival", **named)],
        ),
        *_exit_rule(results),
        *clusters_note([effects]),
        *reasons_note([effects]),
    )


def _exit_rule(results: StudyResults) -> list[str]:
    """Return when a firm counts as gone, as it ran."""
    firms = results.settings.exhibit.firms
    return [
        say(
            f"survival.exit_{rule.code('exit_known_by')}",
            firms=firms,
            least=rule.number("least_years_absent"),
            column=rule.code("column"),
        )
        for rule in rested_on(results, NAME, outcome="all")
    ]


def _outcomes(
    results: StudyResults, asked: Survival, design: str, numbered: dict[int, str]
) -> Table:
    names = list(numbered.values())
    effects = [analysis_effects(results, NAME, design, name) for name in names]
    return Table(
        columns=outcome_columns(results, numbered),
        panels=(
            Panel(say("survival.in_levels"), _levels(results, effects)),
            Panel(say("survival.bounds"), _bounds(results, effects)),
        ),
        notes=(
            *_outcome_notes(results, asked, design, effects),
            *outside_bounds(
                results, _beside(results, design, dict(zip(names, effects, strict=True)))
            ),
        ),
        source=results.settings.exhibit.source,
    )


def _levels(results: StudyResults, effects: list[Effects]) -> tuple[Row, ...]:
    gone = [found.get(Place(sample="exit_as_zero")) for found in effects]
    alive = [found.get(Place(sample="survivors")) for found in effects]
    units = [None if e is None or not e.estimated else Text(unit_words(e.scale)) for e in gone]
    return (
        *estimate_rows(say("survival.exit_as_zero"), gone),
        *estimate_rows(say("survival.survivors"), alive),
        Row(say("row.unit"), tuple(units), True),
    )


def _places() -> dict[str, Place]:
    """Return where bounds stand, by what readers call them."""
    return {
        say("survival.lee"): Place(Term("lee"), sample="survivors"),
        say("survival.manski"): Place(Term("manski")),
    }


def _bounds(results: StudyResults, effects: list[Effects]) -> tuple[Row, ...]:
    level = interval_label(results)
    rows: list[Row] = []
    for label, place in _places().items():
        rows.append(interval_row(label, [bounds(f, place) for f in effects]))
        ends = [bounds_interval(f, place) for f in effects]
        rows.append(interval_row(level, ends, indent=True))
    return tuple(rows)


def _outcome_notes(
    results: StudyResults, asked: Survival, design: str, effects: list[Effects]
) -> tuple[str, ...]:
    found = [rested_on(results, NAME, outcome=name) for name in asked.outcomes]
    limits = [_limits_of(results, row) for rows in found for row in rows]
    declared = say("survival.limits", limits="; ".join(limits))
    label = results.settings.design_label(design)
    return (
        *either(
            results,
            full=[say("survival.outcomes_note", design=label)],
            short=[say("short_notes.survivors", design=label)],
        ),
        *_exit_rule(results),
        *([declared] if limits else []),
        *clusters_note(effects),
        *reasons_note(effects),
    )


def _beside(results: StudyResults, design: str, effects: dict[str, Effects]) -> Iterator[Beside]:
    """Yield bounds beside survivors' effect and beside that of the main table."""
    spec = results.settings.estimate.headline.spec
    for name, found in effects.items():
        main = find_effect(results, name, design, spec)
        for label, place in _places().items():
            for estimate in (found.get(Place(sample="survivors")), main):
                yield Beside(name, estimate, label, place, found)


def _limits_of(results: StudyResults, row: Ran) -> str:
    outcome = results.settings.outcomes.root[row.code("outcome")]
    return say(
        "survival.limits_of_outcome",
        label=outcome.label,
        low=general(row.value("lowest")),
        high=general(row.value("highest")),
        unit=outcome.unit,
    )
