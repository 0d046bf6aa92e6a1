"""Minimum detectable effects: what each design could have found, one column an outcome."""

import math
from collections.abc import Callable
from functools import partial

from pipeline.datasets.fits import TREATED_CLUSTERS
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.ran import conf_level, power
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.panels import lettered_panels, name_panels, panel_label
from pipeline.exhibits.tables.parts import by_outcome
from pipeline.exhibits.tables.table import (
    DASH,
    HIDDEN,
    Cell,
    Magnitude,
    Number,
    Panel,
    Row,
    Table,
    Text,
)
from pipeline.exhibits.units import shown_value
from pipeline.exhibits.words.in_full import in_full
from pipeline.exhibits.words.language import say
from pipeline.params.exhibit import PanelSection as ChosenPanel
from pipeline.params.outcomes import LOG_SCALE


def detectable_effects(results: StudyResults) -> list[Table]:
    """Return effects by panel of the main table, as effects are told and in the outcome's unit.

    The headline's are given for other numbers of clusters, too.
    """
    return by_outcome(results, partial(_table, results))


def _table(results: StudyResults, numbered: dict[int, str]) -> Table:
    outcomes = list(numbered.values())
    labels = {
        letter: f"{letter}. {panel.label}" for letter, panel in lettered_panels(results).items()
    }
    short = {letter: name_panels(letter) for letter in labels}
    panels = [
        Panel(say("detectable_effects.in_estimate_units"), _rows(results, outcomes, labels, _cell)),
        Panel(say("detectable_effects.in_outcome_unit"), _in_units(results, outcomes, short)),
        _by_clusters(results, outcomes),
        _by_clusters_in_units(results, outcomes),
    ]
    first, *others = panels
    in_units, by_clusters, _ = (_says_something(panel) for panel in others)
    return Table(
        columns=outcome_columns(results, numbered),
        panels=(first, *(panel for panel in others if _says_something(panel))),
        notes=_notes(results, in_units=in_units, by_clusters=by_clusters),
        source=results.settings.exhibit.source,
    )


def _says_something(panel: Panel) -> bool:
    return any(cell not in (None, DASH) for row in panel.rows for cell in row.cells)


def _rows(
    results: StudyResults,
    outcomes: list[str],
    labels: dict[str, str],
    cell: Callable[[StudyResults, str, ChosenPanel], Cell],
) -> tuple[Row, ...]:
    """Return one row a panel of the main table, by the labels of their letters."""
    panels = lettered_panels(results)
    return tuple(
        Row(label, tuple(cell(results, name, panels[letter]) for name in outcomes))
        for letter, label in labels.items()
    )


def _detectable(results: StudyResults, outcome: str, panel: ChosenPanel) -> float:
    place = {"design": panel.design, "outcome": outcome, "estimator": panel.spec}
    return results.details.detectable("effect", place)


def _cell(results: StudyResults, outcome: str, panel: ChosenPanel) -> Cell:
    value = _detectable(results, outcome, panel)
    if math.isnan(value):
        effect = find_effect(results, outcome, panel.design, panel.spec)
        return HIDDEN if effect is not None and effect.hidden else DASH
    return _shown(results, outcome, value)


def _shown(results: StudyResults, outcome: str, value: float) -> Cell:
    """Return a size as effects on the outcome are told."""
    scale = results.settings.outcome(outcome).scale
    return Number(shown_value(value, scale), results.decimals[outcome])


def _is_log(results: StudyResults, outcome: str, panel: ChosenPanel) -> bool:
    effect = find_effect(results, outcome, panel.design, panel.spec)
    known = not math.isnan(_detectable(results, outcome, panel))
    return known and effect is not None and effect.scale == LOG_SCALE


def _in_units(
    results: StudyResults, outcomes: list[str], labels: dict[str, str]
) -> tuple[Row, ...]:
    """Return log effects at the mean of the treated, and their units."""
    return _with_units(results, outcomes, _rows(results, outcomes, labels, _level))


def _with_units(
    results: StudyResults, outcomes: list[str], rows: tuple[Row, ...]
) -> tuple[Row, ...]:
    """Return the rows with a last one that names the unit of each column that has a number."""
    shown = [any(row.cells[k] is not None for row in rows) for k in range(len(outcomes))]
    units = tuple(
        Text(results.settings.outcome(name).unit) if any_shown else None
        for name, any_shown in zip(outcomes, shown, strict=True)
    )
    return (*rows, Row(say("row.unit"), units, True))


def _level(results: StudyResults, outcome: str, panel: ChosenPanel) -> Cell:
    if not _is_log(results, outcome, panel):
        return None
    place = {"design": panel.design, "outcome": outcome, "estimator": panel.spec}
    value = results.details.detectable("effect_in_unit", place)
    return HIDDEN if math.isnan(value) else Magnitude(value)


def _by_clusters(results: StudyResults, outcomes: list[str]) -> Panel:
    """Return the headline's effects had other numbers of clusters been treated."""
    headline = results.settings.estimate.headline

    def cell(outcome: str, number: int) -> Cell:
        value = _had(results, "effect", outcome, number)
        return DASH if math.isnan(value) else _shown(results, outcome, value)

    label = panel_label(results, headline.design, headline.spec)
    rows = _by_number(outcomes, cell)
    return Panel(say("detectable_effects.by_clusters", label=label), rows)


def _by_clusters_in_units(results: StudyResults, outcomes: list[str]) -> Panel:
    """Return the same for log effects, at the mean of the treated."""
    headline = results.settings.estimate.headline
    actual = ChosenPanel(design=headline.design, spec=headline.spec, label=headline.design)

    def cell(outcome: str, number: int) -> Cell:
        effect = _had(results, "effect", outcome, number)
        if math.isnan(effect) or not _is_log(results, outcome, actual):
            return None
        value = _had(results, "effect_in_unit", outcome, number)
        return HIDDEN if math.isnan(value) else Magnitude(value)

    rows = _with_units(results, outcomes, _by_number(outcomes, cell))
    return Panel(say("detectable_effects.by_clusters_in_unit"), rows)


def _had(results: StudyResults, column: str, outcome: str, treated_clusters: int) -> float:
    """Return a figure of the headline had another number of clusters been treated."""
    headline = results.settings.estimate.headline
    place = {"design": headline.design, "outcome": outcome, "estimator": headline.spec}
    return results.details.detectable(column, place, treated_clusters)


def _by_number(outcomes: list[str], cell: Callable[[str, int], Cell]) -> tuple[Row, ...]:
    return tuple(
        Row(
            say("detectable_effects.n_clusters", n=number),
            tuple(cell(outcome, number) for outcome in outcomes),
        )
        for number in TREATED_CLUSTERS
    )


def _notes(results: StudyResults, *, in_units: bool, by_clusters: bool) -> tuple[str, ...]:
    notes = (
        say(
            "detectable_effects.smallest_effect",
            alpha=rounding.general(100 * (1 - conf_level(results))),
            power=rounding.general(100 * power(results)),
        ),
        *in_full(
            results,
            say("detectable_effects.unit_translation") if in_units else "",
            say("detectable_effects.other_numbers") if by_clusters else "",
        ),
    )
    return tuple(note for note in notes if note)
