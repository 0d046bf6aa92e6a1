"""Run the whole pipeline again in a clone of the last commit and compare every result."""

import tempfile
from pathlib import Path

from pipeline.commands.audit.comparison import differences
from pipeline.commands.audit.drawings import drawing_differences
from pipeline.commands.audit.fault import Fault
from pipeline.commands.audit.rebuild import other_versions
from pipeline.commands.audit.revisions import RevisionError, run_git
from pipeline.commands.reproduce import reproduce
from pipeline.errors import EvaluationError
from pipeline.publishing.tree import Tree


class RerunError(EvaluationError):
    """Report that the committed code did not run to its end in a clone."""


_TODO = (
    "the committed code does not give this: find the commit that changed it (`impact diff`), then "
    "`dvc repro --force` and commit what comes of it"
)


def rerun_faults(root: Path) -> list[Fault]:
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
        new = Tree(clone).contents("reports")
        found = differences(committed, new) + _drawn_otherwise(root, committed, new)
        return [Fault(f"reports/{line}", _TODO) for line in found]


def _drawn_otherwise(root: Path, committed: dict[str, bytes], new: dict[str, bytes]) -> list[str]:
    """Return the drawings that show other things, of studies that the versions here drew."""
    studies = {path.split("/")[0] for path in committed if "/" in path}
    mine = tuple(f"{study}/" for study in studies if not other_versions(root, study))
    return drawing_differences({p: c for p, c in committed.items() if p.startswith(mine)}, new)


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
