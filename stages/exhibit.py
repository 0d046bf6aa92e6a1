"""Exhibit: tables, figures, numbers and results files that readers see."""

from typing import Any

from pipeline.analyses.recovery import recover
from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.complete import write_file
from pipeline.datasets.details import read_details
from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.panel import ISSUES, PANEL, PROFILE, SAMPLE_FLOW
from pipeline.datasets.results import ESTIMATES, OUTCOME_PATHS, TESTS
from pipeline.datasets.selection import COVARIATES, SCORE_COEFFICIENTS, SCORES
from pipeline.datasets.store import read
from pipeline.effects.study import Study, prepare_study
from pipeline.exhibits.details import Details
from pipeline.exhibits.headlines import headlines
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.matching.matched_lags import matched_times
from pipeline.panel.sources import read_obtained
from pipeline.params.estimate import EstimateSection
from pipeline.params.exhibit import ExhibitSection
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.publishing.disclosure.dominance import measure_dominance
from pipeline.publishing.publication import publish
from pipeline.publishing.study import build_published
from pipeline.publishing.swap import write_exhibits
from stages.run import Folders, run_stage

SECTIONS = {
    "outcomes": OutcomesSection,
    "treatment": TreatmentSection,
    "score": ScoreSection,
    "match": MatchSection,
    "estimate": EstimateSection,
    "exhibit": ExhibitSection,
}


def main(folders: Folders, **sections: Any) -> None:
    """Read every results table; replace reports/<study>/ at once."""
    settings = StudySettings(**sections)
    clean, scored, matched = folders.of("clean"), folders.of("score"), folders.of("match")
    balanced, estimated = folders.of("balance"), folders.of("estimate")
    estimates, truth = read(ESTIMATES, estimated), read_obtained(folders.of("obtained"), "truth")
    scores, study = read(SCORES, scored), _study(folders, settings)
    results = StudyResults(
        study=folders.study,
        settings=settings,
        estimates=estimates,
        tests=read(TESTS, estimated),
        paths=read(OUTCOME_PATHS, estimated),
        details=Details(read_details(scored, matched, balanced, estimated)),
        balance=read(BALANCE, balanced),
        sample_flow=read(SAMPLE_FLOW, clean),
        issues=read(ISSUES, clean),
        profile=read(PROFILE, clean),
        scores=scores,
        coefficients=read(SCORE_COEFFICIENTS, scored),
        recovery=None if truth is None else recover(study, truth, estimates),
        dominance=measure_dominance(
            study, scores, read(WEIGHTS, matched), settings.score, settings.match
        ),
        support=read(SUPPORT, balanced),
    )
    public = publish(results)
    write_exhibits(build_published(public), folders.reports, folders.private / ".new-reports")
    write_file(folders.headlines, headlines(public.results))


def _study(folders: Folders, settings: StudySettings) -> Study:
    return prepare_study(
        read(PANEL, folders.of("clean")),
        read(MATCHES, folders.of("match")),
        read(WEIGHTS, folders.of("match")),
        outcomes=settings.outcomes,
        treatment=settings.treatment,
        matched_times=matched_times(settings.score, settings.match),
        estimate=settings.estimate,
        covariates=read(COVARIATES, folders.of("score")),
        score=settings.score,
    )


if __name__ == "__main__":
    run_stage(main, SECTIONS)
