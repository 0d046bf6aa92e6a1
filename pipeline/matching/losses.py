"""Counts of a matching design: who was matched, who was lost and why, how often firms are reused.

Counts are of firms; a firm in two stacks counts once in each stack and in their sums, and once
among the distinct comparison firms.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats
from pipeline.datasets.matches import (
    CELL_WITHOUT_COMPARISON,
    LEFT_OVER,
    UNMATCHED,
    WITH_FEWER,
    WITHOUT_CELL,
)
from pipeline.matching.nearest import within_reach
from pipeline.matching.sets import MatchedSets, times_used
from pipeline.matching.stack import RiskSet, Shortage, StackMatch
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


def design_counts(name: str, stacks: list[StackMatch]) -> list[dict[str, Any]]:
    """Return MATCHED rows of one design: each stack, and all together."""
    per_stack = [_stack_counts(stack) for stack in stacks]
    sums: Counter[str] = Counter()
    for counts in per_stack:
        sums.update(counts)
    rows: list[dict[str, Any]] = [
        {"stack": _year(stack), **counts, **_reach(stack)}
        for stack, counts in zip(stacks, per_stack, strict=True)
    ]
    together: dict[str, Any] = {"stack": "all", **sums, **_reuse(stacks)}
    return [{"design": name, **row} for row in [*rows, together]]


def design_losses(name: str, stacks: list[StackMatch]) -> list[dict[str, Any]]:
    """Return LOSSES rows of one design: each stack, and their sums; zeros included."""
    sums: Counter[str] = Counter()
    rows = []
    for stack in stacks:
        lost = _stack_losses(stack)
        sums.update(lost)
        rows += [(_year(stack), reason, number) for reason, number in lost.items()]
    rows += [("all", reason, number) for reason, number in sums.items()]
    return [
        {"design": name, "stack": stack, "reason": reason, "n_firms": number}
        for stack, reason, number in rows
    ]


def effective_size(weight: Floats) -> float:
    """Return the effective sample size, sum(w)^2 / sum(w^2) (Kish 1965); 0 without weight."""
    squares = float(np.square(weight).sum())
    return float(weight.sum() ** 2 / squares) if squares > 0 else 0.0


def _year(stack: StackMatch) -> str:
    return str(stack.firms["stack"].iloc[0])


def _stack_counts(stack: StackMatch) -> dict[str, int]:
    """Count one stack's firms: in the risk set, matched, in treated clusters; and lonely cells."""
    treated = stack.firms["treated"].to_numpy()
    used = stack.weight > 0
    near_treated = stack.firms["in_treated_cluster"].to_numpy()
    counts = {
        "n_treated": int(treated.sum()),
        "n_comparison": int((~treated).sum()),
        "n_treated_matched": int((treated & used).sum()),
        "n_comparison_used": int((~treated & used).sum()),
        "n_comparison_in_treated_clusters": int((~treated & used & near_treated).sum()),
    }
    if stack.cells is not None:
        counts["cells_without_comparison"] = len(_lonely_cells(stack, stack.cells))
    return counts


def _stack_losses(stack: StackMatch) -> dict[str, int]:
    treated = stack.firms["treated"].to_numpy()
    losses = {UNMATCHED: int((treated & ~(stack.weight > 0)).sum())}
    if stack.cells is not None:
        on_support = stack.firms["on_support"].to_numpy()
        stranded = on_support & treated & np.isin(stack.cells, _lonely_cells(stack, stack.cells))
        losses[CELL_WITHOUT_COMPARISON] = int(stranded.sum())
        losses[WITHOUT_CELL] = int((on_support & (stack.cells < 0)).sum())
    if stack.shortage is not None:
        losses |= {LEFT_OVER: stack.shortage.left_over, WITH_FEWER: stack.shortage.fewer}
    return losses


def _lonely_cells(stack: StackMatch, cells: np.ndarray) -> np.ndarray:
    """Return the cells on support with a treated firm and no comparison firm."""
    treated: Flags = stack.firms["treated"].to_numpy()
    known = stack.firms["on_support"].to_numpy() & (cells >= 0)
    return np.setdiff1d(cells[known & treated], cells[known & ~treated])


def _reach(stack: StackMatch) -> dict[str, float | None]:
    """Return what does not add up over stacks: effective size, caliper and widest distance."""
    control = ~stack.firms["treated"].to_numpy()
    distances = stack.sets.distance
    return {
        "ess": effective_size(stack.weight[control]),
        "caliper": stack.caliper,
        "max_distance": float(distances.max()) if len(distances) else None,
    }


def _reuse(stacks: list[StackMatch]) -> dict[str, float]:
    """Describe comparison firms over all stacks: distinct, reused, most uses, effective size."""
    used = pd.concat([_comparison_uses(stack) for stack in stacks], ignore_index=True)
    by_firm = used.groupby("firm_id")[["uses", "weight"]].sum()
    uses = by_firm["uses"]
    return {
        "n_comparison_distinct": len(uses),
        "n_comparison_reused": int((uses > 1).sum()),
        "max_reuse": int(uses.max()),
        "ess": effective_size(by_firm["weight"].to_numpy()),
        "share_comparison_in_treated_clusters": float(used["in_treated_cluster"].mean()),
    }


def _comparison_uses(stack: StackMatch) -> pd.DataFrame:
    """Return the used comparison firms of a stack with the times each is used.

    Without sets a firm is used once: as a member of the stack.
    """
    used = (stack.weight > 0) & ~stack.firms["treated"].to_numpy()
    uses = times_used(stack.sets, len(used)) if len(stack.sets.treated) else used.astype(np.int64)
    firms = stack.firms.loc[used, ["firm_id", "in_treated_cluster"]]
    chosen: pd.DataFrame = firms.assign(uses=uses[used], weight=stack.weight[used])
    return chosen


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
