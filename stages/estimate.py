"""Estimate the effects of the programme on every outcome, design and estimator declared."""

from pipeline.analyses.counted_firms import count_sets
from pipeline.analyses.largest_firms import outcome_dominance
from pipeline.analyses.populations import count_populations
from pipeline.analyses.published_means import PublishedMeans
from pipeline.analyses.recovery import recover
from pipeline.analyses.specs import estimate_specs
from pipeline.datasets.dominance import OUTCOME_DOMINANCE
from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.results import INFLUENCE, RECOVERY
from pipeline.datasets.selection import COVARIATES, SCORES
from pipeline.datasets.store import read, write
from pipeline.effects.study import prepare_study
from pipeline.matching.matched_lags import matched_times
from pipeline.matching.redo import Redo
from pipeline.panel.obtained import read_obtained
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from stages.run import Folders, run_stage

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

    Write the results tables, and what disclosure control must know of the firms behind them;
    INFLUENCE, of clusters and firms, in a folder that no exhibit is made from.
    """
    scored, matched = folders.of("score"), folders.of("match")
    covariates, weights = read(COVARIATES, scored), read(WEIGHTS, matched)
    study = prepare_study(
        read(PANEL, folders.of("clean")),
        read(MATCHES, matched),
        weights,
        outcomes=outcomes,
        treatment=treatment,
        matched_times=matched_times(score, match),
        estimate=estimate,
        covariates=covariates,
        score=score,
    )
    redo = Redo(read(SCORES, scored), covariates, score, match)
    results = estimate_specs(study, redo)
    folder = folders.of("estimate")
    for table, rows in results.of_no_firm():
        write(table, rows, folder)
    write(INFLUENCE, results.influence, folders.of("influence"))
    means = PublishedMeans(study, redo, weights, results.members)
    counted = count_populations(means) | count_sets(study, redo, weights)
    for table, rows in counted.items():
        write(table, rows, folder)
    write(OUTCOME_DOMINANCE, outcome_dominance(study), folder)
    truth = read_obtained(folders.of("obtained"), "truth")
    write(RECOVERY, recover(study, truth, results.estimates), folder)


if __name__ == "__main__":
    run_stage(main, SECTIONS)
