"""Estimands of studies with arms and exposure, against figures worked out by hand.

S1, S2 and S3 are the figures of the method's section 4; each runs from a panel and a register
through exposure, arms, scores, matching and estimates.
"""

import pandas as pd
import pytest
from arm_studies import block, participants_and, run_arms

CELL = {"mates": {"kind": "cell", "columns": ["cell"]}}
MATES = {"mates": {"exposure": "mates"}}

# S1, hand data: changes of 12 firms in cells a and b, in which the first two and one take part, and
# c, out of reach.
CHANGES = {
    "a": [0.30, 0.20, 0.10, 0.06],
    "b": [0.26, 0.04, 0.08, 0.00],
    "c": [0.02, -0.02, 0.04, 0.00],
}
JOIN = {"a": 2, "b": 1, "c": 0}


def from_changes(firms: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return panel and register: two years, between which `y` changes; who joins enters then."""
    before = firms.assign(year=2001, y=1.0)
    after = firms.assign(year=2002, y=1.0 + firms["change"])
    register = firms.loc[firms["joins"], ["firm"]].assign(entry=2002, part="grant")
    return pd.concat([before, after]).drop(columns=["change", "joins"]), register


def hand_firms() -> pd.DataFrame:
    rows = [
        (f"{cell}{i}", cell, change, i < JOIN[cell])
        for cell, changes in CHANGES.items()
        for i, change in enumerate(changes)
    ]
    return pd.DataFrame(rows, columns=["firm", "cell", "change", "joins"])


def exactly(value: float) -> object:
    return pytest.approx(value, abs=1e-9)


def test_twelve_firms_give_total_spillover_own_and_overall(tmp_path):
    """S1: total on the treated .2433333, spillover .046, own .1973333, the sum 3 x + 5 x = .96."""
    panel, register = from_changes(hand_firms())
    found = run_arms(tmp_path, panel, register, block({}, participants_and(**MATES), CELL))
    total, spill = found.att(), found.att("mates")
    assert (total["estimate"], total["estimand"]) == (exactly(0.73 / 3), "total_on_treated")
    assert (spill["estimate"], spill["estimand"]) == (exactly(0.046), "spill")
    assert (total["n_treated"], spill["n_treated"], total["n_control"]) == (3, 5, 4)
    own = found.contrasts("own", "participants").loc[("att", pd.NA)]
    assert own["estimate"] == exactly(0.592 / 3)
    overall = found.contrasts("overall", "participants").loc[("att", pd.NA)]
    assert overall["estimate"] * 8 == exactly(0.96)
    shares = found.own_exposure().set_index("class")[["n_firms", "share"]]
    assert shares.loc[0].to_list() == [0, 0]
    assert shares.loc[1].to_list() == [3, 1]


def test_twelve_firms_compared_with_all_others_tell_neither(tmp_path):
    """S1: who compares with cell mates as well finds .2177778, an effect of its own name."""
    panel, register = from_changes(hand_firms())
    naive = run_arms(tmp_path, panel, register, block({}, None, {})).att()
    assert (naive["estimate"], naive["estimand"]) == (exactly(1.96 / 9), "att")
