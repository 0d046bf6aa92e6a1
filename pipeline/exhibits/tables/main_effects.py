"""The main table: one column an outcome, one panel a design under one estimator."""

import math
from collections.abc import Callable

from pipeline.datasets.samples import BASELINES
from pipeline.exhibits.details import Figure
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults, find_effect, pre_trend_result
from pipeline.exhibits.numbers import relative_size
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.effect_cells import (
    estimate_cell,
    interval_cell,
    interval_label,
    std_error_cell,
)
from pipeline.exhibits.tables.panels import Shown, main_letter, main_panels, tests_pre_trends
from pipeline.exhibits.tables.parts import by_outcome_and_panel, unobserved_notes
from pipeline.exhibits.tables.table import (
    DASH,
    HIDDEN,
    Cell,
    Magnitude,
    Panel,
    Row,
    Table,
    TableColumn,
    Text,
    WholeNumbers,
)
from pipeline.exhibits.units import percentage_points, unit_words
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.in_full import asks_for_all
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.main_notes import main_notes
from pipeline.exhibits.words.short_notes import short_notes
from pipeline.params.exhibit import PanelSection as ChosenPanel
from pipeline.params.outcomes import SHARE_SCALE


def main_effects(results: StudyResults) -> list[Table]:
    """Return the main table: at most four outcomes a table, fewer where their numbers are wide.

    At most three panels, fewer where notes in full are too long for a page. Column numbers run on;
    panels beyond three are variants.
    """
    return effect_tables(results, main_panels(results), _table)


def effect_tables(
    results: StudyResults,
    panels: dict[str, ChosenPanel],
    make: Callable[[StudyResults, Shown], Table],
) -> list[Table]:
    """Return tables of panels by letter, each of the outcomes and panels that fit its page."""
    return by_outcome_and_panel(
        results,
        panels,
        lambda part, letters: make(results, Shown(part, {k: panels[k] for k in letters})),
    )


def _table(results: StudyResults, shown: Shown) -> Table:
    notes = main_notes if asks_for_all(results) else short_notes
    return Table(
        columns=outcome_columns(results, shown.columns),
        panels=tuple(effect_panel(results, shown, letter) for letter in shown.panels),
        foot=_foot(results, shown),
        notes=(*notes(results, shown), *(unobserved_notes(results) if 1 in shown.columns else [])),
        source=results.settings.exhibit.source,
    )


def outcome_columns(results: StudyResults, numbered: dict[int, str]) -> tuple[TableColumn, ...]:
    """Return one numbered column an outcome; outcomes of one family share a spanner."""
    outcomes = {n: results.settings.outcome(name) for n, name in numbered.items()}
    families = [outcome.family for outcome in outcomes.values()]
    return tuple(
        TableColumn(
            results.plain_name(numbered[column]),
            unit_words(outcome.scale),
            column,
            _spanner(outcome.family, families),
        )
        for column, outcome in outcomes.items()
    )


def _spanner(family: str, families: list[str]) -> str:
    return capitalised(family) if family != "main" and families.count(family) > 1 else ""


def effect_panel(results: StudyResults, shown: Shown, letter: str) -> Panel:
    """Return the effects of one panel."""
    chosen, names = shown.panels[letter], shown.columns.values()
    effects = {name: find_effect(results, name, chosen.design, chosen.spec) for name in names}
    pairs = [(effect, results.decimals[name]) for name, effect in effects.items()]
    rows = _effect_rows(results, pairs)
    if tests_pre_trends(results, chosen.spec):
        tests = tuple(_pre_trends(results, chosen, name, e) for name, e in effects.items())
        rows.append(Row(say("main_effects.pre_trend_p"), tests))
    return Panel(say("main_effects.panel", letter=letter, label=chosen.label), tuple(rows))


