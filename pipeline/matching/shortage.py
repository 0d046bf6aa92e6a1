"""Treated firms for whom there were not enough comparison firms, and how to say so."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.matching.nearest import within_reach
from pipeline.matching.sets import MatchedSets
from pipeline.matching.stack import RiskSet, Shortage
from pipeline.params.design_rules import TurnsDesign
from pipeline.params.match import NearestDesign

_MESSAGES = {
    "n_treated_left_over": (
        "found all comparison firms within reach taken; match with replacement, lower ratio or "
        "widen the comparison pool"
    ),
    "n_treated_with_fewer": (
        "have fewer comparison firms than ratio asks for; lower ratio, use fewer exact covariates "
        "or widen the caliper"
    ),
    "n_treated_in_cells_without_comparison": (
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


def shortage_lines(facts: pd.DataFrame) -> Iterator[str]:
    """Yield one line for each design and shortage in FACTS of matching, with counts by stack."""
    for design, rows in facts.groupby("design", sort=False):
        values = dict(zip(rows["name"], rows["value"], strict=True))
        for fact, message in _MESSAGES.items():
            if values.get(fact, 0) > 0:
                by_stack = [
                    f"{name.removeprefix(fact)[1:-1]}: {value:.0f}"
                    for name, value in values.items()
                    if name.startswith(f"{fact}[") and value > 0
                ]
                yield (
                    f"design {design}: {values[fact]:.0f} of {values['n_treated']:.0f} treated "
                    f"firms ({', '.join(by_stack)}) {message}"
                )
