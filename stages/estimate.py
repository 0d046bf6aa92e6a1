"""Estimate the effects of the programme on every outcome, design and estimator declared."""

import pandas as pd

from pipeline.analyses.largest_firms import outcome_dominance
from pipeline.analyses.means_of_arms import MeansOfArms
from pipeline.analyses.pool_matching import HeadlineArm
from pipeline.analyses.pools import pool_effects
from pipeline.analyses.published_means import PublishedMeans
from pipeline.analyses.recovery import recover
from pipeline.analyses.specs import estimate_specs
from pipeline.analyses.who_is_behind import who_is_behind
from pipeline.datasets.arms import ARMS
from pipeline.datasets.dominance import OUTCOME_DOMINANCE
from pipeline.datasets.exposure import EXPOSURE
from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.pools import POOL_CONTACTS
from pipeline.datasets.results import INFLUENCE, RECOVERY
from pipeline.datasets.selection import COVARIATES, SCORES
from pipeline.datasets.store import Dataset, read, write
from pipeline.effects.exposed_arm import OfExposed, exposed_arm
from pipeline.effects.study import prepare_study
from pipeline.inference.between_arms import between_arms
from pipeline.inference.own_exposure import ArmEffects, arm_effects
from pipeline.matching.matched_lags import matched_times
from pipeline.matching.redo import Redo
from pipeline.panel.obtained import read_obtained
from pipeline.params.arm_faults import ArmSections
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from stages.arms import arms_to_draw, firms_listed, joined_panel, panels_seen
from stages.run import Folders, run_stage
from stages.supported import arms_left, tell_arms

SECTIONS = {
    "outcomes": OutcomesSection,
    "treatment": TreatmentSection,
    "score": ScoreSection,
    "match": MatchSection,
    "estimate": EstimateSection,
}


def main(
    folders: Folders,
    *,
    outcomes: OutcomesSection,
    treatment: TreatmentSection,
    score: ScoreSection,
    match: MatchSection,
    estimate: EstimateSection,
) -> None:
    """Read what `clean`, `score` and `match` wrote, and the truth of simulated firms.

    Write tables of results, and for disclosure control; INFLUENCE where no exhibit is made from it.
    """
    sections = ArmSections(treatment, score, match, estimate)
    tried = arms_left(folders.of("match"), treatment, "estimate")
    effects, behind = dict[str, ArmEffects](), dict[str, PublishedMeans]()
    for arm, seen in panels_seen(folders, treatment, tried.left):
        exposed = exposed_arm(tried.counts(arm))
        with tried.trying(arm):
            found = _estimate_arm(folders, arm, seen, outcomes, sections, exposed=exposed)
            behind[treatment.arm_folders[arm]], effects[arm] = found
    tell_arms(folders.of("estimate"), tried)
    told, panel = {}, behind[""].study.panel
    if treatment.arms is not None:
        panel = read(PANEL, folders.of("clean"))
        told = between_arms(effects, read(EXPOSURE, folders.of("score")), sections).tables()
    listed = firms_listed(folders, panel, treatment)
    for table, rows in (told | who_is_behind(MeansOfArms(behind, panel), listed)).items():
        write(table, rows, folders.of("estimate"))


def _estimate_arm(
    folders: Folders,
    arm: str,
    panel: pd.DataFrame,
    outcomes: OutcomesSection,
    sections: ArmSections,
    *,
    exposed: OfExposed,
) -> tuple[PublishedMeans, ArmEffects]:
    """Write the tables of one arm; return whom its figures are of, and what contrasts need."""
    of_arm = sections.treatment.arm_folders[arm]
    scored, matched = folders.of("score", of_arm), folders.of("match", of_arm)
    covariates, weights = read(COVARIATES, scored), read(WEIGHTS, matched)
    study = prepare_study(
        panel,
        read(MATCHES, matched),
        weights,
        outcomes=outcomes,
        treatment=sections.treatment,
        matched_times=matched_times(sections.score, sections.match),
        estimate=sections.estimate,
        covariates=covariates,
        score=sections.score,
        arm=arm,
        exposed=exposed,
    )
    arms = arms_to_draw(folders, sections.treatment, sections.estimate)
    redo = Redo(read(SCORES, scored), covariates, sections.score, sections.match, arms)
    results = estimate_specs(study, redo)
    folder = folders.of("estimate", of_arm)
    pools = {} if of_arm else _pools(folders, HeadlineArm(study, redo, results))
    for table, rows in (*results.of_no_firm(), *pools.items()):
        write(table, rows, folder)
    write(INFLUENCE, results.influence, folders.of("influence", of_arm))
    write(OUTCOME_DOMINANCE, outcome_dominance(study), folder)
    truth = read_obtained(folders.of("obtained"), "truth")
    write(RECOVERY, recover(study, truth, results.estimates), folder)
    return PublishedMeans(study, redo, weights, results.members), arm_effects(study, results)


def _pools(folders: Folders, headline: HeadlineArm) -> dict[Dataset, pd.DataFrame]:
    """Return the headline's effects under each pool that params declare; nothing without any."""
    if not headline.study.treatment.pools:
        return {}
    treatment, scored = headline.study.treatment, folders.of("score")
    panel, contacts = joined_panel(folders, treatment), read(POOL_CONTACTS, scored)
    arms = None if treatment.arms is None else read(ARMS, scored)
    return pool_effects(headline, panel, contacts, arms)


if __name__ == "__main__":
    run_stage(main, SECTIONS)
