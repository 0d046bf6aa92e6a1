"""Add a study that somebody prepared, as examples/kenya: section, raw data, rules files."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from pipeline.commands.add import add_study
from stages.command import Command, Reply, run_command


def main(arguments: list[str] | None = None) -> None:
    """Copy its files to data/, list the study and append its section."""
    run_command(Command("add", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="a folder with params.yaml, raw/ and rules/")


def _reply(chosen: Namespace) -> Reply:
    study, files = add_study(Path(), chosen.folder)
    return Reply(
        f"{study} is in params.yaml; `dvc repro --glob '*@{study}'` runs it\n",
        {"study": study, "written": [file.as_posix() for file in files]},
    )


if __name__ == "__main__":
    main()
