"""Balance: how alike treated and comparison firms are before and after matching."""

from pipeline.datasets.aggregates import tell_again, tell_of_all_arms
from pipeline.datasets.balance import BALANCE, BALANCE_SUMMARY, SUPPORT
from pipeline.datasets.dominance import COVARIATE_DOMINANCE
from pipeline.datasets.matches import WEIGHTS
from pipeline.datasets.selection import COVARIATES, SCORES
from pipeline.datasets.store import read, write
from pipeline.matching.balance import measure_balance
from pipeline.matching.balance_of_designs import summarise_balance
from pipeline.matching.largest_firms import covariate_dominance
from pipeline.matching.rubin import separations
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.firm_stacks import firm_stacks
from pipeline.selection.support import treated_fates
from stages.run import Folders, run_stage
from stages.supported import arms_left

SECTIONS = {"treatment": TreatmentSection, "score": ScoreSection, "match": MatchSection}


def main(
    folders: Folders, treatment: TreatmentSection, score: ScoreSection, match: MatchSection
) -> None:
    """Read SCORES, COVARIATES and WEIGHTS; write BALANCE, its summary and SUPPORT.

    COVARIATE_DOMINANCE says what disclosure control must know of the firms behind BALANCE. What
    earlier stages tell of arms is written again here, where no table names a firm.
    """
    for arm_folder in arms_left(folders.of("match"), treatment, "balance").left.values():
        _balance(folders, arm_folder, score, match)
        if arm_folder:
            tell_again(folders.of, arm_folder)
    if treatment.arms is not None:
        tell_of_all_arms(folders.of)


def _balance(folders: Folders, arm_folder: str, score: ScoreSection, match: MatchSection) -> None:
    scored, folder = folders.of("score", arm_folder), folders.of("balance", arm_folder)
    scores, covariates = read(SCORES, scored), read(COVARIATES, scored)
    weights = read(WEIGHTS, folders.of("match", arm_folder))
    tables = firm_stacks(scores, covariates, weights)
    del scores, weights  # no longer needed, and may be large
    balance = measure_balance(tables, score, match)
    write(BALANCE, balance, folder)
    dominance = covariate_dominance(tables, score, match)
    write(COVARIATE_DOMINANCE, dominance, folder)
    write(SUPPORT, treated_fates(tables, match), folder)
    told_apart = separations(tables, score, match)
    write(BALANCE_SUMMARY, summarise_balance(balance, told_apart, match), folder)


if __name__ == "__main__":
    run_stage(main, SECTIONS)
