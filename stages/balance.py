"""Balance: how alike treated and comparison firms are before and after matching."""

from pipeline.balance import measure_balance
from pipeline.datasets.balance import BALANCE
from pipeline.datasets.matches import WEIGHTS
from pipeline.datasets.selection import COVARIATES, SCORES
from pipeline.datasets.store import read, write
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection
from stages.run import Folders, run_stage

SECTIONS = {"score": ScoreSection, "match": MatchSection}


def main(folders: Folders, score: ScoreSection, match: MatchSection) -> None:
    """Read SCORES, COVARIATES and WEIGHTS; write BALANCE."""
    scored = folders.of("score")
    balance = measure_balance(
        read(SCORES, scored),
        read(COVARIATES, scored),
        read(WEIGHTS, folders.of("match")),
        score,
        match,
    )
    write(BALANCE, balance, folders.of("balance"))


if __name__ == "__main__":
    run_stage(main, SECTIONS)
