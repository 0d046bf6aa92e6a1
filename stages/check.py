"""Check params.yaml: every study, every setting, and that the files it names exist."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from pipeline.datasets.complete import write_file
from pipeline.params.settings import load_yaml
from pipeline.params.study import check_studies, not_decomposed, raised_tolerances
from pipeline.params.tracked_raw import tracked_raw_files, what_to_do
from stages.command import Command, Reply, run_command
from stages.run import PARAMS

# Constant, so that a changed setting re-runs `check` and the stage that reads the setting only.
CHECKED = Path("data/checked/params.txt")


def main(arguments: list[str] | None = None) -> None:
    """Check all studies; write the constant file that `obtain` and `clean` depend on."""
    run_command(Command("check", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    pass


def _reply(_: Namespace) -> Reply:
    studies = check_studies(PARAMS, Path())
    write_file(CHECKED, b"params.yaml was checked\n")
    content = load_yaml(PARAMS)
    raised = raised_tolerances(content)
    tracked = tracked_raw_files(Path(), studies)
    lines = [
        f"check: {', '.join(studies)}",
        *raised,
        *not_decomposed(content),
        *what_to_do(tracked),
    ]
    found = {"studies": studies, "raised": raised, "tracked": tracked}
    return Reply("\n".join(lines) + "\n", found)


if __name__ == "__main__":
    main()
