"""From the register to the estimate: how many firms each step leaves, on both sides."""

from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.sample_flow import cleaning_rows, risk_set_steps, selection_steps
from pipeline.exhibits.tables.table import HIDDEN, Cell, WholeNumbers
from pipeline.exhibits.words.language import say

# What all firms are counted in together, what each side keeps, and what it loses.
Kind = Literal["together", "lost_together", "left", "lost"]

_FIRMS_LOST, _FIRMS_LEFT, _TREATED, _COMPARISON = 1, 3, 4, 5


@dataclass(frozen=True)
class FlowStep:
    """Hold what one step says, with the counts of both sides as readers see them; none is empty."""

    kind: Kind
    label: str
    treated: str
    comparison: str = ""


def flow_steps(results: StudyResults) -> list[FlowStep]:
    """Return the steps to the headline's design, without losses of nobody and without repeats."""
    design = results.settings.estimate.headline.design
    steps = _cleaning(results)
    for row in [*risk_set_steps(results).rows, *selection_steps(results, design).rows]:
        kind: Kind = "lost" if row.indent else "left"
        sides = [_shown(row.cells[place], kind) for place in (_TREATED, _COMPARISON)]
        step = FlowStep(kind, row.label, *sides)
        if steps[-1].kind == kind == "left" and steps[-1].treated == step.treated:
            # entrants of whom none was lost before the next count
            steps.pop()
        if any(sides):
            steps.append(step)
    return steps


def stages(steps: list[FlowStep]) -> list[list[FlowStep]]:
    """Return steps in order, the losses between two counts together."""
    grouped = groupby(steps, key=lambda step: step.kind)
    return [
        part
        for kind, run in grouped
        for part in ([list(run)] if kind in ("lost", "lost_together") else [[one] for one in run])
    ]


def _cleaning(results: StudyResults) -> list[FlowStep]:
    """Return the firms delivered and those left, with each rule that lost some between them."""
    first, *later = cleaning_rows(results)
    lost = [
        FlowStep("lost_together", row.label, shown)
        for row in later
        if (shown := _shown(row.cells[_FIRMS_LOST], "lost"))
    ]
    steps = [FlowStep("together", say("page.delivered"), _shown(first.cells[_FIRMS_LEFT], "left"))]
    if lost:
        left = _shown(later[-1].cells[_FIRMS_LEFT], "left")
        steps += [*lost, FlowStep("together", say("page.usable"), left)]
    return steps


def _shown(cell: Cell, kind: Kind) -> str:
    """Return a count as readers see it; nothing where there is none, or nobody was lost."""
    if cell is None or (kind == "lost" and cell == WholeNumbers((0,))):
        return ""
    return say("mark.some") if cell is HIDDEN else cell.plain()
