"""The event study: effects by year since entry, under the headline design and estimator."""

import math
import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pipeline.datasets.samples import BASELINES
from pipeline.exhibits.effect import (
    Effect,
    partial_event_times,
    shown_effect,
    signs_of_open_ends,
    with_open_ends,
)
from pipeline.exhibits.figures.drawing import (
    BLUE,
    GREY,
    ITALIC_P,
    SHADE,
    PanelGrid,
    integer_ticks,
    panel_grid,
    partial_key,
)
from pipeline.exhibits.inputs import StudyResults, find_effects
from pipeline.exhibits.leads import headline_pre_trends
from pipeline.exhibits.ran import conf_level, reference_event_time
from pipeline.exhibits.render import rounding
from pipeline.exhibits.units import percentage_points, unit_words
from pipeline.exhibits.words.fixed_points import fixed_points, told_points
from pipeline.exhibits.words.language import say
from pipeline.params.outcomes import SHARE_SCALE

# Widths of the bars of pointwise intervals and of simultaneous bands, in points.
_THICK, _THIN = 3.0, 0.8

# More characters than two lines of a panel hold.
_LONGEST_LIST = 48

# What stands in place of a p-value, by what can be seen before entry.
_UNTESTED = {
    "hidden": "event_study.pre_trends_not_published",
    "untested": "event_study.no_joint_test",
    "nothing": "event_study.no_pre_trend",
}


def event_study(results: StudyResults) -> Figure:
    """Draw one panel an outcome: hollow markers are zero or close to it by construction.

    Thick bars are pointwise intervals, thin bars simultaneous bands where they were computed;
    a dagger marks event times that some entry years lack.
    """
    outcomes = results.settings.outcomes.intended
    grid = panel_grid(len(outcomes), 2.4)
    for axes, name in zip(grid.panels, outcomes, strict=True):
        _panel(grid, axes, results, name)
    if any(axes.axison for axes in grid.panels):
        grid.figure.legend(handles=_key(results), loc="outside upper center", ncols=4)
    grid.figure.supxlabel(say("event_time.years_since_entry"), size=9)
    grid.figure.supylabel(say("event_study.effect"), size=9)
    return grid.figure


def _key(results: StudyResults) -> list[Line2D]:
    """Return what hollow markers, bars and daggers mean, for those that are drawn."""
    level = f"{100 * conf_level(results):g}%"
    every = [_effects(results, name) for name in results.settings.outcomes.intended]
    bands = any(
        _effects(results, name, "simultaneous") for name in results.settings.outcomes.intended
    )
    hollow: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": BLUE}
    fixed = told_points(results, "event_study")
    return [
        *([Line2D([], [], linestyle="none", marker="o", label=fixed, **hollow)] if fixed else []),
        Line2D(
            [], [], color=BLUE, linewidth=_THICK, label=say("event_study.interval", level=level)
        ),
        *(
            [
                Line2D(
                    [], [], color=BLUE, linewidth=_THIN, label=say("event_study.band", level=level)
                )
            ]
            if bands
            else []
        ),
        *([partial_key()] if any(map(partial_event_times, every)) else []),
    ]


def _effects(results: StudyResults, name: str, band: str = "pointwise") -> dict[int, Effect]:
    headline = results.settings.estimate.headline
    found = with_open_ends(find_effects(results, name, headline.design, headline.spec, band))
    return {time: shown_effect(effect) for time, effect in found.items()}


def _panel(grid: PanelGrid, axes: Axes, results: StudyResults, name: str) -> None:
    outcome = results.settings.outcome(name)
    grid.title(axes, outcome.label, _subtitle(results, name))
    effects = _effects(results, name)
    drawn = {time: effect for time, effect in effects.items() if not math.isnan(effect.estimate)}
    if not outcome.observed or not drawn:
        reason = (
            say("note.not_observed", reason=outcome.reason)
            if outcome.reason
            else say("event_study.no_effect_by_event_time")
        )
        grid.say_instead(axes, reason)
        return
    axes.set_ylabel(unit_words(outcome.scale), size=8)
    _bars(axes, _effects(results, name, "simultaneous"), _THIN)
    _bars(axes, drawn, _THICK)
    _markers(axes, drawn, fixed_points(results, name))
    _before_entry(grid, axes, results, drawn)
    _pre_trends(axes, _pre_trend_words(results, name))


