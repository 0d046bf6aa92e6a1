"""The cohort figure: one row an entry year, its firms, and the years they are in the programme."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pipeline.datasets.selection import STACKS
from pipeline.exhibits.figures.drawing import BLUE, GREY, SHADE, WIDTH_INCHES
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.cohorts import entry_years
from pipeline.exhibits.words.language import say

_HALF = 0.45  # of a square's side, so that squares do not touch


def cohort_plot(results: StudyResults) -> Figure:
    """Draw a square for each year of each cohort, filled from entry on; firms stand on the right.

    The last row is the firms that never enter.
    """
    cohorts = entry_years(results)
    years = _panel_years(results, cohorts)
    rows: list[int | None] = [*cohorts, None]
    figure = Figure(figsize=(WIDTH_INCHES, 0.9 + 0.32 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, cohort in enumerate(rows):
        _squares(axes, years, cohort, len(rows) - 1 - place)
        _firms(axes, results, cohort, years[-1], len(rows) - 1 - place)
    labels = [str(cohort) if cohort is not None else say("cohort_plot.never") for cohort in rows]
    axes.set_yticks(range(len(rows) - 1, -1, -1), labels)
    axes.set_xlim(years[0] - 0.6, years[-1] + 0.6 + 0.08 * len(years))
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xticks(years[:: max(1, len(years) // 8)])
    axes.set_xlabel(say("cohort_plot.year_axis"))
    axes.set_ylabel(say("cohort_plot.entry_axis"))
    axes.tick_params(axis="y", length=0)
    return figure


def _panel_years(results: StudyResults, cohorts: list[int]) -> list[int]:
    """Return the panel's calendar years; those of the cohorts where the profile is absent."""
    profile = results.profile
    known = [] if profile is None else [*profile["first_year"], *profile["last_year"]]
    every = [int(year) for year in [*known, *cohorts]]
    return list(range(min(every), max(every) + 1)) if every else [0]


def _squares(axes: Axes, years: list[int], cohort: int | None, height: int) -> None:
    for year in years:
        inside = cohort is not None and year >= cohort
        axes.add_patch(
            _square(year, height, {"fc": BLUE, "ec": "white"})
            if inside
            else _square(year, height, {"fc": SHADE, "ec": "white"})
        )


def _square(year: int, height: int, look: dict[str, Any]) -> Rectangle:
    corner = (year - _HALF, height - _HALF * 0.85)
    return Rectangle(corner, 2 * _HALF, 2 * _HALF * 0.85, linewidth=0.0, **look)


def _firms(axes: Axes, results: StudyResults, cohort: int | None, last: int, height: int) -> None:
    """Write how many firms the row has; fewer than the smallest count shown are not counted."""
    known = _count(results, cohort)
    if not pd.isna(known):
        words = say(
            "cohort_plot.firms", n=rounding.whole(known), firms=results.settings.exhibit.firms
        )
        axes.text(last + 0.6, height, words, va="center", size=7.5, color=GREY)


def _count(results: StudyResults, cohort: int | None) -> float:
    """Return the number of firms of a row, missing where it is too small to be shown."""
    if cohort is not None:
        return results.details.figure(STACKS, "n_entrants", stack=cohort).value
    flow = results.sample_flow.sort_values("step", kind="stable")
    left = flow["comparison_firms"].iloc[-1:].to_numpy(dtype=np.float64, na_value=np.nan)
    return float(left[0]) if len(left) else np.nan
