"""The Love plot: standardised differences of each covariate before and after matching."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.exhibits.design_balance import balance_of
from pipeline.exhibits.figures.drawing import BLUE, GREY, ORANGE, PALE, WIDTH_INCHES
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import balance_rule, picking
from pipeline.exhibits.tables.balance import covariate_label
from pipeline.exhibits.words.language import say

_BEFORE: dict[str, Any] = {
    "marker": "o",
    "markeredgecolor": ORANGE,
    "markerfacecolor": "white",
}
_AFTER: dict[str, Any] = {
    "marker": "s",
    "markeredgecolor": BLUE,
    "markerfacecolor": BLUE,
}


def love_plot(results: StudyResults) -> Figure:
    """Draw one line a covariate, largest difference before matching on top.

    Dashed lines stand at the declared threshold; covariates outside the score have a star.
    """
    headline = results.settings.estimate.headline
    wide = balance_of(results, headline.design)
    wide = wide.reindex(wide["std_diff_before"].abs().sort_values(kind="stable").index)
    figure = Figure(figsize=(WIDTH_INCHES, 1.2 + 0.2 * max(len(wide), 4)), layout="constrained")
    axes = figure.subplots()
    heights = list(range(len(wide)))
    before, after = wide["std_diff_before"].to_numpy(), wide["std_diff_after"].to_numpy()
    kind = picking(results, [headline.design])
    _points(axes, before, heights, _BEFORE | {"label": say(f"sample.before_{kind}")})
    if kind != "unmatched":
        axes.hlines(heights, before, after, color=PALE, linewidth=1, zorder=1)
        _points(axes, after, heights, _AFTER | {"label": say(f"sample.after_{kind}")})
    terms = zip(wide["covariate"], wide["category"], strict=True)
    labels = [covariate_label(results, *term) for term in terms]
    stars = ["" if used else " *" for used in wide["in_score_before"]]
    axes.set_yticks(heights, [a + b for a, b in zip(labels, stars, strict=True)])
    _lines(axes, balance_rule(results).value("threshold"))
    outside = say("love_plot.outside_score") if any(stars) else ""
    axes.set_xlabel(say("love_plot.standardised_difference", outside=outside))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def _points(axes: Axes, values: Any, heights: list[int], look: dict[str, Any]) -> None:
    axes.plot(values, heights, linestyle="none", markersize=5, markeredgewidth=1.2, **look)


def _lines(axes: Axes, threshold: float) -> None:
    axes.axvline(0, color=GREY, linewidth=0.7, zorder=0)
    for side in (-threshold, threshold):
        axes.axvline(side, color=GREY, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
    axes.tick_params(axis="y", length=0)
    axes.margins(y=0.05)
