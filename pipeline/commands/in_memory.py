"""An evaluation in memory, from the cleaned panel to results tables; nothing is written."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from pipeline.analyses.specs import estimate_specs
from pipeline.datasets.balance import BALANCE_SUMMARY
from pipeline.datasets.designs import DATED_COVARIATES, DESIGNS, SCORE_MODELS
from pipeline.datasets.matches import LOSSES, MATCHED
from pipeline.datasets.rules import DATA_RULES
from pipeline.datasets.selection import SCORE_LOSSES, STACKS
from pipeline.effects.collected import Results
from pipeline.effects.exposed_arm import OfExposed
from pipeline.effects.study import Study, prepare_study
from pipeline.exhibits.details import Details
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.matching.balance import measure_balance
from pipeline.matching.balance_of_designs import summarise_balance
from pipeline.matching.designs import Matched, match_designs
from pipeline.matching.matched_lags import matched_times
from pipeline.matching.redo import Redo
from pipeline.matching.rubin import separations
from pipeline.matching.what_matched import designs_matched
from pipeline.panel.ledger import Ledger
from pipeline.params.arms import ONLY_ARM
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.publishing.disclosure.score_shares import headline_score_shares
from pipeline.selection.covariates import dated_covariates
from pipeline.selection.drawn_arms import DrawnArms
from pipeline.selection.firm_stacks import FirmStacks, firm_stacks
from pipeline.selection.propensity import Scored, score_risk_sets
from pipeline.selection.risk_sets import pooled_risk_sets, risk_sets
from pipeline.selection.score_bins import count_score_bins
from pipeline.selection.support import treated_fates
from pipeline.selection.what_scored import covariates_dated, score_models


@dataclass(frozen=True)
class InMemory:
    """Hold STACKS, COVARIATES, scores and matches, the study, and what makes its weights again."""

    stacks: pd.DataFrame
    covariates: pd.DataFrame
    scored: Scored
    matched: Matched
    study: Study
    redo: Redo

    @property
    def scores(self) -> pd.DataFrame:
        """Return SCORES."""
        return self.scored.scores

    @cached_property
    def firm_stacks(self) -> FirmStacks:
        """Return scores and weights joined to covariates."""
        return firm_stacks(self.scores, self.covariates, self.matched.weights)

    @cached_property
    def estimated(self) -> Results:
        """Return the results of every spec."""
        return estimate_specs(self.study, self.redo)


def match_in_memory(
    panel: pd.DataFrame,
    *,
    outcomes: OutcomesSection,
    treatment: TreatmentSection,
    score: ScoreSection,
    match: MatchSection,
    estimate: EstimateSection,
    brought: dict[str, pd.DataFrame] | None = None,
    arm: str = ONLY_ARM,
    arms: DrawnArms | None = None,
    exposed: OfExposed = None,
) -> InMemory:
    """Date covariates, score, match and prepare the estimates, as the stages do; `panel` is PANEL.

    `brought` are the files of external designs; of a study with arms `panel` is as `arm` sees it,
    `arms` what they are made of, and `exposed` counts the arm's firms where they are exposed ones.
    Raises what these steps raise.
    """
    candidates = risk_sets(panel, treatment)
    covariates = dated_covariates(panel, candidates.firms, score.covariates)
    scored = score_risk_sets(pooled_risk_sets(candidates.firms, score), covariates, score)
    matched = match_designs(scored.scores, covariates, match, brought)
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
        arm=arm,
        exposed=exposed,
    )
    redo = Redo(scored.scores, covariates, score, match, arms)
    return InMemory(candidates.stacks, covariates, scored, matched, study, redo)


def balance_in_memory(found: InMemory) -> pd.DataFrame:
    """Return BALANCE of every design, as the stage does."""
    score, match = found.redo.score, found.redo.match
    return measure_balance(found.firm_stacks, score, match)


def results_in_memory(
    found: InMemory, cleaned: Ledger, rules: pd.DataFrame, settings: StudySettings
) -> StudyResults:
    """Estimate every spec and return what exhibits are made from, before disclosure control.

    `rules` is DATA_RULES of the cleaned panel.
    """
    score, match = found.redo.score, found.redo.match
    estimated = found.estimated
    balance = balance_in_memory(found)
    told_apart = separations(found.firm_stacks, score, match)
    details = {
        DATA_RULES.name: rules,
        STACKS.name: found.stacks,
        SCORE_LOSSES.name: found.scored.losses,
        SCORE_MODELS.name: score_models(score),
        DATED_COVARIATES.name: covariates_dated(score),
        DESIGNS.name: designs_matched(match),
        MATCHED.name: found.matched.counts,
        LOSSES.name: found.matched.losses,
        BALANCE_SUMMARY.name: summarise_balance(balance, told_apart, match),
    }
    return StudyResults(
        study="notebook",
        settings=settings,
        estimates=estimated.estimates,
        tests=estimated.tests,
        paths=estimated.paths,
        details=Details(details | estimated.details),
        balance=balance,
        sample_flow=cleaned.sample_flow,
        issues=cleaned.issues,
        score_shares=headline_score_shares(count_score_bins(found.scores), settings),
        coefficients=found.scored.coefficients,
        support=treated_fates(found.firm_stacks, match),
        arm=None if found.study.treatment.arms is None else found.study.arm,
    )
