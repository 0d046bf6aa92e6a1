"""The event study: effects by year since entry, under the headline design and estimator."""

import math
import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.exhibits import rounding
from pipeline.exhibits.design_words import matched_event_times
from pipeline.exhibits.figures import (
    BLUE,
    GREY,
    SHADE,
    PanelGrid,
    integer_ticks,
    panel_grid,
)
from pipeline.exhibits.inputs import (
    Effect,
    StudyResults,
    by_event_time,
    find_effects,
    lead_notes,
    pre_trend_p,
)
from pipeline.exhibits.numbers import SHARE_SCALE, percentage_points


def event_study(results: StudyResults) -> Figure:
    """Draw one panel an outcome: hollow markers are zero or close to it by construction.

    Thick bars are pointwise intervals, thin bars simultaneous bands where they were computed.
    """
    outcomes = results.settings.outcomes.root
    grid = panel_grid(len(outcomes), 2.3)
    for axes, name in zip(grid.panels, outcomes, strict=True):
        _panel(grid, axes, results, name)
    grid.figure.supxlabel("Years since entry", size=9)
    grid.figure.supylabel("Effect", size=9)
    return grid.figure


def _panel(grid: PanelGrid, axes: Axes, results: StudyResults, name: str) -> None:
    outcome = results.settings.outcome(name)
    grid.title(axes, outcome.label, _subtitle(results, name))
    headline = results.settings.estimate.headline
    effects = by_event_time(find_effects(results, name, headline.design, headline.spec))
    drawn = {time: effect for time, effect in effects.items() if not math.isnan(effect.estimate)}
    if not outcome.observed or not drawn:
        reason = f"not observed: {outcome.reason}" if outcome.reason else "no effect by event time"
        grid.say_instead(axes, reason)
        return
    factor = percentage_points(1) if outcome.scale == SHARE_SCALE else 1
    bands = by_event_time(
        find_effects(results, name, headline.design, headline.spec, "simultaneous")
    )
    _bars(axes, bands, factor, 0.8)
    _bars(axes, drawn, factor, 3)
    hollow = {results.settings.treatment.reference_event_time}
    hollow |= matched_event_times(results.settings, name, headline.design)
    _markers(axes, drawn, factor, hollow)
    _before_entry(axes, results, sorted(drawn))
    _pre_trends(axes, _pre_trend_words(results, name, lead_notes(drawn, results)))


def _subtitle(results: StudyResults, name: str) -> str:
    """Return the unit of the effect and the comparison firms' mean in the reference year."""
    outcome = results.settings.outcome(name)
    if not outcome.observed:
        return ""
    design = results.settings.estimate.headline.design
    mean = results.fact(design, name, "baseline_mean")
    unit = "percentage points" if outcome.scale == SHARE_SCALE else outcome.scale
    if math.isnan(mean):
        return unit
    shown = rounding.significant(mean)
    if outcome.scale == SHARE_SCALE:
        return f"{unit}; baseline share {shown}"
    return f"{unit}; baseline mean {shown} {outcome.unit}"


def _bars(axes: Axes, effects: dict[int, Effect], factor: float, width: float) -> None:
    shown = {time: e for time, e in effects.items() if not math.isnan(e.conf_low)}
    axes.vlines(
        list(shown),
        [factor * effect.conf_low for effect in shown.values()],
        [factor * effect.conf_high for effect in shown.values()],
        color=BLUE,
        linewidth=width,
    )


def _markers(axes: Axes, effects: dict[int, Effect], factor: float, hollow: set[int]) -> None:
    """Draw points: white with a blue rim where the design or the reference fixes the value."""
    for is_hollow in (False, True):
        chosen = {time: e for time, e in effects.items() if (time in hollow) == is_hollow}
        axes.plot(
            list(chosen),
            [factor * effect.estimate for effect in chosen.values()],
            linestyle="none",
            marker="o",
            markersize=5 if is_hollow else 4.5,
            markerfacecolor="white" if is_hollow else BLUE,
            markeredgecolor=BLUE if is_hollow else "white",
            markeredgewidth=1.1 if is_hollow else 0.6,
            zorder=3,
        )


def _before_entry(axes: Axes, results: StudyResults, times: list[int]) -> None:
    edge = results.settings.treatment.reference_event_time + 0.5
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    axes.axvline(edge, color=GREY, linewidth=0.6, linestyle=(0, (4, 3)), zorder=0)
    axes.axvspan(times[0] - 0.6, edge, color=SHADE, linewidth=0, zorder=-1)
    axes.set_xlim(times[0] - 0.6, times[-1] + 0.6)
    integer_ticks(axes, list(range(times[0], times[-1] + 1)))


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


def _pre_trend_words(results: StudyResults, name: str, partial: str) -> str:
    if not math.isnan(p_value := pre_trend_p(results, name)):
        shown = rounding.positive(p_value, 2)
        p_words = f"$p$ < {shown[1:]}" if shown.startswith("<") else f"$p$ = {shown}"
        return "\n".join(
            ["pre-trends", *textwrap.wrap(partial.replace("entry years", "entry"), 24), p_words]
        )
    return "no pre-trend\ncan be seen"
