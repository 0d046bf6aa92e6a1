"""Package a study for a data editor: code, parameters, results, data or stand-ins, in one zip."""

import argparse
from pathlib import Path

from pipeline.commands.replication.archive import replication_package
from pipeline.commands.replication.measure import measure_stages
from pipeline.datasets.complete import write_file
from pipeline.errors import EvaluationError
from pipeline.params.settings import load_yaml, study_names
from stages.run import PARAMS, report


def main(arguments: list[str] | None = None) -> None:
    """Write the archive, or with --measure run every stage and write what it took."""
    chosen = _arguments(arguments)
    try:
        if chosen.measure:
            path = measure_stages(Path(), chosen.studies or study_names(load_yaml(PARAMS)))
            print(f"{path.as_posix()}: commit it, then package")
            return
        content = replication_package(Path(), chosen.studies)
    except EvaluationError as error:
        raise SystemExit(report(error, "package")) from None
    write_file(chosen.output, content)
    print(f"{chosen.output}: {len(content) / 1e6:.1f} MB")


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stages.package", description=__doc__)
    parser.add_argument("studies", nargs="*", help="studies of params.yaml; all if absent")
    parser.add_argument("--output", type=Path, default=Path("replication.zip"))
    parser.add_argument("--measure", action="store_true", help="time every stage, package nothing")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
