"""Match treated firms to comparison firms under every design."""

from pipeline.datasets.designs import DESIGNS
from pipeline.datasets.matches import LOSSES, MATCHED, MATCHES, WEIGHTS
from pipeline.datasets.selection import COVARIATES, SCORES
from pipeline.datasets.store import read, write
from pipeline.matching.designs import match_designs
from pipeline.matching.external import read_brought
from pipeline.matching.losses import shortage_lines
from pipeline.matching.what_matched import designs_matched
from pipeline.params.clean import CleanSection
from pipeline.params.match import MatchSection
from pipeline.params.treatment import TreatmentSection
from stages.run import Folders, progress, run_stage
from stages.supported import arms_left, tell_arms

SECTIONS = {"clean": CleanSection, "treatment": TreatmentSection, "match": MatchSection}


def main(
    folders: Folders, clean: CleanSection, treatment: TreatmentSection, match: MatchSection
) -> None:
    """Read SCORES, COVARIATES and files of external designs; write matches, weights and counts.

    Section clean says how identifiers in these files are written, DESIGNS by which settings firms
    were matched. Who is short of comparison firms is in LOSSES; a terminal shows
    it at once. Logs do not: these are counts by entry year, before disclosure control.
    """
    tried = arms_left(folders.of("score"), treatment, "match")
    for arm, arm_folder in tried.left.items():
        with tried.trying(arm):
            _match(folders, arm_folder, clean, match)
    tell_arms(folders.of("match"), tried)


def _match(folders: Folders, arm_folder: str, clean: CleanSection, match: MatchSection) -> None:
    scored, folder = folders.of("score", arm_folder), folders.of("match", arm_folder)
    scores = read(SCORES, scored)
    brought = read_brought(folders.raw, match, clean.identifier, scores["firm_id"])
    matched = match_designs(scores, read(COVARIATES, scored), match, brought)
    write(MATCHES, matched.matches, folder)
    write(WEIGHTS, matched.weights, folder)
    write(MATCHED, matched.counts, folder)
    write(LOSSES, matched.losses, folder)
    write(DESIGNS, designs_matched(match), folder)
    for line in shortage_lines(matched.counts, matched.losses):
        progress(line)


if __name__ == "__main__":
    run_stage(main, SECTIONS)
