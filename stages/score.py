"""Score: risk sets, dated covariates and the propensity score of every model."""

from pathlib import Path

import pandas as pd

from pipeline.datasets.arms import ARM_ENTRIES, ARM_FLOW, ARMS, CONTACTS
from pipeline.datasets.designs import DATED_COVARIATES, SCORE_MODELS
from pipeline.datasets.exposure import CENTROIDS, EXPOSED, EXPOSURE, EXPOSURE_FRAME, LINKS
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
from pipeline.datasets.store import empty, read, write
from pipeline.panel.panel_index import index_panel
from pipeline.params.data import DataSection
from pipeline.params.exposure import centroid_files
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.arms import firm_arms, panels_by_arm
from pipeline.selection.covariates import dated_covariates
from pipeline.selection.exposure import ExposureInputs, exposure_tables
from pipeline.selection.pools import pool_contacts
from pipeline.selection.propensity import score_risk_sets
from pipeline.selection.risk_sets import RISK_SETS_READ, pooled_risk_sets, risk_sets
from pipeline.selection.score_bins import count_score_bins
from pipeline.selection.what_scored import covariates_dated, score_models
from stages.run import Folders, run_stage

SECTIONS = {"data": DataSection, "treatment": TreatmentSection, "score": ScoreSection}


def main(
    folders: Folders, data: DataSection, treatment: TreatmentSection, score: ScoreSection
) -> None:
    """Read PANEL; write SCORES with bins, coefficients and losses, COVARIATES and STACKS.

    SCORE_MODELS and DATED_COVARIATES say by which settings. A study with arms has these by arm, and
    ARMS says who is in which; POOL_CONTACTS says that of pools.
    """
    panel = read(PANEL, folders.of("clean"), _columns(data, score))
    seen_by = _arms(folders, panel, data, treatment)
    if treatment.pools:
        write(POOL_CONTACTS, _pools(folders, data, treatment), folders.of("score"))
    for arm, seen in panels_by_arm(panel, seen_by, treatment):
        _score(seen, folders.of("score", treatment.arm_folders[arm]), treatment, score)


def _arms(
    folders: Folders, panel: pd.DataFrame, data: DataSection, treatment: TreatmentSection
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Write who is in which arm, exposed or in contact, where the study has arms."""
    if treatment.arms is None:
        return None
    cleaned, folder = folders.of("clean"), folders.of("score")
    exposure, exposed = empty(EXPOSURE), empty(EXPOSED)
    if treatment.exposure:
        found = exposure_tables(
            read(EXPOSURE_FRAME, cleaned),
            treatment.exposure,
            links=None if data.links is None else read(LINKS, cleaned),
            centroids=_centroids(cleaned, treatment),
        )
        exposure, exposed = found.firms, found.counts
    write(EXPOSURE, exposure, folder)
    write(EXPOSED, exposed, folder)
    of_firms = firm_arms(read(ARM_ENTRIES, cleaned), panel, treatment.arms, exposure)
    write(ARMS, of_firms.arms, folder)
    write(CONTACTS, of_firms.contacts, folder)
    write(ARM_FLOW, of_firms.flow, folder)
    return of_firms.arms, of_firms.contacts


def _centroids(cleaned: Path, treatment: TreatmentSection) -> dict[str, pd.DataFrame]:
    """Return CENTROIDS by file, empty where exposures take places from none."""
    if not centroid_files(treatment.exposure):
        return {}
    return {str(file): rows for file, rows in read(CENTROIDS, cleaned).groupby("file")}


def _pools(folders: Folders, data: DataSection, treatment: TreatmentSection) -> pd.DataFrame:
    """Return who is in which pool, of all firms, those that the sample leaves out too."""
    cleaned = folders.of("clean")
    frame = read(EXPOSURE_FRAME, cleaned)
    links = None if data.links is None else read(LINKS, cleaned)
    given = ExposureInputs(frame, index_panel(frame), links, _centroids(cleaned, treatment))
    entries = None if treatment.arms is None else read(ARM_ENTRIES, cleaned)
    return pool_contacts(given, treatment.pools, treatment.exposure, entries)


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
