"""Stacks that matches make of candidates joined once are those of joining their tables again."""

import lalonde
import numpy as np
import pandas as pd
import pytest
from stacked_tables import treatment
from test_match_order import PAIRS, lalonde_study

from pipeline.effects.candidates import join_candidates
from pipeline.effects.stacks import Stacks, join_stacks
from pipeline.matching.designs import design_risk_sets, match_rows, match_stack, weight_rows
from pipeline.panel.panel_index import index_panel

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
    fast = candidates.matched(found, orders)
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
