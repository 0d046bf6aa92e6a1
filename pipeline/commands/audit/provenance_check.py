"""Hold reports/<study>/provenance.json against the project, its files, and the history of git."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.commands.audit.fault import MAKE_AGAIN, RUN_OR_UNDO, Fault
from pipeline.commands.audit.revisions import run_git
from pipeline.params.raw_files import absent_files
from pipeline.params.settings import load_yaml, study_names
from pipeline.params.study import SECTIONS, read_study
from pipeline.publishing.provenance import NAME, Inputs, published_hashes, study_inputs

_RECORD = (
    "`dvc repro --force --single-item record@{study}` writes it again; read `git diff` before you "
    "commit it"
)

_WORDS = {"raw_data": "raw data", "parameters": "parameters", "code": "code"}


def provenance_faults(root: Path) -> list[Fault]:
    """Return what is not as recorded: a published file, raw data, parameters or code.

    Raw data that are not here are not compared.
    """
    content = load_yaml(root / "params.yaml")
    absent = studies_without_raw_data(root, content)
    faults = []
    for study in study_names(content):
        recorded = recorded_provenance(root, study)
        if recorded is None:
            faults.append(Fault(f"{NAME} is missing", _RECORD).of_study(study))
            continue
        settings = read_study(content, study)
        sections = {name: getattr(settings, name) for name in SECTIONS}
        found = study_inputs(root, study, sections, code_root=root)
        compared = [part for part in _WORDS if part != "raw_data" or study not in absent]
        of_inputs = _input_faults(recorded, found, compared)
        of_files = _file_faults(root, study, recorded)
        faults += [fault.of_study(study) for fault in (*of_inputs, *of_files)]
    return faults


def recorded_provenance(root: Path, study: str) -> dict[str, Any] | None:
    """Return what the study's provenance file holds; None where there is none."""
    file = root / "reports" / study / NAME
    if not file.is_file():
        return None
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def _input_faults(recorded: dict[str, Any], found: Inputs, compared: list[str]) -> list[Fault]:
    parts = {part: recorded.get(part) for part in _WORDS}
    faults = [
        Fault(f"{NAME}: made from other {_WORDS[part]} than those here", RUN_OR_UNDO)
        for part in compared
        if parts[part] != getattr(found, part)
    ]
    if recorded.get("inputs") != Inputs(**{k: str(v) for k, v in parts.items()}).hash:
        faults.append(Fault(f"{NAME}: its hash of all inputs is not that of its parts", _RECORD))
    return faults


def _file_faults(root: Path, study: str, recorded: dict[str, Any]) -> list[Fault]:
    listed, present = recorded.get("files", {}), published_hashes(root, study)
    return [
        Fault(f"{name}: not the file that {NAME} lists", MAKE_AGAIN)
        for name in sorted(present.keys() | listed.keys())
        if present.get(name) != listed.get(name)
    ]


@dataclass(frozen=True)
class Period:
    """Hold the commits of one study that had the same inputs: from `since` to before `until`."""

    study: str
    since: str
    until: str | None


def periods(root: Path, study: str, inputs: str) -> list[Period]:
    """Return when reports/<study>/provenance.json began with these inputs, oldest period first.

    `inputs` is a hash or how it begins. git searches the history of the one small file.
    """
    file, entry = f"reports/{study}/{NAME}", f'"inputs": "{inputs}'
    log = ("log", "--reverse", "--format=%h", f"-S{entry}", "--", file)
    found: list[Period] = []
    for commit in run_git(root, *log).stdout.split():
        if entry in run_git(root, "show", f"{commit}:./{file}").stdout:
            found.append(Period(study, commit, None))
        elif found:
            found[-1] = Period(study, found[-1].since, commit)
    return found


def studies_without_raw_data(root: Path, content: dict[str, Any]) -> set[str]:
    """Return the studies of params.yaml of which a raw file that the settings name is not here."""
    studies = {name: read_study(content, name) for name in study_names(content)}
    return {n for n, study in studies.items() if absent_files(study.data, study.match, n, root)}
