"""Package studies for a data editor: code, parameters, results and data, in one zip."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from pipeline.commands.replication.archive import replication_package
from pipeline.commands.replication.measure import measure_stages
from pipeline.datasets.complete import write_file
from pipeline.params.settings import load_yaml, study_names
from stages.command import Command, Reply, run_command
from stages.run import PARAMS


def main(arguments: list[str] | None = None) -> None:
    """Write the archive, or with --measure run every stage and write what it took."""
    run_command(Command("package", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("studies", nargs="*", help="studies of params.yaml; all if absent")
    parser.add_argument("--output", type=Path, default=Path("replication.zip"))
    parser.add_argument("--measure", action="store_true", help="time every stage, package nothing")


def _reply(chosen: Namespace) -> Reply:
    if chosen.measure:
        path = measure_stages(Path(), chosen.studies or study_names(load_yaml(PARAMS)))
        return Reply(f"{path.as_posix()}: commit it, then package\n", {"written": path.as_posix()})
    content = replication_package(Path(), chosen.studies)
    write_file(chosen.output, content)
    return Reply(
        f"{chosen.output}: {len(content) / 1e6:.1f} MB\n",
        {"written": chosen.output.as_posix(), "bytes": len(content)},
    )


if __name__ == "__main__":
    main()
