"""The main table: one column an outcome, one panel a design under one estimator."""

import math
from functools import cache

from pipeline.datasets.samples import BASELINES
from pipeline.exhibits.details import Figure
from pipeline.exhibits.inputs import Effect, StudyResults, find_effect, pre_trend_result
from pipeline.exhibits.numbers import effect_decimals
from pipeline.exhibits.ran import ran_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.render.latex import fits, fits_page
from pipeline.exhibits.tables.effect_cells import (
    estimate_cell,
    interval_cell,
    interval_label,
    std_error_cell,
)
from pipeline.exhibits.tables.panels import Shown, lettered_panels, main_letter, tests_pre_trends
from pipeline.exhibits.tables.parts import MOST_COLUMNS, by_file_name, fewest_parts
from pipeline.exhibits.tables.table import (
    DASH,
    HIDDEN,
    Cell,
    Magnitude,
    Panel,
    Row,
    Table,
    TableColumn,
    TablePart,
    Text,
    WholeNumbers,
)
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.in_full import asks_for_all
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.main_notes import main_notes
from pipeline.exhibits.words.scales import scale_words
from pipeline.exhibits.words.short_notes import short_notes
from pipeline.params.exhibit import PanelSection as ChosenPanel

_MOST_PANELS = 4


def main_effects(results: StudyResults) -> dict[str, Table]:
    """Return the main table by file name, split evenly where it does not fit a page.

    At most four outcomes a table, fewer where their numbers are wide, and at most four panels,
    fewer where notes are long; column numbers and panel letters run on. Further outcomes are in
    `main_effects_2`, further panels in `main_effects_panels_2`.
    """
    columns = dict(enumerate(results.settings.outcomes.intended, start=1))
    panels = lettered_panels(results)

    @cache
    def table(numbers: tuple[int, ...], letters: tuple[str, ...]) -> Table:
        own = {letter: panels[letter] for letter in letters}
        return _table(results, Shown({number: columns[number] for number in numbers}, own))

    every = tuple(panels)
    parts = fewest_parts(list(columns), MOST_COLUMNS, lambda part: fits(table(tuple(part), every)))
    across = [tuple(part) for part in parts]
    parts_down = fewest_parts(
        list(panels),
        _MOST_PANELS,
        lambda part: all(fits_page(table(some, tuple(part))) for some in across),
    )
    return by_file_name(
        {
            TablePart("main_effects", i, j): table(some, tuple(letters))
            for j, letters in enumerate(parts_down, start=1)
            for i, some in enumerate(across, start=1)
        }
    )


def _table(results: StudyResults, shown: Shown) -> Table:
    decimals = {name: shown_decimals(results, name) for name in shown.columns.values()}
    notes = main_notes if asks_for_all(results) else short_notes
    return Table(
        columns=outcome_columns(results, shown.columns),
        panels=tuple(_panel(results, shown, letter, decimals) for letter in shown.panels),
        foot=_foot(results, shown),
        notes=notes(results, shown),
        source=results.settings.exhibit.source,
    )


def outcome_columns(results: StudyResults, numbered: dict[int, str]) -> tuple[TableColumn, ...]:
    """Return one numbered column an outcome; outcomes of one family share a spanner."""
    outcomes = {n: results.settings.outcome(name) for n, name in numbered.items()}
    families = [outcome.family for outcome in outcomes.values()]
    return tuple(
        TableColumn(
            outcome.label,
            scale_words(outcome.scale) if outcome.observed else "",
            column,
            _spanner(outcome.family, families),
        )
        for column, outcome in outcomes.items()
    )


def _spanner(family: str, families: list[str]) -> str:
    return capitalised(family) if family != "main" and families.count(family) > 1 else ""


def shown_decimals(results: StudyResults, outcome: str) -> int:
    """Return the decimals at which every table shows effects on an outcome."""
    effects = [
        find_effect(results, outcome, panel.design, panel.spec)
        for panel in results.settings.exhibit.panels
    ]
    present = [effect for effect in effects if effect is not None]
    return effect_decimals(present, results.settings.exhibit.decimals)


def _panel(results: StudyResults, shown: Shown, letter: str, decimals: dict[str, int]) -> Panel:
    chosen = shown.panels[letter]
    effects = {name: find_effect(results, name, chosen.design, chosen.spec) for name in decimals}
    pairs = [(effects[name], places) for name, places in decimals.items()]
    stars = results.settings.exhibit.stars
    rows = [
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
        Row(say("main_effects.observations"), tuple(_counts(e, "n_obs") for e, _ in pairs)),
    ]
    if tests_pre_trends(results, chosen.spec):
        tests = tuple(_pre_trends(results, chosen, name, e) for name, e in effects.items())
        rows.append(Row(say("main_effects.pre_trend_p"), tests))
    return Panel(say("main_effects.panel", letter=letter, label=chosen.label), tuple(rows))


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
    return scale_words(chosen.scale) if chosen.transform == "any" else chosen.unit


def _foot(results: StudyResults, shown: Shown) -> tuple[Row, ...]:
    panel = shown.panels[main_letter(results, shown)]
    names = list(shown.columns.values())
    effects = [find_effect(results, name, panel.design, panel.spec) for name in names]
    means = [_comparison_mean(results, panel, name) for name in names]
    place = {"design": panel.design, "estimator": panel.spec}
    smallest = [results.details.detectable("effect", {**place, "outcome": name}) for name in names]
    units = [_baseline_unit(results, name) for name in names]
    absorbs = [e is not None and not math.isnan(e.estimate) for e in effects]
    fixed = tuple(Text(say("main_effects.yes")) if known else None for known in absorbs)
    return (
        Row(
            say("main_effects.comparison_mean"),
            tuple(_baseline(mean) for mean in means),
        ),
        Row(
            say("row.unit"),
            tuple(Text(u) if m.known else None for m, u in zip(means, units, strict=True)),
            True,
        ),
        *(
            []
            if _of_differences(results, panel)
            else [Row(say("main_effects.fixed_effects"), fixed)]
        ),
        Row(
            say("main_effects.clusters_and_treated"),
            tuple(_counts(e, "n_clusters", "n_treated_clusters") for e in effects),
        ),
        Row(
            say("main_effects.detectable_effect"),
            tuple(None if math.isnan(m) else Magnitude(m, 2) for m in smallest),
        ),
    )


def _comparison_mean(results: StudyResults, panel: ChosenPanel, outcome: str) -> Figure:
    key = {"design": panel.design, "outcome": outcome, "treated": False}
    return results.details.figure(BASELINES, "mean", **key)


def _baseline(mean: Figure) -> Cell:
    if mean.hidden:
        return HIDDEN
    return Magnitude(mean.value) if mean.known else None


def _of_differences(results: StudyResults, panel: ChosenPanel) -> bool:
    """Say whether a panel's effects are differences of means, which absorb nothing."""
    rows = ran_on(results, panel.spec, [panel.design], results.settings.outcomes.intended)
    return all(row.code("firm_effects") == "differenced" for row in rows)
