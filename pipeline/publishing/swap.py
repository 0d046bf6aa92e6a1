"""Replace what the exhibit stage owns in reports/<study>/, everything at once."""

import shutil
from pathlib import Path

# What `build_texts` makes again from the published results.
REBUILT = (
    "tables",
    "tables.tex",
    "tables.docx",
    "figures.tex",
    "metrics.json",
    "numbers.json",
    "numbers.tex",
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
    the old files. What a killed run left there goes.
    """
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        for owned in FOLDERS:
            (fresh / owned).mkdir(parents=True)
        for path, content in files.items():
            (fresh / path).parent.mkdir(parents=True, exist_ok=True)
            (fresh / path).write_bytes(content)
        folder.mkdir(parents=True, exist_ok=True)
        for owned in OWNED:
            _swap(fresh, folder, owned)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _swap(fresh: Path, folder: Path, name: str) -> None:
    place, new = folder / name, fresh / name
    if place.exists():
        shutil.move(place, fresh / f"{name}.old")
    if new.exists():
        shutil.move(new, place)
