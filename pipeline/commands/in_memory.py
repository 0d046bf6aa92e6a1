"""An evaluation in memory, from the cleaned panel to results tables; nothing is written."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from pipeline.analyses.specs import estimate_specs
from pipeline.datasets.balance import BALANCE_SUMMARY
from pipeline.datasets.designs import DATED_COVARIATES, DESIGNS, SCORE_MODELS
from pipeline.datasets.exposure import EXPOSURE
from pipeline.datasets.matches import LOSSES, MATCHED
from pipeline.datasets.panel import PANEL
from pipeline.datasets.reasons import unpacked
from pipeline.datasets.rules import DATA_RULES
from pipeline.datasets.selection import SCORE_LOSSES, STACKS
from pipeline.datasets.store import Dataset, empty
from pipeline.effects.collected import Results
from pipeline.effects.exposed_arm import OfExposed, exposed_arm
from pipeline.effects.study import Study, prepare_study
from pipeline.errors import Reason, SupportError
from pipeline.exhibits.details import Details
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.inference.between_arms import BetweenArms, between_arms
from pipeline.inference.own_exposure import arm_effects
from pipeline.matching.balance import measure_balance
from pipeline.matching.balance_of_designs import summarise_balance
from pipeline.matching.designs import Matched, match_designs
from pipeline.matching.matched_lags import matched_times
from pipeline.matching.redo import Redo
from pipeline.matching.rubin import separations
from pipeline.matching.what_matched import designs_matched
from pipeline.panel.coverage import require_observed
from pipeline.panel.ledger import Ledger
from pipeline.panel.used_columns import used_columns
from pipeline.params.arm_faults import ArmSections
from pipeline.params.arms import ONLY_ARM
from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.study import StudySection
from pipeline.params.treatment import TreatmentSection
from pipeline.publishing.disclosure.score_shares import headline_score_shares
from pipeline.selection.arms import panels_by_arm
from pipeline.selection.covariates import dated_covariates
from pipeline.selection.drawn_arms import DrawnArms
from pipeline.selection.exposure_components import with_components
from pipeline.selection.firm_stacks import FirmStacks, firm_stacks
from pipeline.selection.propensity import Scored, score_risk_sets
from pipeline.selection.risk_sets import pooled_risk_sets, risk_sets
from pipeline.selection.score_bins import count_score_bins
from pipeline.selection.study_arms import contacts_made_of, study_arms
from pipeline.selection.support import treated_fates
from pipeline.selection.supported_arms import NO_ARMS, TriedArms
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
    and `arms` what they are made of.
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


@dataclass(frozen=True)
class ArmsInMemory:
    """Hold each arm of a study that has support by name; a study without arms has one, `all`.

    And EXPOSURE, and ARM_FLOW with the reasons of arms without support.
    """

    by_arm: dict[str, InMemory]
    exposure: pd.DataFrame
    flow: pd.DataFrame

    def arm(self, name: str) -> InMemory:
        """Return one arm; raise SupportError with the reason where it has no support."""
        if name not in self.by_arm:
            row = self.flow.set_index("arm").loc[name]
            why = unpacked(row["reason"], row["reason_fields"])
            raise SupportError(why or Reason("arm_without_effect", {"arms": [name]}))
        return self.by_arm[name]

    @cached_property
    def between(self) -> BetweenArms:
        """Return contrasts between all arms, of a study that names arms."""
        effects = {arm: arm_effects(own.study, own.estimated) for arm, own in self.by_arm.items()}
        any_arm = next(iter(self.by_arm.values()))
        study, redo = any_arm.study, any_arm.redo
        sections = ArmSections(study.treatment, redo.score, redo.match, study.estimate)
        return between_arms(effects, self.exposure, sections)


def match_arms(
    cleaned: Mapping[Dataset, pd.DataFrame],
    study: StudySection,
    brought: dict[str, pd.DataFrame] | None = None,
    only: Collection[str] | None = None,
) -> ArmsInMemory:
    """Return what `match_in_memory` does for the sections of a study, by arm.

    `cleaned` are PANEL and what arms are made of, `only` names the arms that are asked for, None
    all; those without support are left out. Raises DataError too where they read a column that
    nobody has in a year, as `clean` does.
    """
    panel, treatment = cleaned[PANEL], study.treatment
    require_observed(panel, study.clean, used_columns(study.outcomes, study.score, treatment))
    arms = study_arms(panel, cleaned, treatment)
    if arms is not None:
        panel = with_components(panel, arms.components)
    drawn = None if arms is None else DrawnArms(cleaned[PANEL], cleaned, treatment)
    tried = TriedArms(treatment, "score", NO_ARMS if arms is None else arms.of_firms.flow)
    asked, by_arm = [arm for arm in tried.left if only is None or arm in only], {}
    seen_by = None if arms is None else arms.seen_by
    for arm, seen in panels_by_arm(panel, seen_by, treatment, asked):
        with tried.trying(arm):
            by_arm[arm] = match_in_memory(
                seen,
                outcomes=study.outcomes,
                treatment=treatment,
                score=study.score,
                match=study.match,
                estimate=study.estimate,
                brought=brought,
                arm=arm,
                arms=drawn,
                exposed=exposed_arm(tried.counts(arm)),
            )
    flow = NO_ARMS if arms is None else tried.told
    return ArmsInMemory(by_arm, empty(EXPOSURE) if arms is None else arms.exposure, flow)


def cleaned_by(data: DataSection, treatment: TreatmentSection) -> Iterator[Dataset]:
    """Yield the tables of cleaning that `match_arms` takes."""
    yield PANEL
    yield from contacts_made_of(data, treatment)


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
    )
