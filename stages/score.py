"""Score: risk sets, dated covariates and the propensity score of every model."""

from pathlib import Path

import pandas as pd

from pipeline.datasets.arms import ARMS, CONTACTS
from pipeline.datasets.designs import DATED_COVARIATES, SCORE_MODELS
from pipeline.datasets.exposure import EXPOSED, EXPOSURE, EXPOSURE_COMPONENTS, EXPOSURE_ISSUES
from pipeline.datasets.panel import PANEL, SAMPLING_WEIGHT
from pipeline.datasets.pools import POOL_CONTACTS
from pipeline.datasets.selection import (
    COVARIATES,
    SCORE_BINS,
    SCORE_COEFFICIENTS,
    SCORE_LOSSES,
    SCORES,
    STACKS,
)
from pipeline.datasets.store import read, write
from pipeline.panel.ledger import rows_of_issues
from pipeline.panel.panel_index import index_panel
from pipeline.params.data import DataSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.arms import panels_by_arm
from pipeline.selection.covariates import dated_covariates
from pipeline.selection.propensity import score_risk_sets
from pipeline.selection.risk_sets import RISK_SETS_READ, pooled_risk_sets, risk_sets
from pipeline.selection.score_bins import count_score_bins
from pipeline.selection.study_arms import (
    StudyArms,
    contacts_made_of,
    study_arms,
    study_pools,
)
from pipeline.selection.supported_arms import NO_ARMS, TriedArms
from pipeline.selection.what_scored import covariates_dated, score_models
from stages.run import Folders, run_stage
from stages.supported import tell_arms

SECTIONS = {"data": DataSection, "treatment": TreatmentSection, "score": ScoreSection}


def main(
    folders: Folders, data: DataSection, treatment: TreatmentSection, score: ScoreSection
) -> None:
    """Read PANEL; write SCORES with bins, coefficients and losses, COVARIATES and STACKS.

    SCORE_MODELS and DATED_COVARIATES say by which settings. A study with arms has these by arm;
    ARMS says who is in which, POOL_CONTACTS that of pools, EXPOSURE_ISSUES what was found, and
    ARM_FLOW which arms have no support: they are given up, here and later, and others go on.
    """
    panel = read(PANEL, folders.of("clean"), _columns(data, score))
    handed_on = contacts_made_of(data, treatment)
    made_of = {table: read(table, folders.of("clean")) for table in handed_on}
    arms = study_arms(panel, made_of, treatment)
    if arms is not None:
        _write_arms(arms, folders.of("score"))
    if treatment.pools:
        write(POOL_CONTACTS, study_pools(made_of, treatment), folders.of("score"))
    del made_of  # no longer needed, and may be large
    seen_by = None if arms is None else arms.seen_by
    tried = TriedArms(treatment, "score", NO_ARMS if arms is None else arms.of_firms.flow)
    for arm, seen in panels_by_arm(panel, seen_by, treatment, tried.left):
        with tried.trying(arm):
            _score(seen, folders.of("score", treatment.arm_folders[arm]), treatment, score)
    tell_arms(folders.of("score"), tried)


def _write_arms(arms: StudyArms, folder: Path) -> None:
    """Write who is in which arm, exposed or in contact."""
    write(EXPOSURE, arms.exposure, folder)
    write(EXPOSED, arms.exposed, folder)
    write(EXPOSURE_COMPONENTS, arms.components, folder)
    write(ARMS, arms.of_firms.arms, folder)
    write(CONTACTS, arms.of_firms.contacts, folder)
    write(EXPOSURE_ISSUES, rows_of_issues(arms.issues), folder)


def _score(
    panel: pd.DataFrame, folder: Path, treatment: TreatmentSection, score: ScoreSection
) -> None:
    index = index_panel(panel)
    candidates = risk_sets(panel, treatment, index)
    covariates = dated_covariates(panel, candidates.firms, score.covariates, index)
    del panel, index  # no longer needed, and may be large
    scored = score_risk_sets(pooled_risk_sets(candidates.firms, score), covariates, score)
    write(COVARIATES, covariates, folder)
    write(SCORES, scored.scores, folder)
    write(SCORE_BINS, count_score_bins(scored.scores), folder)
    write(SCORE_COEFFICIENTS, scored.coefficients, folder)
    write(SCORE_LOSSES, scored.losses, folder)
    write(STACKS, candidates.stacks, folder)
    write(SCORE_MODELS, score_models(score), folder)
    write(DATED_COVARIATES, covariates_dated(score), folder)


def _columns(data: DataSection, score: ScoreSection) -> list[str]:
    """Return the columns of PANEL that risk sets and covariates read."""
    dated = [c.column for c in score.covariates.values() if c.column is not None]
    weight = [] if data.weight is None else [SAMPLING_WEIGHT]
    return list(dict.fromkeys([*RISK_SETS_READ, *weight, *dated]))


if __name__ == "__main__":
    run_stage(main, SECTIONS)
