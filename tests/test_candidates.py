"""Stacks that matches make of candidates joined once are those of joining their tables again."""

import lalonde
import numpy as np
import pandas as pd
import pytest
from moving_firms import moving_panel, moving_study
from stacked_tables import no_matches, treatment
from test_match_order import PAIRS, lalonde_study

from pipeline.analyses.firm_groups import Rematching, group_codes
from pipeline.effects.candidates import join_candidates
from pipeline.effects.stacks import Stacks, join_stacks
from pipeline.errors import SupportError
from pipeline.matching.designs import design_risk_sets, match_rows, match_stack, weight_rows
from pipeline.panel.panel_index import index_panel
from pipeline.params.analyses import Grouping

ARRAYS = ("firm", "cluster", "stack", "treated", "weight", "base_row", "firm_row")


@pytest.fixture(scope="module")
def table():
    return lalonde.read_lalonde()


def by_firm(stacks: Stacks) -> dict[str, np.ndarray]:
    order = np.lexsort((stacks.firm, stacks.stack))
    found = {name: getattr(stacks, name)[order] for name in ARRAYS}
    return found | {"panel_row": stacks.panel_row[order], "covered": stacks.covered[order]}


def members(stacks: Stacks) -> set[tuple[frozenset[int], float]]:
    frame = pd.DataFrame(
        {
            "set": stacks.sets.set_code,
            "firm": stacks.firm[stacks.sets.unit],
            "weight": stacks.sets.weight,
        }
    )
    return {(frozenset(s["firm"]), float(s["weight"].sum())) for _, s in frame.groupby("set")}


@pytest.mark.parametrize("settings", [{}, {"ratio": 2}, {"replacement": True}])
@pytest.mark.parametrize("seed", range(3))
def test_matches_of_any_order_of_rows_are_those_of_their_tables(table, settings, seed):
    (panel, _, _), _, redo = lalonde_study(table, PAIRS | settings)
    rule = redo.match.designs["matched"]
    risk_sets = list(design_risk_sets(redo.scores, redo.covariates, "matched", rule))
    index = index_panel(panel)
    candidates = join_candidates(index, risk_sets, "matched", treatment(-1, 0))
    orders = [np.random.default_rng(seed).permutation(len(r.firms)) for r in risk_sets]
    found = [match_stack(r.reordered(o), rule) for r, o in zip(risk_sets, orders, strict=True)]
    starts = candidates.starts
    fast = candidates.matched(found, [s + o for s, o in zip(starts, orders, strict=True)])
    slow = join_stacks(
        index,
        pd.concat([weight_rows(stack, "matched") for stack in found]),
        pd.concat([match_rows(stack, "matched") for stack in found]),
        "matched",
        treatment(-1, 0),
    )
    for name, values in by_firm(slow).items():
        np.testing.assert_array_equal(by_firm(fast)[name], values, err_msg=name)
    assert members(fast) == members(slow)


def tables_of_groups(study, redo, design: str, codes: np.ndarray, n_groups: int) -> Stacks:
    """Match inside each group and join the tables of the matches."""
    rule, weights, matches, first = redo.match.designs.get(design), [], [], 0
    for risk_set in design_risk_sets(redo.scores, redo.covariates, design, rule):
        own = codes[first : first + len(risk_set.firms)]
        first += len(own)
        for group in range(n_groups):
            try:
                stack = match_stack(risk_set.reordered(np.flatnonzero(own == group)), rule)
            except SupportError:
                continue
            weights.append(weight_rows(stack, design))
            if len(stack.sets.treated):
                rows = match_rows(stack, design)
                matches.append(rows.assign(set_id=rows["set_id"] + f"-{group}"))
    joined = pd.concat(matches) if matches else no_matches()
    return join_stacks(study.index, pd.concat(weights), joined, design, study.treatment)


@pytest.mark.parametrize("design", ["unmatched", "pairs", "cells", "shared", "odds"])
def test_groups_matched_again_are_those_of_their_tables(design):
    """Clusters, too: a firm that moves has the one of the stacks that use it."""
    found = moving_study(moving_panel(), design, "not_yet_treated")
    grouping = Grouping.model_validate(
        {"label": "Age", "transform": "level", "column": "age", "edges": [10, 20]}
    )
    again = Rematching(found.study, found.redo, design)
    codes, groups = group_codes(found.study, again.candidates.every, grouping)
    fast = again.groups(grouping).stacks
    slow = tables_of_groups(found.study, found.redo, design, codes, len(groups))
    called = {id(s): s.names["assignment"][s.cluster] for s in (fast, slow)}
    for name in ARRAYS:
        one, other = by_firm(fast)[name], by_firm(slow)[name]
        if name == "cluster":
            order = [np.lexsort((s.firm, s.stack)) for s in (fast, slow)]
            one, other = called[id(fast)][order[0]], called[id(slow)][order[1]]
        np.testing.assert_array_equal(one, other, err_msg=name)
    assert fast.n_firms_moved == slow.n_firms_moved
    assert fast.n_firms_moved > 0 or design in ("pairs", "shared")
    assert (fast.sets is None) == (slow.sets is None)
    assert fast.sets is None or members(fast) == members(slow)
