"""A small git repository with the committed results of the made-up study."""

import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
from results import study_results
from ruamel.yaml import YAML

from pipeline.datasets.matches import LOSSES, MATCHED
from pipeline.exhibits.render.results_csv import results_csv

STUDY = "madeup"
SECTIONS = ("treatment", "match", "estimate", "exhibit")


def repository(folder: Path) -> Path:
    """Make a repository whose only commit holds parameters, code and results."""
    results = study_results()
    sections = {name: getattr(results.settings, name).model_dump() for name in SECTIONS}
    write_yaml(folder / "params.yaml", {"studies": [STUDY], STUDY: sections})
    deps = ["pipeline/nearest.py", "pipeline/rules"]
    write_yaml(folder / "dvc.yaml", {"stages": {"match": {"deps": deps}}})
    (folder / "pipeline" / "rules").mkdir(parents=True)
    (folder / "pipeline" / "rules" / "cells.py").write_text("exact = True\n")
    (folder / "pipeline" / "nearest.py").write_text("order = 'largest'\n")
    (folder / "constraints.txt").write_text("numpy==2.4.6\npandas==3.1.1\n")
    for name in ("estimates", "sample_flow"):
        write_results(folder, name, getattr(results, name))
    for table in (MATCHED, LOSSES):
        write_results(folder, table.name.lower(), results.details.of(table))
    git(folder, "init", "--quiet")
    commit_all(folder, "First")
    return folder


def write_yaml(path: Path, content: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(content, file)


def write_results(folder: Path, name: str, frame: pd.DataFrame) -> None:
    path = folder / "reports" / STUDY / "results" / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(results_csv(frame))


def commit_all(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", message)


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
