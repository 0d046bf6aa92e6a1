"""Run the whole pipeline again in a clone of the last commit and compare every result."""

import tempfile
from pathlib import Path

from pipeline.commands.audit.comparison import differences
from pipeline.commands.audit.revisions import RevisionError, run_git
from pipeline.commands.reproduce import reproduce
from pipeline.errors import EvaluationError
from pipeline.publishing.tree import Tree


class RerunError(EvaluationError):
    """Report that the committed code did not run to its end in a clone."""


def rerun_faults(root: Path) -> list[str]:
    """Return what differs between the committed results and those of a forced run from nothing.

    The clone holds what git holds; raw data that git does not hold are copied into it. Its cache
    is empty, so that nothing is taken from an earlier run.
    """
    with tempfile.TemporaryDirectory(prefix="verify-") as name:
        clone = Path(name) / "clone"
        cloned = run_git(root, "clone", "--quiet", "--no-local", ".", str(clone))
        if cloned.returncode != 0:
            raise RevisionError(f"git could not clone the project: {cloned.stderr.strip()}")
        _add_raw_data(root, clone)
        committed = Tree(clone).contents("reports")
        _repeat(clone)
        return differences(committed, Tree(clone).contents("reports"))


def _add_raw_data(root: Path, clone: Path) -> None:
    for path, content in Tree(root).contents("data/raw").items():
        place = clone / "data" / "raw" / path
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


def _repeat(clone: Path) -> None:
    """Run everything again; raise RerunError with what was said last."""
    if (last := reproduce(clone, "--force")) is not None:
        raise RerunError(f"the committed code does not run in a clone:\n{last}")
