"""The largest firm in what the balance tables publish."""

import pandas as pd

from pipeline.datasets.dominance import COVARIATE_DOMINANCE, largest_share
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection
from pipeline.selection.support import treated_by_fate


def covariate_dominance(
    scores: pd.DataFrame,
    covariates: pd.DataFrame,
    weights: pd.DataFrame,
    score: ScoreSection,
    match: MatchSection,
) -> pd.DataFrame:
    """Return COVARIATE_DOMINANCE of SCORES, COVARIATES and WEIGHTS.

    Before matching each firm counts once, after it by its weight; the treated by what became of
    them count once.
    """
    models = {"unmatched": "unmatched"} | {name: d.score for name, d in match.designs.items()}
    levels = [name for name, c in score.covariates.items() if c.transform == "level"]
    parts = [pd.DataFrame(columns=list(COVARIATE_DOMINANCE.columns))]
    for design, model in models.items() if levels else ():
        risk_set = scores[scores["model"] == model].assign(weight=1.0)
        samples = {
            "before": risk_set,
            "on_support": risk_set[risk_set["on_support"]],
            "after": weights[weights["design"] == design],
        }
        for sample, rows in samples.items():
            share = _shares(rows, covariates, levels)
            parts.append(share.assign(design=design, sample=sample))
    for design, firms in treated_by_fate(scores, weights, match) if levels else ():
        for fate, rows in firms.groupby("fate"):
            share = _shares(rows.assign(treated=True, weight=1.0), covariates, levels)
            parts.append(share.assign(design=design, sample=fate))
    return pd.concat(parts)[list(COVARIATE_DOMINANCE.columns)]


def _shares(firms: pd.DataFrame, covariates: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return the largest shares by stack and all together, covariate and group."""
    keys = ["stack", "firm_id"]
    rows = firms[[*keys, "treated", "weight"]].merge(covariates[[*keys, *names]], on=keys)
    long = rows.melt([*keys, "treated", "weight"], names, "covariate")
    stacked = pd.concat([long.astype({"stack": "str"}), long.assign(stack="all")])
    share = largest_share(
        stacked["value"].fillna(0.0) * stacked["weight"],
        [stacked[name] for name in ("stack", "covariate", "treated")],
    )
    return share.rename("share").reset_index()