def _subtitle(results: StudyResults, name: str) -> str:
    """Return the comparison firms' mean in the reference year, with its unit."""
    outcome = results.settings.outcome(name)
    design = results.settings.estimate.headline.design
    key = {"design": design, "outcome": name, "treated": False}
    mean = results.details.figure(BASELINES, "mean", **key).value
    if not outcome.observed or math.isnan(mean):
        return ""
    if outcome.scale == SHARE_SCALE:
        shown = rounding.in_significant_digits(percentage_points(mean))
        return say("event_study.baseline_share", shown=shown)
    shown = rounding.in_significant_digits(mean)
    return say("event_study.baseline_mean", shown=shown, unit=outcome.unit)


def _bars(axes: Axes, effects: dict[int, Effect], width: float) -> None:
    shown = {time: e for time, e in effects.items() if not math.isnan(e.conf_low)}
    axes.vlines(
        list(shown),
        [effect.conf_low for effect in shown.values()],
        [effect.conf_high for effect in shown.values()],
        color=BLUE,
        linewidth=width,
    )


def _markers(axes: Axes, effects: dict[int, Effect], hollow: set[int]) -> None:
    """Draw points: white with a blue rim where the design or the reference fixes the value."""
    for is_hollow in (False, True):
        chosen = {time: e for time, e in effects.items() if (time in hollow) == is_hollow}
        axes.plot(
            list(chosen),
            [effect.estimate for effect in chosen.values()],
            linestyle="none",
            marker="o",
            markersize=5 if is_hollow else 4.5,
            markerfacecolor="white" if is_hollow else BLUE,
            markeredgecolor=BLUE if is_hollow else "white",
            markeredgewidth=1.1 if is_hollow else 0.6,
            zorder=3,
        )


def _before_entry(
    grid: PanelGrid, axes: Axes, results: StudyResults, effects: dict[int, Effect]
) -> None:
    times = sorted(effects)
    edge = reference_event_time(results) + 0.5
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    axes.axvline(edge, color=GREY, linewidth=0.6, linestyle=(0, (4, 3)), zorder=0)
    axes.axvspan(times[0] - 0.6, edge, color=SHADE, linewidth=0, zorder=-1)
    axes.set_xlim(times[0] - 0.6, times[-1] + 0.6)
    partial = partial_event_times(effects)
    whole = list(range(times[0], times[-1] + 1))
    integer_ticks(grid, axes, whole, partial, signs_of_open_ends(effects))


def _pre_trends(axes: Axes, words: str) -> None:
    """Print the joint pre-trend p-value; where there is none, say that nothing can be seen."""
    low, high = axes.get_ylim()
    # Head room for the lines of text, as a share of the panel's height.
    share = 0.05 + 0.1 * (words.count("\n") + 1)
    axes.set_ylim(low, low + (high - low) / (1 - share))
    axes.text(
        0.03,
        0.97,
        words,
        transform=axes.transAxes,
        ha="left",
        va="top",
        color=GREY,
        size=7.5,
    )


def _pre_trend_words(results: StudyResults, name: str) -> str:
    found = headline_pre_trends(results, name)
    if found.seen != "tested":
        return say(_UNTESTED[found.seen])
    p_value = found.test.p_value
    p_words = f"{ITALIC_P} = {rounding.fixed(p_value, 2)}"
    if rounding.reads_zero(p_value, 2):
        p_words = f"{ITALIC_P} < {rounding.least(2)}"
    partial = textwrap.wrap(_entry_years(found.entry_years), 24)
    return "\n".join([say("event_study.pre_trends"), *partial, p_words])


def _entry_years(years: tuple[int, ...]) -> str:
    """Return which entry years alone have effects before entry; `some` where they are many."""
    if not years:
        return ""
    told = say("event_study.entry_years", years=", ".join(map(str, years)))
    return told if len(told) <= _LONGEST_LIST else say("event_study.some_entry_years_only")
