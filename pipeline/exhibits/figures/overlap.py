"""The overlap figure: where the scores of treated and comparison firms meet."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.exhibits.figures.drawing import BLUE, GREY, WIDTH_INCHES
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import say


def overlap(results: StudyResults) -> Figure:
    """Draw the score of treated firms upwards and of comparison firms downwards, in shares."""
    figure = Figure(figsize=(WIDTH_INCHES, 2.8), layout="constrained")
    axes = figure.subplots()
    if results.score_shares is None or results.score_shares.empty:
        axes.set_axis_off()
        axes.text(0.5, 0.5, say("overlap.no_score"), ha="center")
        return figure
    _mirror(axes, results.score_shares)
    axes.set_xlabel(say("score.propensity_score"))
    axes.set_ylabel(say("overlap.share_of_group"))
    axes.legend(loc="upper right")
    return figure


def _mirror(axes: Axes, bins: pd.DataFrame) -> None:
    low = bins["low"].to_numpy()
    width = (bins["high"] - bins["low"]).to_numpy()
    _bars(
        axes,
        low,
        bins["share_treated"],
        width,
        {"label": say("column.treated"), "color": BLUE, "ec": "white"},
    )
    hatched = {
        "label": say("column.comparison_all"),
        "hatch": "////",
        "fc": "white",
        "ec": GREY,
    }
    _bars(axes, low, -bins["share_comparison"], width, hatched)
    axes.axhline(0, color=GREY, linewidth=0.7)
    # Both directions are shares, so neither has a sign.
    axes.yaxis.set_major_formatter(lambda share, _: rounding.general(abs(share)))


def _bars(axes: Axes, low: Any, height: Any, width: Any, look: dict[str, Any]) -> None:
    axes.bar(low, height, width, align="edge", linewidth=0.5, **look)
