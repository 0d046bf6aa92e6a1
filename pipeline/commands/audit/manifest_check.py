"""Hold every published file against the export manifest that lists its hash."""

import csv
import hashlib
from pathlib import Path

from pipeline.commands.audit.comparison import contents
from pipeline.params.settings import load_yaml, study_names
from pipeline.publishing.manifest import NAME


def manifest_faults(root: Path) -> list[str]:
    """Return the files of reports/<study>/ whose bytes are not those that its manifest lists."""
    studies = study_names(load_yaml(root / "params.yaml"))
    return [
        f"reports/{study}/{fault}"
        for study in studies
        for fault in _study_faults(root / "reports" / study)
    ]


def _study_faults(folder: Path) -> list[str]:
    if not (folder / NAME).is_file():
        return [f"{NAME} is missing: run `dvc repro`"]
    with (folder / NAME).open(encoding="utf-8", newline="") as file:
        listed = {row["file"]: row["sha256"] for row in csv.DictReader(file)}
    present = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in contents(folder).items()
        if name != NAME
    }
    return [
        f"{name}: not the file that {NAME} lists"
        for name in sorted(present.keys() | listed.keys())
        if present.get(name) != listed.get(name)
    ]
