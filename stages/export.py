"""Export the matched panel for another program, with commands that repeat the estimates."""

from argparse import ArgumentParser, Namespace

from pipeline.commands.stata.package import stata_files
from pipeline.datasets.complete import write_file
from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.selection import COVARIATES
from pipeline.datasets.store import read
from pipeline.effects.study import prepare_study
from pipeline.matching.matched_lags import matched_times
from pipeline.params.settings import load_yaml
from pipeline.params.study import read_study
from stages.command import Command, Reply, run_command
from stages.run import PARAMS, Folders


def main(arguments: list[str] | None = None) -> None:
    """Write data/<study>/export/: firm data, private like everything under data/."""
    run_command(Command("export", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("study", help="a study of params.yaml")
    parser.add_argument("--stata", action="store_true", required=True, help=".dta and .do files")


def _reply(chosen: Namespace) -> Reply:
    folders = Folders(chosen.study)
    files, folder = _files(folders), folders.of("export")
    for name, content in files.items():
        write_file(folder / name, content)
    return Reply(
        f"{folder.as_posix()}/ (private): {', '.join(files)}\n",
        {"folder": folder.as_posix(), "files": list(files)},
    )


def _files(folders: Folders) -> dict[str, bytes]:
    settings = read_study(load_yaml(PARAMS), folders.study)
    matched = folders.of("match")
    study = prepare_study(
        read(PANEL, folders.of("clean")),
        read(MATCHES, matched),
        read(WEIGHTS, matched),
        outcomes=settings.outcomes,
        treatment=settings.treatment,
        matched_times=matched_times(settings.score, settings.match),
        estimate=settings.estimate,
        covariates=read(COVARIATES, folders.of("score")),
        score=settings.score,
    )
    return stata_files(folders.study, study, read(ESTIMATES, folders.of("estimate")))


if __name__ == "__main__":
    main()
