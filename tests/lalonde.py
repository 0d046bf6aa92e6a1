"""MatchIt's LaLonde data as one stack, scored by the logit of the reference figures."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.matching.designs import match_designs
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection
from pipeline.selection.propensity import score_risk_sets

FILE = Path(__file__).parent / "reference" / "matchit_lalonde.csv"

IN_SCORE = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]


def read_lalonde():
    """Return the file as one stack; identifiers sort as the file's rows do."""
    table = pd.read_csv(FILE)
    rows = [f"row{number:04d}" for number in range(len(table))]
    return table.assign(stack=1978, firm_id=rows, treated=table["treat"] == 1)


def covariates_of(table):
    return table[["stack", "firm_id", *IN_SCORE]]


def score_section(**model):
    covariates = {
        name: {
            "label": name,
            "column": name,
            "transform": "category" if name == "race" else "level",
            "at": -1,
        }
        for name in IN_SCORE
    }
    logit = {
        "controls_from": "all",
        "covariates": IN_SCORE,
        "fit": "per_stack",
        "link": "logit",
        "missing": "refuse",
        "support": "none",
    }
    return ScoreSection.model_validate(
        {
            "covariates": covariates,
            "unmatched": {"controls_from": "all"},
            "models": {"logit": logit | model},
        }
    )


def score(table, **model):
    risk_set = table[["stack", "firm_id", "treated"]].assign(
        base_year=1975, cluster="one", in_treated_cluster=False
    )
    both = pd.concat([risk_set.assign(model=name) for name in ("unmatched", "logit")])
    return score_risk_sets(both, covariates_of(table), score_section(**model))


def match_section(designs):
    balance = {"denominator": "treated", "threshold": 0.1}
    return MatchSection.model_validate({"designs": designs, "balance": balance})


def match(table, scored, **designs):
    return match_designs(scored.scores, covariates_of(table), match_section(designs))


def att(matched, table, design, outcome="re78"):
    """Return the weighted difference in means of a design, and its weights by file row."""
    used = matched.weights[matched.weights["design"] == design]
    weight = used.set_index("firm_id")["weight"].reindex(table["firm_id"], fill_value=0.0)
    treated, y = table["treated"].to_numpy(), table[outcome].to_numpy()
    w = weight.to_numpy()
    return np.average(y[treated], weights=w[treated]) - np.average(
        y[~treated], weights=w[~treated]
    ), w
