"""The flow figure: boxes of firms from the data to the estimate, losses between them."""

import textwrap
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.exhibits.figures.drawing import BLUE, GREY, WIDTH_INCHES
from pipeline.exhibits.flow import FlowStep, flow_steps, stages
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.words.designs import uncapitalised
from pipeline.exhibits.words.language import MINUS, say

# Units of height of a box, of a line of losses, from a box to an arrow; characters of a line.
_BOX, _LINE, _EDGE, _CHARACTERS = 1.0, 0.42, 0.2, 40
_MIDDLE, _LEFT, _RIGHT = 0.5, 0.24, 0.76


def flow_data(results: StudyResults) -> pd.DataFrame:
    """Return every step: what it says, and the firms that it leaves or loses on both sides."""
    columns = ["kind", "label", "treated", "comparison"]
    return pd.DataFrame(
        [(s.kind, s.label, s.treated, s.comparison) for s in flow_steps(results)], columns=columns
    )


def flow_figure(results: StudyResults) -> Figure:
    """Draw a box a count, all firms in the middle, then treated on the left; losses between."""
    parts = stages(flow_steps(results))
    heights = [_height(part) for part in parts]
    figure = Figure(figsize=(WIDTH_INCHES, 0.2 + 0.4 * sum(heights)), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(-sum(heights), 0)
    top = 0.0
    for number, (part, height) in enumerate(zip(parts, heights, strict=True)):
        _draw(axes, part, top - height / 2)
        if number and not _is_loss(part):
            above = _is_loss(parts[number - 1])
            room = heights[number - 1] if above else 0.0
            _arrows(axes, part, (top + room + _EDGE, top - height / 2 + _BOX / 2 - _EDGE / 2))
        top -= height
    return figure


def _is_loss(part: list[FlowStep]) -> bool:
    return part[0].kind in ("lost", "lost_together")


def _height(part: list[FlowStep]) -> float:
    if not _is_loss(part):
        return _BOX + 0.4
    lines = [_lines([(s.treated, s.label) for s in part])]
    lines.append(_lines([(s.comparison, s.label) for s in part]))
    return _LINE * max(map(len, lines)) + 0.1


def _lines(losses: list[tuple[str, str]]) -> list[str]:
    """Return what one side loses, wrapped."""
    said = [
        say("page.lost", n=f"{MINUS} {count}", why=uncapitalised(why))
        for count, why in losses
        if count
    ]
    return [line for text in said for line in textwrap.wrap(text, _CHARACTERS)]


def _sides(step: FlowStep) -> list[tuple[float, str, dict[str, Any]]]:
    """Return where the counts of a step stand, and how their boxes look."""
    if step.kind in ("together", "lost_together"):
        return [(_MIDDLE, step.treated, {"edgecolor": GREY})]
    dashed = {"edgecolor": GREY, "linestyle": "--"}
    return [(_LEFT, step.treated, {"edgecolor": BLUE}), (_RIGHT, step.comparison, dashed)]


def _draw(axes: Axes, part: list[FlowStep], y: float) -> None:
    if _is_loss(part):
        for side, (x, _, _) in enumerate(_sides(part[0])):
            lines = _lines([((s.treated, s.comparison)[side], s.label) for s in part])
            look: dict[str, Any] = {"va": "center", "size": 7.5, "color": GREY, "linespacing": 1.3}
            axes.text(x + 0.015, y, "\n".join(lines), ha="left", **look)
        return
    for x, count, look in _sides(part[0]):
        if count:
            frame = {"boxstyle": "round,pad=0.5", "facecolor": "white", **look}
            middle: dict[str, Any] = {"ha": "center", "va": "center", "size": 8.5}
            axes.text(x, y, f"{part[0].label}: {count}", bbox=frame, **middle)


def _arrows(axes: Axes, part: list[FlowStep], ends: tuple[float, float]) -> None:
    """Draw an arrow to each box from the one above it, past what is lost between them."""
    for x, count, _ in _sides(part[0]):
        if count:
            look = {"arrowstyle": "->", "color": GREY, "linewidth": 0.8}
            axes.annotate("", (x, ends[1]), (x, ends[0]), arrowprops=look)
