"""Facts of a matching design: who was matched, who was lost, how often firms are reused."""

import numpy as np
import pandas as pd

from pipeline.matching.sets import Flags, Floats, times_used
from pipeline.matching.stack import StackMatch

Fact = tuple[str, float, str]


def design_facts(name: str, stacks: list[StackMatch]) -> pd.DataFrame:
    """Return FACTS rows of one design: totals by name, per stack as `name[stack]`.

    Counts are of firms; a firm in two stacks counts once in each stack and in the totals of
    counts, and once in `n_comparison_distinct` and `n_comparison_reused`.
    """
    per_stack = [stack_facts(stack) for stack in stacks]
    rows = [
        (f"{fact}[{stack.firms['stack'].iloc[0]}]", value, unit)
        for stack, facts in zip(stacks, per_stack, strict=True)
        for fact, value, unit in facts
    ]
    rows += _totals(per_stack) + _reuse(stacks)
    table = pd.DataFrame(rows, columns=["name", "value", "unit"])
    return table.assign(design=name, outcome="all")


def stack_facts(stack: StackMatch) -> list[Fact]:
    """Count one stack's firms: in the risk set, matched, lost, in treated clusters."""
    treated = stack.firms["treated"].to_numpy()
    used = stack.weight > 0
    near_treated = stack.firms["in_treated_cluster"].to_numpy()
    facts: list[Fact] = [
        ("n_treated", treated.sum(), "firms"),
        ("n_comparison", (~treated).sum(), "firms"),
        ("n_treated_matched", (treated & used).sum(), "firms"),
        ("n_treated_unmatched", (treated & ~used).sum(), "firms"),
        ("n_comparison_used", (~treated & used).sum(), "firms"),
        ("n_comparison_in_treated_clusters", (~treated & used & near_treated).sum(), "firms"),
        *_cell_facts(stack, treated),
        *_shortage_facts(stack),
        ("ess", effective_size(stack.weight[~treated]), "firms"),
    ]
    if stack.caliper is not None:
        facts.append(("caliper", stack.caliper, "score units"))
    if len(stack.sets.distance):
        facts.append(("max_distance", stack.sets.distance.max(), "score units"))
    return facts


def effective_size(weight: Floats) -> float:
    """Return the effective sample size, sum(w)^2 / sum(w^2) (Kish 1965); 0 without weight."""
    squares = float(np.square(weight).sum())
    return float(weight.sum() ** 2 / squares) if squares > 0 else 0.0


def _cell_facts(stack: StackMatch, treated: Flags) -> list[Fact]:
    """Count cells on support with a treated firm and no comparison firm, and their firms."""
    if stack.cells is None:
        return []
    on_support = stack.firms["on_support"].to_numpy()
    known = on_support & (stack.cells >= 0)
    lonely = np.setdiff1d(stack.cells[known & treated], stack.cells[known & ~treated])
    stranded = known & treated & np.isin(stack.cells, lonely)
    return [
        ("cells_without_comparison", len(lonely), "cells"),
        ("n_treated_in_cells_without_comparison", stranded.sum(), "firms"),
        ("n_without_cell", (on_support & (stack.cells < 0)).sum(), "firms"),
    ]


def _shortage_facts(stack: StackMatch) -> list[Fact]:
    if stack.shortage is None:
        return []
    return [
        ("n_treated_left_over", stack.shortage.left_over, "firms"),
        ("n_treated_with_fewer", stack.shortage.fewer, "firms"),
    ]


def _totals(per_stack: list[list[Fact]]) -> list[Fact]:
    """Sum the counts over stacks; widths, distances and effective sizes do not add up."""
    totals: dict[str, Fact] = {}
    for facts in per_stack:
        for name, value, unit in facts:
            if unit != "score units" and name != "ess":
                before = totals[name][1] if name in totals else 0.0
                totals[name] = (name, before + value, unit)
    return list(totals.values())


def _reuse(stacks: list[StackMatch]) -> list[Fact]:
    """Describe comparison firms over all stacks: distinct, reused, most uses, effective size."""
    used = pd.concat([_comparison_uses(stack) for stack in stacks], ignore_index=True)
    by_firm = used.groupby("firm_id")[["uses", "weight"]].sum()
    uses = by_firm["uses"]
    near_treated = used["in_treated_cluster"].mean()
    return [
        ("n_comparison_distinct", len(uses), "firms"),
        ("n_comparison_reused", (uses > 1).sum(), "firms"),
        ("max_reuse", uses.max(), "times"),
        ("ess", effective_size(by_firm["weight"].to_numpy()), "firms"),
        ("share_comparison_in_treated_clusters", near_treated, "share"),
    ]


def _comparison_uses(stack: StackMatch) -> pd.DataFrame:
    """Return the used comparison firms of a stack with the times each is used.

    Without sets a firm is used once: as a member of the stack.
    """
    used = (stack.weight > 0) & ~stack.firms["treated"].to_numpy()
    uses = times_used(stack.sets, len(used)) if len(stack.sets.treated) else used.astype(np.int64)
    firms = stack.firms.loc[used, ["firm_id", "in_treated_cluster"]]
    chosen: pd.DataFrame = firms.assign(uses=uses[used], weight=stack.weight[used])
    return chosen
