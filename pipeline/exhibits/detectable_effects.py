"""Minimum detectable effects: what each design could have found, one column an outcome."""

import math
from collections.abc import Callable, Iterable

from pipeline.effects.detectable_names import (
    TREATED_CLUSTERS,
    detectable,
    detectable_in_unit,
)
from pipeline.exhibits import rounding
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.language import retell, say
from pipeline.exhibits.main_effects import outcome_columns, shown_decimals
from pipeline.exhibits.numbers import LOG_SCALE, percent
from pipeline.exhibits.panels import lettered_panels, panel_name
from pipeline.exhibits.parts import side_by_side
from pipeline.exhibits.table import DASH, Cell, Magnitude, Number, Panel, Row, Table, Text

# A cell for one outcome, design and spec, for a number of treated clusters or the actual one.
_MakeCell = Callable[[StudyResults, str, str, str, int | None], Cell]


def detectable_effects(results: StudyResults) -> list[Table]:
    """Return one row a panel of the main table; log effects also in percent and in their unit.

    Below, what the headline estimate could have found had other numbers of clusters been treated.
    """
    return side_by_side(
        list(results.settings.outcomes.intended), lambda part: _table(results, part)
    )


def _table(results: StudyResults, numbered: dict[int, str]) -> Table:
    outcomes = list(numbered.values())
    groups = [
        Panel(say("In units of the estimate"), _by_panel(results, outcomes, _in_estimate)),
        Panel(say("Log effects in percent"), _by_panel(results, outcomes, _in_percent)),
        Panel(say("Log effects in the outcome's unit"), _with_units(results, outcomes, _by_panel)),
        Panel(_planned(results), _by_clusters(results, outcomes, _in_estimate)),
        Panel(
            say("The same, log effects in the outcome's unit"),
            _with_units(results, outcomes, _by_clusters),
        ),
    ]
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(panel for panel in groups if panel.rows),
        notes=_notes(results),
        source=results.settings.exhibit.source,
    )


def _planned(results: StudyResults) -> str:
    headline = results.settings.estimate.headline
    return say(
        "Had another number of clusters been treated, {panel}",
        panel=panel_name(results, headline.design, headline.spec),
    )


def _by_panel(results: StudyResults, outcomes: list[str], cell: _MakeCell) -> tuple[Row, ...]:
    """Return a row for each panel of the main table; none where all cells are empty."""
    return _filled(
        Row(
            f"{letter}. {panel.label}",
            tuple(cell(results, name, panel.design, panel.spec, None) for name in outcomes),
        )
        for letter, panel in lettered_panels(results).items()
    )


def _by_clusters(results: StudyResults, outcomes: list[str], cell: _MakeCell) -> tuple[Row, ...]:
    """Return a row for each number of treated clusters; none where all cells are empty."""
    chosen = results.settings.estimate.headline
    return _filled(
        Row(
            rounding.count(number),
            tuple(cell(results, name, chosen.design, chosen.spec, number) for name in outcomes),
        )
        for number in TREATED_CLUSTERS
    )


def _with_units(
    results: StudyResults,
    outcomes: list[str],
    rows: Callable[[StudyResults, list[str], _MakeCell], tuple[Row, ...]],
) -> tuple[Row, ...]:
    """Return rows in the outcomes' units, which a last row names."""
    found = rows(results, outcomes, _in_unit)
    if not found:
        return ()
    units = [
        None
        if all(row.cells[column] is None for row in found)
        else Text(retell(results.settings.outcome(name).unit))
        for column, name in enumerate(outcomes)
    ]
    return (*found, Row(say("unit"), tuple(units), True))


def _filled(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return the rows, or none where no cell of any row has a number."""
    listed = tuple(rows)
    return listed if any(cell not in (None, DASH) for r in listed for cell in r.cells) else ()


def _in_estimate(
    results: StudyResults, outcome: str, design: str, spec: str, clusters: int | None
) -> Cell:
    value = results.fact(design, outcome, detectable(spec, clusters))
    return DASH if math.isnan(value) else Number(value, shown_decimals(results, outcome))


def _in_percent(
    results: StudyResults, outcome: str, design: str, spec: str, clusters: int | None
) -> Cell:
    value = results.fact(design, outcome, detectable(spec, clusters))
    return Magnitude(percent(value)) if _is_log(results, outcome, design, spec, value) else None


def _in_unit(
    results: StudyResults, outcome: str, design: str, spec: str, clusters: int | None
) -> Cell:
    value = results.fact(design, outcome, detectable_in_unit(spec, clusters))
    return Magnitude(value) if _is_log(results, outcome, design, spec, value) else None


def _is_log(results: StudyResults, outcome: str, design: str, spec: str, value: float) -> bool:
    """Say whether there is a detectable effect, and in log points."""
    effect = find_effect(results, outcome, design, spec)
    return effect is not None and effect.scale == LOG_SCALE and not math.isnan(value)


def _notes(results: StudyResults) -> tuple[str, ...]:
    estimate = results.settings.estimate
    return (
        say(
            "The smallest true effect that a two-sided test at {alpha} percent finds "
            "with {power} percent power, given the standard error of the main table. A "
            "smaller effect may be there unseen.",
            alpha=rounding.general(100 * (1 - estimate.conf_level)),
            power=rounding.general(100 * estimate.power),
        ),
        say(
            "In the outcome's unit: at the treated {firms}' mean in the reference year, where it "
            "is published.",
            firms=retell(results.settings.exhibit.firms),
        ),
        say(
            "Had another number of clusters been treated: the variance between treated clusters "
            "falls with their number, that between comparison clusters stays."
        ),
    )
