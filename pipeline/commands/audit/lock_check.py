"""Hold dvc.lock against the project: parameters, code, raw data and committed results.

Everything is recomputed from the files as they lie; DVC is not run, and private data need not
be present. What is compared is what DVC would compare, so an empty list means that `dvc repro`
would run nothing, provided that the lock itself is honest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.commands.audit.fault import RUN_OR_UNDO, Fault
from pipeline.commands.audit.provenance_check import studies_without_raw_data
from pipeline.params.settings import load_yaml, study_names
from pipeline.publishing.tree import Tree

_PARAMS = "params.yaml"

_LOCK = "`git checkout dvc.lock`, or `dvc repro` and commit it"
_RUN = "`dvc repro`, and commit dvc.lock and reports/"
_PUT_BACK = "`git checkout reports` puts it back; `dvc repro` makes it again"
_BRING = "put it back (`git checkout` if git has it), then `dvc repro`"
_LEFT_OVER = "`git checkout dvc.lock` if the study was not to leave; else take the stage out of it"


@dataclass(frozen=True)
class _Project:
    """Hold what is read once: the files, params.yaml, what stages made, raw data not here."""

    tree: Tree
    content: dict[str, Any]
    made: dict[str, str]
    absent: frozenset[str]

    def is_private(self, path: str) -> bool:
        """Say whether a file lies in a folder that a stage made and git does not hold."""
        return any(parent.as_posix() in self.made for parent in PurePosixPath(path).parents)


def lock_faults(root: Path) -> list[Fault]:
    """Return everything that differs from what dvc.lock records."""
    if not (root / "dvc.lock").is_file():
        return [Fault("dvc.lock is missing", _LOCK)]
    locked = load_yaml(root / "dvc.lock")["stages"]
    project = _project(root, locked)
    declared = declared_stages(load_yaml(root / "dvc.yaml"), project.content)
    faults = [
        Fault(f"dvc.lock has no stage {name}", _RUN) for name in declared if name not in locked
    ]
    faults += [
        Fault(f"dvc.lock has a stage {name} of no study", _LEFT_OVER)
        for name in locked
        if name not in declared
    ]
    for name, entry in locked.items():
        found = [*_entry_faults(project, entry), *_declaration_faults(entry, declared.get(name))]
        faults += [replace(fault, what=f"{name}: {fault.what}") for fault in found]
    return faults


def params_faults(content: dict[str, Any], locked: dict[str, dict[str, Any]]) -> list[str]:
    """Return the sections of params.yaml with which a stage did not run, each once, in order.

    `locked` are the stages of dvc.lock; a section is named by its full path.
    """
    found = (
        path
        for entry in locked.values()
        for path, value in entry.get("params", {}).get(_PARAMS, {}).items()
        if setting_at(content, path) != value
    )
    return list(dict.fromkeys(found))


def _project(root: Path, locked: dict[str, dict[str, Any]]) -> _Project:
    content = load_yaml(root / _PARAMS)
    outs = [out for stage in locked.values() for out in stage.get("outs", [])]
    absent = studies_without_raw_data(root, content)
    folders = {f"data/raw/{study}" for study in absent} | ({"data/raw"} if absent else set())
    return _Project(
        Tree(root), content, {out["path"]: out["md5"] for out in outs}, frozenset(folders)
    )


def declared_stages(pipeline: dict[str, Any], content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every stage of dvc.yaml, those over studies once a study: cmd, deps, params."""
    declared = {}
    for name, block in pipeline["stages"].items():
        if "foreach" not in block:
            declared[name] = block
            continue
        for study in study_names(content):
            declared[f"{name}@{study}"] = _for_study(block["do"], study)
    return declared


def _for_study(value: Any, study: str) -> Any:
    if isinstance(value, dict):
        return {_for_study(k, study): _for_study(v, study) for k, v in value.items()}
    if isinstance(value, list):
        return [_for_study(item, study) for item in value]
    return value.replace("${item}", study) if isinstance(value, str) else value


def _declaration_faults(entry: dict[str, Any], declared: dict[str, Any] | None) -> Iterator[Fault]:
    """Yield where a stage ran with another command or other inputs than dvc.yaml now declares."""
    if declared is None:
        return
    if entry["cmd"] != declared["cmd"]:
        yield Fault("ran another command than dvc.yaml declares", _RUN)
    recorded = {dep["path"] for dep in entry["deps"]}
    for path in sorted(recorded ^ set(declared["deps"])):
        yield Fault(f"{path} is declared or recorded, not both", _RUN)


def _entry_faults(project: _Project, entry: dict[str, Any]) -> Iterator[Fault]:
    for dep in entry["deps"]:
        yield from _dependency_faults(project, dep["path"], dep["md5"])
    for path in params_faults(project.content, {"": entry}):
        yield Fault(f"{path} changed in {_PARAMS} since the stage ran", RUN_OR_UNDO)
    for out in entry.get("outs", []):
        path = out["path"]
        if path.startswith("reports/") and project.tree.hash(path) != out["md5"]:
            yield Fault(f"{path} is not what the stage wrote", _PUT_BACK)


def _dependency_faults(project: _Project, path: str, recorded: str) -> Iterator[Fault]:
    if path in project.made:
        if project.made[path] != recorded:
            yield Fault(f"{path} is not what the stage before wrote", _RUN)
    elif project.is_private(path) and project.tree.hash(path) is None:
        return
    elif path not in project.absent and (found := project.tree.hash(path)) != recorded:
        if found is None:
            yield Fault(f"{path} is missing", _BRING)
        else:
            yield Fault(f"{path} changed since the stage ran", RUN_OR_UNDO)


def setting_at(content: dict[str, Any], path: str) -> Any:
    """Return the value at a full path of params.yaml; None where there is none."""
    value: Any = content
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
