"""An evaluation in memory, from the cleaned panel to what estimators share; nothing is written."""

from dataclasses import dataclass

import pandas as pd

from pipeline.effects.study import Study, prepare_study
from pipeline.inference.bootstrap import Redo
from pipeline.matching.designs import Matched, match_designs
from pipeline.matching.matched_lags import matched_times
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.covariates import dated_covariates
from pipeline.selection.propensity import score_risk_sets
from pipeline.selection.risk_sets import pooled_risk_sets, risk_sets


@dataclass(frozen=True)
class InMemory:
    """Hold SCORES, COVARIATES and matches, the study, and what makes its weights again."""

    scores: pd.DataFrame
    covariates: pd.DataFrame
    matched: Matched
    study: Study
    redo: Redo


def match_in_memory(
    panel: pd.DataFrame,
    *,
    outcomes: OutcomesSection,
    treatment: TreatmentSection,
    score: ScoreSection,
    match: MatchSection,
    estimate: EstimateSection,
) -> InMemory:
    """Date covariates, score, match and prepare the estimates, as the stages do; `panel` is PANEL.

    Raises what these steps raise.
    """
    candidates = risk_sets(panel, treatment).firms
    covariates = dated_covariates(panel, candidates, score.covariates)
    scores = score_risk_sets(pooled_risk_sets(candidates, score), covariates, score).scores
    matched = match_designs(scores, covariates, match)
    study = prepare_study(
        panel,
        matched.matches,
        matched.weights,
        outcomes=outcomes,
        treatment=treatment,
        matched_times=matched_times(score, match),
        estimate=estimate,
        covariates=covariates,
        score=score,
    )
    return InMemory(scores, covariates, matched, study, Redo(scores, covariates, score, match))
