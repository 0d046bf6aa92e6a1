"""The overlap figure: where the scores of treated and comparison firms meet."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.datasets.arrays import Floats
from pipeline.datasets.small_counts import step_runs
from pipeline.exhibits.figures.drawing import BLUE, GREY, WIDTH_INCHES
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import design_ran
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import say


def overlap(results: StudyResults) -> Figure:
    """Draw the score of treated firms upwards and of comparison firms downwards, in shares."""
    figure = Figure(figsize=(WIDTH_INCHES, 2.8), layout="constrained")
    axes = figure.subplots()
    design = results.settings.estimate.headline.design
    if design == "unmatched":
        axes.set_axis_off()
        axes.text(0.5, 0.5, say("overlap.no_score"), ha="center")
        return figure
    least = results.settings.exhibit.disclosure.min_cell_firms
    model = design_ran(results, design).code("score_model")
    bins = score_bins(results.score_bins, model, least)
    _mirror(axes, bins)
    axes.set_xlabel(say("score.propensity_score"))
    axes.set_ylabel(say("overlap.share_of_group"))
    axes.legend(loc="upper right")
    return figure


def score_bins(counted: pd.DataFrame, model: str, least: int = 1) -> pd.DataFrame:
    """Return the share of each group in the bins of a model's score: low, high, two shares.

    `counted` is SCORE_BINS. Neighbours whose counts are smaller than `least` share their firms
    equally, so that no bin tells of few.
    """
    of_model = counted[counted["model"] == model]
    groups = {
        name: of_model[of_model["treated"] == treated].sort_values("bin")
        for name, treated in (("treated", True), ("comparison", False))
    }
    counts = {name: rows["n_firms"].to_numpy(float) for name, rows in groups.items()}
    edges = groups["treated"][["low", "high"]].reset_index(drop=True)
    return edges.assign(**{name: _shares(found, least) for name, found in counts.items()})


def _shares(counts: Floats, least: int) -> Floats:
    return _spread(counts, least) / max(float(counts.sum()), 1.0)


def _spread(counts: Floats, least: int) -> Floats:
    """Return counts averaged over runs of bins that hold nobody or at least `least` firms."""
    spread = counts.copy()
    for run in step_runs(spread[:, None], least):
        spread[run.start : run.stop] = counts[run.start : run.stop].mean()
    return spread


def _mirror(axes: Axes, bins: pd.DataFrame) -> None:
    low = bins["low"].to_numpy()
    width = (bins["high"] - bins["low"]).to_numpy()
    _bars(
        axes,
        low,
        bins["treated"],
        width,
        {"label": say("column.treated"), "color": BLUE, "ec": "white"},
    )
    hatched = {
        "label": say("column.comparison_before_matching"),
        "hatch": "////",
        "fc": "white",
        "ec": GREY,
    }
    _bars(axes, low, -bins["comparison"], width, hatched)
    axes.axhline(0, color=GREY, linewidth=0.7)
    # Both directions are shares, so neither has a sign.
    axes.yaxis.set_major_formatter(lambda share, _: rounding.general(abs(share)))


def _bars(axes: Axes, low: Any, height: Any, width: Any, look: dict[str, Any]) -> None:
    axes.bar(low, height, width, align="edge", linewidth=0.5, **look)
