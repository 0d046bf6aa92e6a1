"""Score: risk sets, dated covariates and the propensity score of every model."""

from pipeline.datasets.panel import PANEL
from pipeline.datasets.selection import (
    COVARIATES,
    SCORE_BINS,
    SCORE_COEFFICIENTS,
    SCORE_LOSSES,
    SCORES,
    STACKS,
)
from pipeline.datasets.store import read, write
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.covariates import dated_covariates
from pipeline.selection.propensity import score_risk_sets
from pipeline.selection.risk_sets import pooled_risk_sets, risk_sets
from pipeline.selection.score_bins import count_score_bins
from stages.run import Folders, run_stage

SECTIONS = {"treatment": TreatmentSection, "score": ScoreSection}


def main(folders: Folders, treatment: TreatmentSection, score: ScoreSection) -> None:
    """Read PANEL; write SCORES with bins, coefficients and losses, COVARIATES and STACKS."""
    panel, folder = read(PANEL, folders.of("clean")), folders.of("score")
    candidates = risk_sets(panel, treatment)
    covariates = dated_covariates(panel, candidates.firms, score.covariates)
    scored = score_risk_sets(pooled_risk_sets(candidates.firms, score), covariates, score)
    write(COVARIATES, covariates, folder)
    write(SCORES, scored.scores, folder)
    write(SCORE_BINS, count_score_bins(scored.scores), folder)
    write(SCORE_COEFFICIENTS, scored.coefficients, folder)
    write(SCORE_LOSSES, scored.losses, folder)
    write(STACKS, candidates.stacks, folder)


if __name__ == "__main__":
    run_stage(main, SECTIONS)
