"""Draw which setting moved which headline: from the effect before, step by step, to that after."""

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.commands.attribute.answers import StudyAnswer
from pipeline.commands.attribute.attribution import Attribution
from pipeline.commands.attribute.attribution_table import (
    BEYOND,
    OTHER_CAUSES,
    amount_text,
    beyond_alone,
    decimals,
    shown_outcomes,
)
from pipeline.commands.attribute.headline_effects import HeadlineEffect
from pipeline.errors import DataError
from pipeline.exhibits.figures.drawing import (
    BLUE,
    GREY,
    ORANGE,
    PALE,
    PanelGrid,
    panel_grid,
    render_figure,
)
from pipeline.exhibits.render import rounding

_ROW_INCHES, _REST_INCHES = 0.24, 0.9


def waterfalls(answers: Iterable[StudyAnswer], path: Path) -> dict[Path, bytes]:
    """Return the drawing of each study as SVG by path; of several, the path names the study too.

    Raises DataError where nothing can be drawn.
    """
    found = [a.found for a in answers if a.found is not None and drawn_outcomes(a.found)]
    if not found:
        raise DataError(
            f"{path} is not drawn: no setting moved a headline that stands on both sides"
        )
    return {
        _named(path, one.study, alone=len(found) == 1): render_figure(_waterfall, one, ["svg"])[
            "svg"
        ]
        for one in found
    }


def _named(path: Path, study: str, alone: bool) -> Path:
    return path if alone else path.with_stem(f"{path.stem}_{study}")


def drawn_outcomes(found: Attribution) -> list[str]:
    """Return the outcomes whose headline stands on both sides, in the same units."""
    return [name for name in shown_outcomes(found) if found.moves(name) is not None]


def _waterfall(found: Attribution) -> Figure:
    outcomes = drawn_outcomes(found)
    n_steps = max(len(_steps(found, name)) for name in outcomes)
    grid = panel_grid(len(outcomes), _REST_INCHES + _ROW_INCHES * (n_steps + 2))
    for axes, name in zip(grid.panels, outcomes, strict=True):
        place = axes.get_subplotspec()
        _panel(grid, axes, found, name, labelled=place is not None and place.is_first_col())
    return grid.figure


def _steps(found: Attribution, outcome: str) -> list[tuple[str, float]]:
    """Return what is between before and after: each step's name and amount."""
    moves = found.moves(outcome)
    assert moves is not None
    named = [f"{number} {setting.label}" for number, setting in enumerate(found.settings, start=1)]
    steps = [(name, amounts[0]) for name, amounts in zip(named, moves.each, strict=True)]
    if moves.in_pairs:
        steps.append((BEYOND, beyond_alone(moves)))
    return [*steps, (OTHER_CAUSES, found.other_causes(outcome))]


def _panel(grid: PanelGrid, axes: Axes, found: Attribution, outcome: str, labelled: bool) -> None:
    start, end, steps = found.start(outcome), found.end(outcome), _steps(found, outcome)
    places = decimals(found, outcome)
    _end(axes, start, 0)
    level = start.estimate
    for row, (_, amount) in enumerate(steps, start=1):
        _step(axes, row, level, amount, places)
        level += amount
    _end(axes, end, len(steps) + 1)
    axes.axvline(0, color=PALE, linewidth=0.7, zorder=0)
    axes.set_ylim(len(steps) + 1.6, -0.6)
    labels = ["Before", *(name for name, _ in steps), "After"]
    axes.set_yticks(
        range(len(labels)), [textwrap.shorten(w, 30) for w in labels] if labelled else []
    )
    axes.set_xlabel(found.outcomes.units[outcome])
    ends = [rounding.fixed(side.estimate, places) for side in (start, end)]
    grid.title(axes, found.outcomes.labels[outcome], f"{ends[0]} to {ends[1]}")
    axes.margins(x=0.15)
    axes.tick_params(axis="y", length=0)


def _end(axes: Axes, effect: HeadlineEffect, row: int) -> None:
    axes.hlines([row], [effect.conf_low], [effect.conf_high], color=GREY, linewidth=1.2)
    axes.plot([effect.estimate], [row], marker="o", color=GREY, linestyle="none", markersize=4.5)


def _step(axes: Axes, row: int, level: float, amount: float, places: int) -> None:
    falls = amount < 0
    look: dict[str, Any] = {"color": ORANGE, "hatch": "////"} if falls else {"color": BLUE}
    axes.barh([row], [amount], 0.55, left=[level], edgecolor="white", linewidth=0.5, **look)
    axes.vlines([level], [row - 1], [row + 0.3], color=PALE, linewidth=0.6, zorder=0)
    words = amount_text(amount, places)
    side = (-4, "right") if falls else (4, "left")
    axes.annotate(
        words,
        (level + amount, row),
        xytext=(side[0], 0),
        textcoords="offset points",
        ha=side[1],
        va="center",
        size=7.5,
    )
