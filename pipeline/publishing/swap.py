"""Replace what the exhibit stage owns in reports/<study>/, everything at once."""

import errno
import shutil
from pathlib import Path

# What `exhibits_of` makes again from the published results, figures apart.
REBUILT = (
    "tables",
    "tables.tex",
    "tables.docx",
    "figures.tex",
    "methods.tex",
    "metrics.json",
    "numbers.json",
    "numbers.tex",
    "numbers_all.json",
    "plots",
    "report.html",
    "summary.md",
)
MANIFEST = "manifest.csv"
OWNED = (*REBUILT, "figures", "results", MANIFEST)
# Folders among them: there also where a study asks for no figure or table, or DVC fails the stage.
FOLDERS = ("tables", "figures", "plots", "results")


def write_exhibits(files: dict[str, bytes], folder: Path, fresh: Path) -> None:
    """Put the files into `folder`, all or none; what the stage owned before is removed.

    Everything is written to the folder `fresh` first, out of git's sight, so that a failure leaves
    the old files.
    """
    undo_killed(folder, fresh)
    try:
        for owned in FOLDERS:
            (fresh / owned).mkdir(parents=True)
        for path, content in files.items():
            (fresh / path).parent.mkdir(parents=True, exist_ok=True)
            (fresh / path).write_bytes(content)
        folder.mkdir(parents=True, exist_ok=True)
        _swap_all(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def undo_killed(folder: Path, fresh: Path) -> None:
    """Put back into `folder` what a run that was killed had moved out of it; what it made goes."""
    _move_back(fresh, folder)
    shutil.rmtree(fresh, ignore_errors=True)


def _swap_all(fresh: Path, folder: Path) -> None:
    """Exchange what the stage owns; where one move fails, move back what was there."""
    try:
        for name in OWNED:
            if (folder / name).exists():
                _move(folder / name, fresh / f"{name}.old")
            if (fresh / name).exists():
                _move(fresh / name, folder / name)
    except OSError:
        _move_back(fresh, folder)
        raise


def _move_back(fresh: Path, folder: Path) -> None:
    for name in OWNED:
        if (fresh / f"{name}.old").exists():
            if (folder / name).exists():
                _move(folder / name, fresh / f"{name}.undone")
            _move(fresh / f"{name}.old", folder / name)


def _move(place: Path, new: Path) -> None:
    """Rename; copy only between disks, since a copy that fails may have deleted its source."""
    try:
        place.rename(new)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.move(place, new)