def _effect_rows(results: StudyResults, pairs: list[tuple[Effect | None, int]]) -> list[Row]:
    """Return estimates, their errors and intervals, and the firms behind them."""
    stars = results.settings.exhibit.stars
    return [
        Row(
            say("row.average_effect"),
            tuple(estimate_cell(e, d, _stars(e) if stars else "") for e, d in pairs),
        ),
        Row("", tuple(std_error_cell(e, d) for e, d in pairs)),
        Row(interval_label(results), tuple(interval_cell(e, d) for e, d in pairs)),
        Row(
            say("row.treated_and_comparison"),
            tuple(_counts(e, "n_treated", "n_control") for e, _ in pairs),
        ),
    ]


def _stars(effect: Effect | None) -> str:
    p_value = math.nan if effect is None else effect.p_value
    return "*" * sum(p_value < level for level in (0.1, 0.05, 0.01))


def _counts(effect: Effect | None, *names: str) -> Cell:
    """Return sizes behind an estimate; they stand also where it has no standard error."""
    if effect is None or math.isnan(effect.estimate):
        return None
    values = [getattr(effect, name) for name in names]
    return None if any(map(math.isnan, values)) else WholeNumbers(tuple(int(v) for v in values))


def _pre_trends(
    results: StudyResults, panel: ChosenPanel, outcome: str, effect: Effect | None
) -> Cell:
    """Return the p-value of the joint test, a dash where there is none."""
    if effect is None or not effect.estimated:
        return None
    test = pre_trend_result(results, outcome, panel.design, panel.spec)
    if math.isnan(test.p_value):
        return HIDDEN if test.hidden else DASH
    return Text(rounding.positive(test.p_value, 2))


def _baseline_unit(results: StudyResults, outcome: str) -> str:
    chosen = results.settings.outcome(outcome)
    firms = results.settings.exhibit.firms
    share = chosen.transform == "any"
    return say("main_effects.percent_of_firms", firms=firms) if share else chosen.unit


def _foot(results: StudyResults, shown: Shown) -> tuple[Row, ...]:
    panel = shown.panels[main_letter(results, shown)]
    names = list(shown.columns.values())
    effects = [find_effect(results, name, panel.design, panel.spec) for name in names]
    means = [_comparison_mean(results, panel, name) for name in names]
    units = [_baseline_unit(results, name) for name in names]
    scales = [results.settings.outcome(name).scale for name in names]
    relative = tuple(_relative(results, panel, n, e) for n, e in zip(names, effects, strict=True))
    return (
        Row(
            say("main_effects.comparison_mean"),
            tuple(_baseline(m, s) for m, s in zip(means, scales, strict=True)),
        ),
        Row(
            say("row.unit"),
            tuple(Text(u) if m.known else None for m, u in zip(means, units, strict=True)),
            True,
        ),
        *([Row(say("main_effects.relative"), relative)] if any(relative) else []),
        Row(say("main_effects.observations"), tuple(_counts(e, "n_obs") for e in effects)),
        Row(
            say("main_effects.clusters_and_treated"),
            tuple(_counts(e, "n_clusters", "n_treated_clusters") for e in effects),
        ),
    )


def _relative(
    results: StudyResults, panel: ChosenPanel, outcome: str, effect: Effect | None
) -> Cell:
    """Return an effect on a level in percent of the baseline mean; nothing for other outcomes."""
    if effect is None or math.isnan(effect.estimate):
        return None
    size = relative_size(results, panel.design, outcome, effect)
    return None if math.isnan(size) else Magnitude(size, 2)


def _comparison_mean(results: StudyResults, panel: ChosenPanel, outcome: str) -> Figure:
    key = {"design": panel.design, "outcome": outcome, "treated": False}
    return results.details.figure(BASELINES, "mean", **key)


def _baseline(mean: Figure, scale: str) -> Cell:
    if mean.hidden:
        return HIDDEN
    return (
        Magnitude(percentage_points(mean.value) if scale == SHARE_SCALE else mean.value)
        if mean.known
        else None
    )
