"""Export the matched panel for another program, with commands that repeat the estimates."""

from argparse import ArgumentParser, Namespace
from pathlib import PurePosixPath

import pandas as pd

from pipeline.commands.stata.package import stata_files
from pipeline.datasets.complete import write_file
from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.selection import COVARIATES
from pipeline.datasets.store import read
from pipeline.effects.study import prepare_study
from pipeline.errors import SupportError
from pipeline.matching.matched_lags import matched_times
from pipeline.params.arms import ONLY_ARM
from pipeline.params.settings import load_yaml
from pipeline.params.study import StudySection, read_study
from stages.arms import panels_seen
from stages.command import Command, Reply, run_command
from stages.run import PARAMS, Folders
from stages.supported import arms_left


def main(arguments: list[str] | None = None) -> None:
    """Write data/<study>/export/: firm data, private like everything under data/.

    The headline's arm is in it, another in a folder of its name.
    """
    run_command(Command("export", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("study", help="a study of params.yaml")
    parser.add_argument("--arm", help="an arm of the study; all if absent")
    parser.add_argument("--stata", action="store_true", required=True, help=".dta and .do files")


def _reply(chosen: Namespace) -> Reply:
    folders = Folders(chosen.study)
    settings = read_study(load_yaml(PARAMS), chosen.study)
    files, folder = (
        _files(folders, settings, _asked(folders, settings, chosen.arm)),
        folders.of("export"),
    )
    for name, content in files.items():
        write_file(folder / name, content)
    return Reply(
        f"{folder.as_posix()}/ (private): {', '.join(files)}\n",
        {"folder": folder.as_posix(), "files": list(files)},
    )


def _asked(folders: Folders, settings: StudySection, arm: str | None) -> list[str]:
    """Return the arms to write: those with results, or the one that is named.

    Raises ParamsError where there is none of that name, SupportError where it has no results.
    """
    left = list(arms_left(folders.of("estimate"), settings.treatment, "export").left)
    if arm is None:
        return left
    if settings.treatment.one_arm(arm) not in left:
        raise SupportError(
            f"arm {arm} of {folders.study} has no results to export; ARM_FLOW says why: "
            f"results/arm_flow.csv in {folders.reports.as_posix()}"
        )
    return [arm]


def _files(folders: Folders, settings: StudySection, arms: list[str]) -> dict[str, bytes]:
    """Return the files of each arm by their path in the folder."""
    return {
        (PurePosixPath(settings.treatment.arm_folders[arm]) / name).as_posix(): content
        for arm, seen in panels_seen(folders, settings.treatment, arms)
        for name, content in _files_of_arm(folders, settings, arm, seen).items()
    }


def _files_of_arm(
    folders: Folders, settings: StudySection, arm: str, panel: pd.DataFrame
) -> dict[str, bytes]:
    of_arm = settings.treatment.arm_folders[arm]
    matched = folders.of("match", of_arm)
    study = prepare_study(
        panel,
        read(MATCHES, matched),
        read(WEIGHTS, matched),
        outcomes=settings.outcomes,
        treatment=settings.treatment,
        matched_times=matched_times(settings.score, settings.match),
        estimate=settings.estimate,
        covariates=read(COVARIATES, folders.of("score", of_arm)),
        score=settings.score,
        arm=arm,
    )
    name = folders.study if arm == ONLY_ARM else f"{folders.study}, arm {arm}"
    return stata_files(name, study, read(ESTIMATES, folders.of("estimate", of_arm)))


if __name__ == "__main__":
    main()
