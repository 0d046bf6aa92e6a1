"""The columns of BALANCE and its summary that Stata's pstest prints, on its own data."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.matching.balance import measure_balance
from pipeline.matching.balance_of_designs import differences_of_designs, summarise_balance
from pipeline.matching.rubin import separations
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection
from pipeline.selection.firm_stacks import firm_stacks

FILE = Path(__file__).parent / "reference" / "pstest_data.csv"

LEVEL = {"label": "x", "column": "x", "transform": "level", "at": -1}
MODEL = {
    "controls_from": "all",
    "covariates": ["x1", "x2"],
    "fit": "per_stack",
    "link": "probit",
    "missing": "refuse",
    "support": "none",
}


@pytest.fixture(scope="module")
def arguments():
    rows = pd.read_csv(FILE)
    firms = rows.assign(
        stack=2009,
        firm_id=rows["id"].map("f{:03d}".format),
        treated=rows["d"] == 1,
        propensity_score=rows["_pscore"],
        on_support=True,
    )
    key = ["stack", "firm_id", "treated", "propensity_score", "on_support"]
    scores = pd.concat([firms[key].assign(model=name) for name in ("unmatched", "model")])
    used = firms[["stack", "firm_id"]].assign(weight=rows["_weight"]).dropna()
    weights = pd.concat([used.assign(design=name) for name in ("unmatched", "one")])
    score = ScoreSection.model_validate(
        {
            "covariates": {"x1": LEVEL, "x2": LEVEL},
            "unmatched": {"controls_from": "all"},
            "models": {"model": MODEL},
        }
    )
    match = MatchSection.model_validate(
        {
            "designs": {"one": {"score": "model", "method": "odds"}},
            "balance": {"denominator": "pooled", "threshold": 0.1},
        }
    )
    tables = firm_stacks(scores, firms[["stack", "firm_id", "x1", "x2"]], weights)
    return tables, score, match


@pytest.mark.parametrize(
    ("covariate", "before", "after"),
    [("x1", 90.5152967, 13.9100512), ("x2", -57.9351851, -2.1981261)],
)
def test_percent_bias(arguments, covariate, before, after):
    table = measure_balance(*arguments)
    bias = table.set_index(["design", "stack", "covariate", "sample"])["percent_bias"]
    assert bias["one", "all", covariate, "before"] == pytest.approx(before, abs=5e-8)
    assert bias["one", "all", covariate, "after"] == pytest.approx(after, abs=5e-8)


def test_summary_of_balance(arguments):
    balance, (*_, match) = measure_balance(*arguments), arguments
    summary = summarise_balance(balance, separations(*arguments), match)
    summary = summary.set_index(["design", "sample"])
    before, after = summary.loc[("one", "before")], summary.loc[("one", "after")]
    assert before["rubin_b"] == pytest.approx(107.4296667, abs=5e-8)
    assert after["rubin_b"] == pytest.approx(15.0393316, abs=5e-8)
    assert after["rubin_r"] == pytest.approx(1.3772797, abs=5e-8)
    assert before["pseudo_r2"] == pytest.approx(0.1864231, abs=5e-8)


def test_differences_together_count_covariates_that_are_known(arguments):
    """One row of four: of three known differences two are above the threshold, one is at it."""
    rows = measure_balance(*arguments).query("design == 'one' and sample == 'before'").iloc[[0] * 4]
    rows = rows.assign(stack="all", std_diff=[-0.3, 0.1, 0.2, np.nan], percent_bias=[1, -2, 3, -4])
    found = differences_of_designs(pd.concat([rows, rows.assign(stack="2009")]), 0.1).iloc[0]
    assert found[["n_above_threshold", "n_known"]].tolist() == [2, 3]
    assert found["largest_std_diff"] == 0.3
    assert found["mean_std_diff"] == pytest.approx(0.2)
    assert found["mean_percent_bias"] == 2.5
