"""The sample-flow figure: firm-years left after each cleaning rule, by group."""

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.exhibits.figures.drawing import BLUE, GREY, ORANGE, WIDTH_INCHES
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.table import HIDDEN
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.steps import step_words

_LOOKS: dict[str, tuple[str, dict[str, Any]]] = {
    "treated_firm_years_lost": ("trimmed.treated", {"color": BLUE}),
    "comparison_firm_years_lost": ("trimmed.comparison", {"color": ORANGE, "hatch": "////"}),
}
_CHARACTERS = 42


def flow_figure(results: StudyResults) -> Figure:
    """Draw one bar a rule: the share of firm-years that it lost, treated and comparison apart."""
    flow = results.sample_flow.sort_values("step", kind="stable")
    steps = flow.iloc[1:]
    figure = Figure(figsize=(WIDTH_INCHES, 0.9 + 0.35 * max(len(steps), 2)), layout="constrained")
    axes = figure.subplots()
    heights = list(range(len(steps)))[::-1]
    before = flow["firm_years"].to_numpy(float, na_value=np.nan)[:-1]
    left = np.zeros(len(before))
    for column, (group, look) in _LOOKS.items():
        # a step that may not be told apart has no bar
        lost = np.nan_to_num(100 * steps[column].to_numpy(float, na_value=np.nan) / before)
        label = say(
            "flow_plot.group_of_firms", group=say(group), firms=results.settings.exhibit.firms
        )
        axes.barh(heights, lost, left=left, height=0.55, label=label, edgecolor="white", **look)
        left = left + lost
    for height, share, years in zip(heights, left, steps["firm_years"], strict=True):
        axes.text(
            share,
            height,
            HIDDEN.text
            if pd.isna(years)
            else say("flow_plot.years_left", years=rounding.whole(int(years))),
            va="center",
            size=7.5,
            color=GREY,
        )
    axes.set_yticks(heights, [textwrap.fill(rule, _CHARACTERS) for rule in step_words(steps)])
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, max(1.0, 1.25 * float(left.max())))
    axes.set_xlabel(say("flow_plot.share_lost"))
    figure.legend(loc="outside upper center", ncols=2)
    return figure
