"""What the look before entry could have seen: effects before entry, and drifts that it finds."""

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.exhibits.checks.outcome_checks import FOUND_WITH, drift_missed
from pipeline.exhibits.checks.verdicts import readers_value
from pipeline.exhibits.figures.drawing import (
    BLUE,
    GREY,
    ORANGE,
    SHADE,
    PanelGrid,
    integer_ticks,
    panel_grid,
)
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import translated_unit, translated_value
from pipeline.exhibits.panels.event_effects import shown_effects
from pipeline.exhibits.ran import ran_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.findings import headline_effect
from pipeline.exhibits.words.language import say

_COLUMNS = ["outcome", "event_time", "estimate", "conf_low", "conf_high", "drift"]


def pre_trend_data(results: StudyResults) -> pd.DataFrame:
    """Return effects by event time, with the drift that the test finds with power 0.8."""
    lines: list[tuple[object, ...]] = []
    for name in results.settings.outcomes.intended:
        slope, reference = drift_missed(results, name), _reference(results, name)
        if math.isnan(slope):
            continue
        for time, e in shown_effects(results, name).items():
            values = (e.estimate, e.conf_low, e.conf_high, slope * (time - reference))
            lines.append((name, time, *(readers_value(e, value) for value in values)))
    return pd.DataFrame(lines, columns=_COLUMNS)


def pre_trend_power(results: StudyResults) -> Figure:
    """Draw one panel an outcome: the drift that the test would miss goes on after entry."""
    data = pre_trend_data(results)
    names = list(dict.fromkeys(data["outcome"]))
    grid = panel_grid(len(names), 2.3)
    for axes, name in zip(grid.panels, names, strict=True):
        _panel(grid, axes, results, data[data["outcome"] == name])
        grid.title(axes, results.plain_name(name), _reading(results, name))
    grid.figure.supxlabel(say("event_time.years_since_entry"), size=9)
    return grid.figure


def _reference(results: StudyResults, outcome: str) -> int:
    headline = results.settings.estimate.headline
    return ran_on(results, headline.spec, [headline.design], [outcome])[0].number("base_event_time")


def _reading(results: StudyResults, name: str) -> str:
    """Say which drift a year the test finds, and how often."""
    effect = headline_effect(results, name) or next(iter(shown_effects(results, name).values()))
    slope = translated_value(effect, drift_missed(results, name))
    power = rounding.whole(100 * FOUND_WITH)
    return say("pre_trend_plot.found", slope=slope, unit=translated_unit(effect), power=power)


def _panel(grid: PanelGrid, axes: Axes, results: StudyResults, rows: pd.DataFrame) -> None:
    name = str(rows["outcome"].iloc[0])
    reference, times = _reference(results, name), [int(time) for time in rows["event_time"]]
    axes.axvspan(min(times) - 0.5, reference + 0.5, color=SHADE, zorder=0)
    axes.axhline(0, color=GREY, linewidth=0.7)
    for row in rows.to_dict("records"):
        time = row["event_time"]
        color, fixed = BLUE if time >= 0 else GREY, math.isnan(row["conf_low"])
        if not fixed:
            axes.vlines(time, row["conf_low"], row["conf_high"], color=color, linewidth=2.2)
        look: dict[str, Any] = {"color": color, "markerfacecolor": "white" if fixed else color}
        axes.plot(time, row["estimate"], marker="o" if time >= 0 else "s", markersize=4, **look)
    axes.plot(times, rows["drift"], color=ORANGE, linestyle="-.", linewidth=1.2)
    integer_ticks(grid, axes, times)
    effect = next(iter(shown_effects(results, name).values()))
    axes.set_ylabel(translated_unit(effect), size=8)
