"""The grid of effects by entry year and year: one row an entry year, one column an outcome."""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.datasets.selection import STACKS
from pipeline.exhibits.checks.verdicts import readers_value
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.figures.drawing import BLUE, GREY, SHADE, WIDTH_INCHES
from pipeline.exhibits.inputs import StudyResults, find_effects
from pipeline.exhibits.numbers import translated_unit
from pipeline.exhibits.render import rounding
from pipeline.exhibits.shown_outcomes import card_outcomes
from pipeline.exhibits.words.language import say

_COLUMNS = ["outcome", "cohort", "year", "estimate", "conf_low", "conf_high"]


def att_gt_data(results: StudyResults) -> pd.DataFrame:
    """Return the effects by entry year and year in the reader's unit; none with one entry year.

    Of the first spec that estimates them, on the headline's design where it does.
    """
    lines = [
        (name, cohort, year, *(readers_value(e, v) for v in (e.estimate, e.conf_low, e.conf_high)))
        for name in card_outcomes(results)
        for (cohort, year), e in _cells(results, name).items()
    ]
    found = pd.DataFrame(lines, columns=_COLUMNS)
    return found if found["cohort"].nunique() > 1 else found.iloc[:0]


def att_gt_grid(results: StudyResults) -> Figure:
    """Draw a panel for each entry year and outcome; years before entry are shaded and square."""
    data = att_gt_data(results)
    names = [name for name in card_outcomes(results) if name in set(data["outcome"])]
    cohorts = sorted(set(data["cohort"]))
    figure = Figure(figsize=(WIDTH_INCHES, 0.6 + 1.25 * len(cohorts)), layout="constrained")
    grid = figure.subplots(len(cohorts), len(names), squeeze=False, sharex=True, sharey="col")
    for row, cohort in enumerate(cohorts):
        for column, name in enumerate(names):
            own = data[(data["cohort"] == cohort) & (data["outcome"] == name)]
            axes = grid[row, column]
            _panel(axes, own, cohort)
            axes.set_title(_title(results, cohort), size=8)
            if row == 0:
                axes.set_title(f"{results.plain_name(name)}\n{_title(results, cohort)}", size=8)
            axes.set_ylabel(_unit(results, name), size=7)
    figure.supxlabel(say("att_gt_plot.year"), size=8)
    return figure


def _cells(results: StudyResults, outcome: str) -> dict[tuple[int, int], Effect]:
    first = results.settings.estimate.headline.design
    for spec in results.settings.estimate.specs:
        for design in sorted(spec.designs, key=lambda name: name != first):
            effects = find_effects(results, outcome, design, spec.name)
            cells = {
                (term.cohort, term.year): effect
                for term, effect in sorted(effects.items(), key=lambda item: str(item[0]))
                if term.family == "att_gt" and term.cohort is not None and term.year is not None
                if not math.isnan(effect.estimate)
            }
            if cells:
                return dict(sorted(cells.items()))
    return {}


def _title(results: StudyResults, cohort: int) -> str:
    count = results.details.figure(STACKS, "n_entrants", stack=cohort)
    if not count.known:
        return str(cohort)
    firms = results.settings.exhibit.firms
    return say("att_gt_plot.cohort", cohort=cohort, n=rounding.whole(count.value), firms=firms)


def _unit(results: StudyResults, outcome: str) -> str:
    effect = next(iter(_cells(results, outcome).values()))
    return translated_unit(effect)


def _panel(axes: Axes, cells: pd.DataFrame, cohort: int) -> None:
    axes.axvspan(cells["year"].min() - 0.5, cohort - 0.5, color=SHADE, zorder=0)
    axes.axhline(0, color=GREY, linewidth=0.7, zorder=1)
    for cell in cells.to_dict("records"):
        before = cell["year"] < cohort
        color = GREY if before else BLUE
        fixed = math.isnan(cell["conf_low"])
        if not fixed:
            ends = (cell["conf_low"], cell["conf_high"])
            axes.vlines(cell["year"], *ends, color=color, linewidth=1.6)
        axes.plot(
            cell["year"],
            cell["estimate"],
            marker="s" if before else "o",
            color=color,
            markersize=4,
            markerfacecolor="white" if fixed else color,
        )
    axes.tick_params(labelsize=7)
    axes.xaxis.set_major_formatter(lambda year, _: f"{year:.0f}")
