"""Figures of intervals one below the other: choices, the forest of groups, arms and rings."""

import textwrap
from collections.abc import Callable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.exhibits.arms import exposed_arms
from pipeline.exhibits.checks.verdicts import readers_value
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.figures.drawing import BLUE, GREY, WIDTH_INCHES
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import translated_unit
from pipeline.exhibits.panels.arms import arm_rows
from pipeline.exhibits.panels.choices import choice_rows
from pipeline.exhibits.panels.groups import forest_rows
from pipeline.exhibits.panels.pools import pool_rows
from pipeline.exhibits.panels.rows import DrawnRow
from pipeline.exhibits.shown_outcomes import card_outcomes
from pipeline.exhibits.words.language import say

# Inches that a row takes, and characters of a line above a panel of three.
_ROW, _TITLE = 0.19, 24

_ZONE = "#E3F0F8"

_Rows = dict[str, list[DrawnRow]]


def choices(results: StudyResults) -> Figure:
    """Draw the average effect by design and estimator, with how many intervals exclude zero."""
    return _figure(results, _of(results, choice_rows), _clear_of_zero)


def choices_data(results: StudyResults) -> pd.DataFrame:
    """Return what `choices` plots, in the reader's unit."""
    return _data(_of(results, choice_rows))


def forest(results: StudyResults) -> Figure:
    """Draw the average effect in every group, all firms above them."""
    return _figure(results, _of(results, forest_rows), _overlapping)


def forest_data(results: StudyResults) -> pd.DataFrame:
    """Return what `forest` plots, in the reader's unit."""
    return _data(_of(results, forest_rows))


def arms(results: StudyResults) -> Figure:
    """Draw the effect in every arm, those out of reach at zero, and what arms come to together."""
    return _figure(results, _of(results, arm_rows), _exposed_clear(results))


def arms_data(results: StudyResults) -> pd.DataFrame:
    """Return what `arms` plots, in the reader's unit."""
    return _data(_of(results, arm_rows))


def pools_figure(results: StudyResults) -> Figure:
    """Draw the effect under each comparison pool, hollow where it differs from the clean one."""
    return _figure(results, _of(results, pool_rows), _different)


def pools_data(results: StudyResults) -> pd.DataFrame:
    """Return what `pools_figure` plots, in the reader's unit."""
    return _data(_of(results, pool_rows))


def _of(results: StudyResults, make: Callable[[StudyResults, str], list[DrawnRow]]) -> _Rows:
    found = {name: make(results, name) for name in card_outcomes(results)}
    return {name: rows for name, rows in found.items() if rows}


def _data(rows: _Rows) -> pd.DataFrame:
    """Return a line an interval, with the heading that it stands under."""
    lines = []
    for outcome, drawn in rows.items():
        heading = ""
        for row in drawn:
            heading = heading if row.effect is not None else row.name
            if row.effect is not None:
                ends = (row.effect.estimate, row.effect.conf_low, row.effect.conf_high)
                estimate, low, high = (readers_value(row.effect, end) for end in ends)
                line: dict[str, Any] = {"outcome": outcome, "heading": heading, "name": row.name}
                line |= {"firms": row.aside, "headline": row.main, "biased": row.hollow}
                lines.append({**line, "estimate": estimate, "conf_low": low, "conf_high": high})
    return pd.DataFrame(lines)


def _effects(rows: list[DrawnRow]) -> list[Effect]:
    return [row.effect for row in rows if row.effect is not None and not row.hollow]


def _clear_of_zero(rows: list[DrawnRow]) -> str:
    effects = _effects(rows)
    clear = sum(not effect.conf_low <= 0 <= effect.conf_high for effect in effects)
    return say("interval_rows.clear", clear=clear, n=len(effects))


def _overlapping(rows: list[DrawnRow]) -> str:
    """Count the groups whose interval holds the effect on all firms."""
    everyone, *groups = _effects(rows)
    holding = sum(e.conf_low <= everyone.estimate <= e.conf_high for e in groups)
    return say("interval_rows.holding", holding=holding, n=len(groups))


def _exposed_clear(results: StudyResults) -> Callable[[list[DrawnRow]], str]:
    """Return what counts the exposed arms clear of zero; all arms where none is of exposed."""
    labels = {results.settings.arm_label(arm) for arm in exposed_arms(results)}
    if not labels:
        return _clear_of_zero

    def counted(rows: list[DrawnRow]) -> str:
        effects = _effects([row for row in rows if row.name in labels])
        clear = sum(not effect.conf_low <= 0 <= effect.conf_high for effect in effects)
        return say("interval_rows.exposed_clear", clear=clear, n=len(effects))

    return counted


def _different(rows: list[DrawnRow]) -> str:
    """Count the pools whose effect differs from that under the clean one."""
    differ, others = sum(row.hollow for row in rows), len(rows) - 1
    return say("interval_rows.differ", differ=differ, n=others)


def _figure(results: StudyResults, rows: _Rows, reading: Callable[[list[DrawnRow]], str]) -> Figure:
    size = (WIDTH_INCHES, 1.0 + _ROW * max(map(len, rows.values())))
    figure = Figure(figsize=size, layout="constrained")
    places = figure.subplots(1, len(rows), squeeze=False)[0]
    for axes, (name, drawn) in zip(places, rows.items(), strict=True):
        _panel(axes, drawn, first=axes is places[0])
        words = textwrap.wrap(results.plain_name(name), _TITLE) + textwrap.wrap(
            reading(drawn), _TITLE
        )
        axes.set_title("\n".join(words), size=8)
    return figure


def _panel(axes: Axes, rows: list[DrawnRow], *, first: bool) -> None:
    main = next(row.effect for row in rows if row.main and row.effect is not None)
    axes.axvspan(*_ends(main), color=_ZONE, zorder=0)
    axes.axvline(0, color=GREY, linewidth=0.8, zorder=1)
    for place, row in enumerate(rows):
        if row.effect is not None:
            _interval(axes, row, row.effect, len(rows) - 1 - place)
    labels = [f"{row.name}  {row.aside}".rstrip() for row in rows]
    axes.set_yticks(range(len(rows) - 1, -1, -1), labels if first else [""] * len(rows))
    for tick, row in zip(axes.get_yticklabels(), rows, strict=True):
        tick.set_fontsize(7)
        tick.set_fontweight("bold" if row.effect is None or row.main else "normal")
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlabel(say("page.effect_axis", unit=translated_unit(main)), size=8)


def _ends(effect: Effect) -> tuple[float, float]:
    return readers_value(effect, effect.conf_low), readers_value(effect, effect.conf_high)


def _interval(axes: Axes, row: DrawnRow, effect: Effect, height: int) -> None:
    color = BLUE if row.main else GREY
    look: dict[str, Any] = {"color": color, "markersize": 5, "linestyle": "none"}
    axes.hlines(height, *_ends(effect), color=color, linewidth=1.8 if row.main else 1.1)
    axes.plot(
        readers_value(effect, effect.estimate),
        height,
        marker="D" if row.main else "s",
        markerfacecolor="white" if row.hollow else color,
        **look,
    )
