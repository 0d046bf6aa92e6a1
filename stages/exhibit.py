"""Exhibit: tables, figures, numbers and results files that readers see."""

from dataclasses import replace
from typing import Any

from pipeline.datasets.aggregates import arms_told, read_aggregates, read_of_all_arms, read_pools
from pipeline.datasets.complete import write_file
from pipeline.exhibits.headlines import headlines
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.params.estimate import EstimateSection
from pipeline.params.exhibit import ExhibitSection
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.publishing.publication import gathered, gathered_arms, publish
from pipeline.publishing.study import build_published
from pipeline.publishing.swap import undo_killed, write_exhibits
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
    """Read every results table, none of which names a firm; replace reports/<study>/ at once."""
    fresh = folders.private / ".new-reports"
    undo_killed(folders.reports, fresh)
    settings = StudySettings(**sections)
    results = _gathered(folders, settings)
    if settings.treatment.pools:
        pools, firms = read_pools(folders.of)
        results = replace(results, pools=pools, pool_firms=firms)
    public = publish(results)
    write_exhibits(build_published(public), folders.reports, fresh)
    write_file(folders.headlines, headlines(public.results))


def _gathered(folders: Folders, settings: StudySettings) -> StudyResults:
    """Return the results of the study, of every arm where it has some."""
    if settings.treatment.arms is None:
        return gathered(folders.study, settings, read_aggregates(folders.of))
    of_all, arm_folders = read_of_all_arms(folders.of), settings.treatment.arm_folders
    told = arms_told(of_all)
    by_arm = {arm: read_aggregates(folders.of, arm_folders[arm]) for arm in told}
    return gathered_arms(folders.study, settings, by_arm, of_all)


if __name__ == "__main__":
    run_stage(main, SECTIONS)
