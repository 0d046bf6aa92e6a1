"""Weights that are a function of the propensity score: odds for the ATT, overlap for the ATO."""

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.errors import Reason, SupportError
from pipeline.matching.stack import RiskSet, StackMatch, weighted
from pipeline.params.match import OddsDesign, OverlapDesign


def weigh_by_odds(risk_set: RiskSet, design: OddsDesign) -> StackMatch:
    """Weight comparison firms by the odds of treatment, normalised within the stack.

    w = 1 for treated firms, p / (1 - p) for comparison firms, scaled to sum to the treated
    (Hirano, Imbens & Ridder 2003, doi:10.1111/1468-0262.00442). Only firms on support.
    Raises SupportError where a comparison firm's score is one: its odds are infinite.
    """
    risk_set.require_both()
    odds = treatment_odds(risk_set)
    weight = np.where(risk_set.treated, 1.0, odds)
    return weighted(risk_set, np.where(risk_set.usable, weight, 0.0))


def weigh_by_overlap(risk_set: RiskSet, design: OverlapDesign) -> StackMatch:
    """Weight each firm by its probability of being in the other group.

    w = 1 - p for treated firms, p for comparison firms, the latter scaled to sum to the former.
    The effect is that on the overlap population, `ato`, where both groups are likely
    (Li, Morgan & Zaslavsky 2018, doi:10.1080/01621459.2016.1260466).
    """
    risk_set.require_both()
    score = risk_set.score("probability")
    weight = np.where(risk_set.treated, 1 - score, score)
    return weighted(risk_set, np.where(risk_set.usable, weight, 0.0), estimand="ato")


def treatment_odds(risk_set: RiskSet) -> Floats:
    """Return p / (1 - p) of each firm; zero for treated firms and firms not used."""
    score = np.where(risk_set.treated | ~risk_set.usable, 0.0, risk_set.score("probability"))
    certain = risk_set.count(score >= 1)
    if certain:
        found = {"entry_year": risk_set.entry_year, "n": certain}
        raise SupportError(
            f"{risk_set.where}: {certain} comparison firms have a propensity score of 1, so that "
            "their odds are infinite; take covariates out of the model or use a support rule",
            reason=Reason("score_of_one", found),
        )
    return np.asarray(score / (1 - score))
