"""Treated firms for whom there were not enough comparison firms, and how to say so."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.datasets.matches import CELL_WITHOUT_COMPARISON, LEFT_OVER, WITH_FEWER
from pipeline.matching.nearest import within_reach
from pipeline.matching.sets import MatchedSets
from pipeline.matching.stack import RiskSet, Shortage
from pipeline.params.design_rules import TurnsDesign
from pipeline.params.match import NearestDesign

_MESSAGES = {
    LEFT_OVER: (
        "found all comparison firms within reach taken; match with replacement, lower ratio or "
        "widen the comparison pool"
    ),
    WITH_FEWER: (
        "have fewer comparison firms than ratio asks for; lower ratio, use fewer exact covariates "
        "or widen the caliper"
    ),
    CELL_WITHOUT_COMPARISON: (
        "are in exact cells without a comparison firm; use fewer exact covariates or wider bins"
    ),
}


def count_shortage(
    risk_set: RiskSet, sets: MatchedSets, design: TurnsDesign, caliper: float | None
) -> Shortage:
    """Count treated firms left over though somebody was within reach, and those with too few.

    Within reach is in the same exact cell and within the caliper on the score.
    """
    served = np.bincount(sets.treated, minlength=len(risk_set.firms))
    asked = design.ratio
    if isinstance(design, NearestDesign) and design.ratio_range is not None:
        asked = design.ratio_range[0]
    fewer = int(((served > 0) & (served < asked)).sum())
    alone = risk_set.usable & risk_set.treated & (served == 0)
    if design.replacement or not alone.any():
        return Shortage(0, fewer)
    rows = np.flatnonzero(alone | (risk_set.usable & ~risk_set.treated))
    cells = None if risk_set.cells is None else risk_set.cells[rows]
    score = risk_set.score(design.distance)[rows]
    if not design.uses_score:
        score = np.zeros(len(rows))
    return Shortage(within_reach(score, risk_set.treated[rows], caliper, cells), fewer)


def shortage_lines(counts: pd.DataFrame, losses: pd.DataFrame) -> Iterator[str]:
    """Yield one line for each design and shortage in LOSSES, with counts by stack.

    `counts` is MATCHED, whose treated firms of a design are those it speaks of.
    """
    treated = counts[counts["stack"] == "all"].set_index("design")["n_treated"]
    for design, rows in losses.groupby("design", sort=False):
        for reason, message in _MESSAGES.items():
            lost = rows[(rows["reason"] == reason) & (rows["n_firms"] > 0)]
            numbers = dict(zip(lost["stack"], lost["n_firms"], strict=True))
            if everyone := numbers.pop("all", 0):
                by_stack = ", ".join(f"{stack}: {number}" for stack, number in numbers.items())
                yield (
                    f"design {design}: {everyone} of {treated[design]} treated firms ({by_stack}) "
                    f"{message}"
                )
