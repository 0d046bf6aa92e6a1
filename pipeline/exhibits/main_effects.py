"""The main table: one column an outcome, one panel a design under one estimator."""

import math

from pipeline.exhibits.design_words import capitalised
from pipeline.exhibits.inputs import Effect, StudyResults, find_effect
from pipeline.exhibits.main_notes import main_notes
from pipeline.exhibits.numbers import effect_decimals
from pipeline.exhibits.panels import absorbed, headline_panel, panel_letter
from pipeline.exhibits.pieces import in_pieces
from pipeline.exhibits.table import (
    DASH,
    Cell,
    Column,
    Counts,
    Interval,
    Magnitude,
    Number,
    Panel,
    Row,
    Table,
    Text,
)


def main_effects(results: StudyResults) -> list[Table]:
    """Return the main table, split evenly where outcomes do not fit side by side."""
    return in_pieces(
        list(results.settings.outcomes.root),
        lambda outcomes, start: _table(results, outcomes, start),
    )


def _table(results: StudyResults, outcomes: list[str], start: int) -> Table:
    decimals = [shown_decimals(results, name) for name in outcomes]
    panels = tuple(
        _panel(results, index, outcomes, decimals)
        for index in range(len(results.settings.exhibit.panels))
    )
    return Table(
        columns=outcome_columns(results, outcomes, start),
        panels=panels,
        foot=_foot(results, outcomes),
        notes=main_notes(results, outcomes, start),
        source=results.settings.exhibit.source,
    )


def outcome_columns(results: StudyResults, outcomes: list[str], start: int) -> tuple[Column, ...]:
    """Return one numbered column an outcome; outcomes of one family share a spanner."""
    chosen = [results.settings.outcome(name) for name in outcomes]
    families = [outcome.family for outcome in chosen]
    spanners = [
        capitalised(family) if family != "main" and families.count(family) > 1 else ""
        for family in families
    ]
    return tuple(
        Column(outcome.label, outcome.scale if outcome.observed else "", start + i, spanner)
        for i, (outcome, spanner) in enumerate(zip(chosen, spanners, strict=True))
    )


def shown_decimals(results: StudyResults, outcome: str) -> int:
    """Return the decimals at which every table shows effects on an outcome."""
    effects = [
        find_effect(results, outcome, panel.design, panel.spec)
        for panel in results.settings.exhibit.panels
    ]
    present = [effect for effect in effects if effect is not None]
    return effect_decimals(present, results.settings.exhibit.decimals)


def _panel(results: StudyResults, index: int, outcomes: list[str], decimals: list[int]) -> Panel:
    chosen = results.settings.exhibit.panels[index]
    effects = [find_effect(results, name, chosen.design, chosen.spec) for name in outcomes]
    pairs = list(zip(effects, decimals, strict=True))
    stars = results.settings.exhibit.stars
    level = 100 * results.settings.estimate.conf_level
    rows = (
        Row("Average effect on treated", tuple(_estimate(e, d, stars) for e, d in pairs)),
        Row("", tuple(_std_error(e, d) for e, d in pairs)),
        Row(f"{level:g}% CI", tuple(_interval(e, d) for e, d in pairs)),
        Row(
            "Treated / comparison",
            tuple(_counts(e, "n_treated", "n_control") for e in effects),
        ),
        Row("Observations", tuple(_counts(e, "n_obs") for e in effects)),
    )
    return Panel(f"Panel {panel_letter(index)}. {chosen.label}", rows)


def _estimate(effect: Effect | None, decimals: int, stars: bool) -> Cell:
    if effect is None or math.isnan(effect.estimate):
        return DASH
    return Number(effect.estimate, decimals, suffix=_stars(effect.p_value) if stars else "")


def _stars(p_value: float) -> str:
    return "*" * sum(p_value < level for level in (0.1, 0.05, 0.01))


def _std_error(effect: Effect | None, decimals: int) -> Cell:
    if effect is None or not effect.estimated:
        return None
    return Number(effect.std_error, decimals, "parenthesis")


def _interval(effect: Effect | None, decimals: int) -> Cell:
    if effect is None or math.isnan(effect.conf_low) or math.isnan(effect.conf_high):
        return None
    return Interval(effect.conf_low, effect.conf_high, decimals)


def _counts(effect: Effect | None, *names: str) -> Cell:
    if effect is None or not effect.estimated:
        return None
    values = [getattr(effect, name) for name in names]
    return None if any(map(math.isnan, values)) else Counts(tuple(int(v) for v in values))


def _baseline_unit(results: StudyResults, outcome: str) -> str:
    chosen = results.settings.outcome(outcome)
    return chosen.scale if chosen.transform == "any" else chosen.unit


def _foot(results: StudyResults, outcomes: list[str]) -> tuple[Row, ...]:
    panel = results.settings.exhibit.panels[headline_panel(results)]
    effects = [find_effect(results, name, panel.design, panel.spec) for name in outcomes]
    means = [results.fact(panel.design, name, "baseline_mean") for name in outcomes]
    smallest = [results.fact(panel.design, name, f"mde[{panel.spec}]") for name in outcomes]
    units = [_baseline_unit(results, name) for name in outcomes]
    firm, year = absorbed(results, panel.spec)
    yes = tuple(Text("Yes") if e is not None and e.estimated else None for e in effects)
    rows = (
        Row(
            "Comparison baseline mean",
            tuple(None if math.isnan(m) else Magnitude(m) for m in means),
        ),
        Row(
            "unit",
            tuple(None if math.isnan(m) else Text(u) for m, u in zip(means, units, strict=True)),
            True,
        ),
        Row(f"{firm} effects", yes),
        Row(f"{year} effects", yes),
        Row("Clusters", tuple(_counts(e, "n_clusters") for e in effects)),
        Row("with treated", tuple(_counts(e, "n_treated_clusters") for e in effects), True),
        Row(
            "Minimum detectable effect",
            tuple(None if math.isnan(m) else Magnitude(m, 2) for m in smallest),
        ),
    )
    return rows
