"""The README of a replication package, under the headings of the Social Science Data Editors.

Template: Vilhuber et al. (2022), "A template README for social science replication packages",
doi:10.5281/zenodo.7293838. Text from params.yaml, the data's own README files, constraints.txt and
measured run times.
"""

import csv
import sys
from pathlib import Path, PurePosixPath

from pipeline.params.study import StudySection
from pipeline.publishing.study import EXHIBIT_FUNCTIONS

NAME = "README_REPLICATION.md"
MEASURED = Path("docs/measured.csv")


def replication_readme(root: Path, studies: dict[str, StudySection], files: list[str]) -> bytes:
    """Return the README as Markdown; `files` are the paths of the package."""
    titles = "; ".join(study.exhibit.title for study in studies.values())
    parts = [
        f"# Replication package: {titles}",
        _overview(studies),
        "## Data Availability and Provenance Statements",
        *(_availability(root, name, study) for name, study in studies.items()),
        "## Dataset list",
        _datasets(studies, files),
        "## Computational requirements",
        _requirements(root),
        "### Memory, Runtime, Storage Requirements",
        _measured(root, list(studies)),
        "## Description of programs/code",
        _programs(),
        "## Instructions to Replicators",
        _instructions(),
        "## List of tables and programs",
        _exhibits(list(studies), files),
        "## References",
        "\n".join(f"- {study.exhibit.source}." for study in studies.values()),
    ]
    return ("\n\n".join(parts) + "\n").encode("utf-8")


def _overview(studies: dict[str, StudySection]) -> str:
    named = ", ".join(f"`{name}`" for name in studies)
    return (
        "## Overview\n\n"
        f"The code evaluates the studies {named} from raw data to tables and figures in one "
        "command, `dvc repro`. `params.yaml` holds every choice, `dvc.lock` the hashes of every "
        "input and output of the committed results."
    )


def _availability(root: Path, name: str, study: StudySection) -> str:
    file = root / "data" / "raw" / name / "README.md"
    told = file.read_text(encoding="utf-8").strip() if file.is_file() else "No README.md was given."
    lines = told.splitlines()
    text = "\n".join(lines[1:]).strip() if lines and lines[0].startswith("#") else told
    access = (
        "**Confidential data not provided.** The files under "
        f"`data/raw/{name}/` are STAND-INS: made up, with the columns, types and entry pattern of "
        "the data. The results under `reports/` come from the confidential data; a run on the "
        "stand-ins gives others."
        if study.data.confidential
        else {
            "simulation": "The data are simulated by the code; nothing is needed.",
            "package": "The data are carried by a Python package that the requirements install.",
            "files": f"The data are provided, in `data/raw/{name}/`.",
        }[study.data.source.kind]
    )
    return f"### {name}\n\n{access}\n\n{text}"


def _datasets(studies: dict[str, StudySection], files: list[str]) -> str:
    rows = ["| Data file | Study | Provided |", "|---|---|---|"]
    for name, study in studies.items():
        own = [f for f in files if f.startswith(f"data/raw/{name}/") and not f.endswith(".md")]
        provided = "stand-in" if study.data.confidential else "yes"
        rows += [f"| `{file}` | {name} | {provided} |" for file in own]
        if not own:
            rows.append(f"| made or installed by the code | {name} | yes |")
    return "\n".join(rows)


def _requirements(root: Path) -> str:
    file = root / "constraints.txt"
    pins = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"Python 3.11 or later (packaged under {version}) and git; Linux, macOS or Windows. LaTeX "
        "and Word are not needed.\n\nPackages and versions (`constraints.txt`):\n\n"
        f"```\n{pins}\n```\n\n"
        "Random numbers: every seed is in `params.yaml`; linear algebra runs in one thread."
    )


def _measured(root: Path, studies: list[str]) -> str:
    """Return what `--measure` wrote: seconds and peak memory of each stage."""
    file = root / MEASURED
    if not file.is_file():
        return (
            "Not measured: `python -m stages.package --measure` runs every stage and writes "
            f"`{MEASURED.as_posix()}`, which this section shows."
        )
    with file.open(encoding="utf-8", newline="") as opened:
        rows = [row for row in csv.DictReader(opened) if row["study"] in studies]
    total = sum(float(row["seconds"]) for row in rows)
    peak = max((float(row["peak_mb"]) for row in rows), default=0.0)
    lines = ["| Study | Stage | Seconds | Peak memory, MB |", "|---|---|---|---|"]
    lines += [
        f"| {row['study']} | {row['stage']} | {row['seconds']} | {row['peak_mb']} |" for row in rows
    ]
    machine = rows[0]["machine"] if rows else "unknown"
    return (
        f"Measured by `python -m stages.package --measure` on {machine}: {total:.0f} seconds in "
        f"all, at most {peak:.0f} MB; storage under 1 GB.\n\n" + "\n".join(lines)
    )


def _programs() -> str:
    return (
        "- `stages/`: one command each, in the order check, obtain, clean, score, match, balance, "
        "estimate, exhibit, index; `dvc.yaml` says what each reads and writes.\n"
        "- `pipeline/`: the methods, one module each.\n"
        "- `tests/`: `pytest`; `tests/reference/` holds published figures with their sources.\n"
        "- Licence: `LICENSE`."
    )


def _instructions() -> str:
    return (
        "```sh\n"
        "git init\n"
        "python3 -m venv .venv && . .venv/bin/activate\n"
        "python -m pip install -c constraints.txt -e .\n"
        "dvc repro --force\n"
        "```\n\n"
        "Results are written to `reports/<study>/`. `python -m stages.check` checks the "
        "parameters first; after `git add --all && git commit`, `python -m stages.verify --rerun` "
        "compares the results of a run from nothing with those provided, numbers at 1e-7 and text "
        "exactly."
    )


def _exhibits(studies: list[str], files: list[str]) -> str:
    rows = ["| Exhibit | Stage | Function | File |", "|---|---|---|---|"]
    for study in studies:
        for folder, kind in (("tables", ".tex"), ("figures", ".pdf")):
            place = f"reports/{study}/{folder}/"
            for file in (f for f in files if f.startswith(place) and f.endswith(kind)):
                name = PurePosixPath(file).stem
                function = EXHIBIT_FUNCTIONS[folder][_stem(name, list(EXHIBIT_FUNCTIONS[folder]))]
                rows.append(f"| {study}: {name} | `stages/exhibit.py` | `{function}` | `{file}` |")
    return "\n".join(rows)


def _stem(name: str, known: list[str]) -> str:
    """Return the exhibit of which a file is a part: main_effects_2 of main_effects."""
    return max((stem for stem in known if name.startswith(stem)), key=len)
