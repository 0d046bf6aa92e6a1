"""The first figure: mean outcomes of treated and comparison firms by year since entry."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.exhibits.effect import by_event_time, partial_event_times
from pipeline.exhibits.figures.drawing import (
    BLUE,
    GREY,
    MIDDLE,
    ORANGE,
    PanelGrid,
    integer_ticks,
    panel_grid,
    partial_key,
)
from pipeline.exhibits.inputs import StudyResults, find_effects
from pipeline.exhibits.ran import reference_event_time
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.scales import scale_words
from pipeline.params.outcomes import Outcome


@dataclass(frozen=True)
class _Look:
    """Hold the look of one line, so that grey print still tells the lines apart."""

    label: str
    style: str
    marker: str
    color: str
    fill: str


_TREATED = _Look("column.treated", "-", "o", BLUE, BLUE)
_MATCHED = _Look("column.comparison_weighted", "--", "s", ORANGE, "white")
_EVERYONE = _Look("column.comparison_all", ":", "", MIDDLE, MIDDLE)


def outcome_paths(results: StudyResults) -> Figure:
    """Draw one panel an outcome under the headline design, all comparison firms in grey."""
    outcomes = results.settings.outcomes.intended
    grid = panel_grid(len(outcomes), 2.1)
    for axes, name in zip(grid.panels, outcomes, strict=True):
        _panel(grid, axes, results, name)
    drawn = [axes for axes in grid.panels if axes.axison]
    if drawn:
        handles, labels = drawn[0].get_legend_handles_labels()
        if any(_partial(results, name) for name in outcomes):
            handles, labels = [*handles, partial_key()], [*labels, partial_key().get_label()]
        grid.figure.legend(handles, labels, loc="outside upper center", ncols=4)
    grid.figure.supylabel(say("outcome_paths.mean"), size=9)
    grid.figure.supxlabel(say("event_time.years_since_entry"), size=9)
    return grid.figure


def _panel(grid: PanelGrid, axes: Axes, results: StudyResults, name: str) -> None:
    outcome = results.settings.outcome(name)
    design = results.settings.estimate.headline.design
    treated, comparison = (_path(results, name, design, group) for group in (True, False))
    grid.title(axes, outcome.label)
    if not outcome.observed or treated.empty:
        reason = outcome.reason or say("outcome_paths.nobody_observed")
        grid.say_instead(axes, say("note.not_observed", reason=reason))
        return
    _line(axes, treated, _TREATED)
    _line(axes, comparison, _MATCHED)
    if design != "unmatched":
        _line(axes, _path(results, name, "unmatched", False), _EVERYONE)
    axes.set_ylabel(_unit(outcome), size=8)
    reference = reference_event_time(results)
    axes.axvline(reference + 0.5, color=GREY, linewidth=0.6, linestyle=(0, (4, 3)))
    integer_ticks(grid, axes, [int(time) for time in treated.index], _partial(results, name))


def _unit(outcome: Outcome) -> str:
    """Return the unit of a mean of the transformed outcome."""
    named = {"log": say("unit.log_of", unit=outcome.unit), "any": say("unit.share")}
    named["asinh"] = scale_words(outcome.scale)
    return named.get(outcome.transform or "", outcome.unit)


def _partial(results: StudyResults, outcome: str) -> dict[int, tuple[int, ...]]:
    """Return the event times at which the headline's sample lacks some entry years."""
    headline = results.settings.estimate.headline
    effects = find_effects(results, outcome, headline.design, headline.spec)
    return partial_event_times(by_event_time(effects))


def _path(results: StudyResults, outcome: str, design: str, treated: bool) -> "pd.Series[float]":
    paths = results.paths
    chosen = paths[
        (paths["outcome"] == outcome) & (paths["design"] == design) & (paths["treated"] == treated)
    ]
    return chosen.set_index("event_time")["mean"].sort_index()


def _line(axes: Axes, path: "pd.Series[float]", look: _Look) -> None:
    axes.plot(
        path.index.to_numpy(dtype=float),
        path.to_numpy(),
        linestyle=look.style,
        marker=look.marker,
        markersize=4,
        markerfacecolor=look.fill,
        linewidth=1.2,
        color=look.color,
        label=say(look.label),
    )
