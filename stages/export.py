"""Export the matched panel for another program, with commands that repeat the estimates."""

import argparse

from pipeline.commands.stata.package import stata_files
from pipeline.datasets.complete import write_file
from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.selection import COVARIATES
from pipeline.datasets.store import read
from pipeline.effects.study import prepare_study
from pipeline.errors import EvaluationError
from pipeline.matching.matched_lags import matched_times
from pipeline.params.settings import load_yaml
from pipeline.params.study import read_study
from stages.run import PARAMS, Folders, report


def main(arguments: list[str] | None = None) -> None:
    """Write data/<study>/export/: firm data, private like everything under data/."""
    parser = argparse.ArgumentParser(prog="python -m stages.export", description=__doc__)
    parser.add_argument("study", help="a study of params.yaml")
    parser.add_argument("--stata", action="store_true", required=True, help=".dta and .do files")
    folders = Folders(parser.parse_args(arguments).study)
    try:
        files = _files(folders)
    except EvaluationError as error:
        raise SystemExit(report(error, f"export {folders.study}", folders)) from None
    folder = folders.of("export")
    for name, content in files.items():
        write_file(folder / name, content)
    print(f"{folder.as_posix()}/ (private): {', '.join(files)}")


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
