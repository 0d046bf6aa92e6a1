"""Hold dvc.lock against the project: parameters, code, raw data and committed results.

Everything is recomputed from the files as they lie; DVC is not run, and private data need not
be present. What is compared is what DVC would compare, so an empty list means that `dvc repro`
would run nothing, provided that the lock itself is honest.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.params.settings import load_yaml, study_names
from pipeline.publishing.provenance import content_hash, setting


def lock_faults(root: Path) -> list[str]:
    """Return one line for everything that differs from what dvc.lock records."""
    if not (root / "dvc.lock").is_file():
        return ["dvc.lock is missing: run `dvc repro` and commit it"]
    locked = load_yaml(root / "dvc.lock")["stages"]
    declared = _declared(root)
    faults = [f"dvc.lock has no stage {name}" for name in declared if name not in locked]
    faults += [
        f"dvc.lock has a stage {name} of no study" for name in locked if name not in declared
    ]
    for name, entry in locked.items():
        faults += [f"{name}: {fault}" for fault in _entry_faults(root, entry, locked)]
        faults += [f"{name}: {fault}" for fault in _declaration_faults(entry, declared.get(name))]
    return faults


def _declared(root: Path) -> dict[str, dict[str, Any]]:
    """Return every stage of dvc.yaml, those over studies once a study: cmd, deps, params."""
    studies = study_names(load_yaml(root / "params.yaml"))
    declared = {}
    for name, block in load_yaml(root / "dvc.yaml")["stages"].items():
        if "foreach" not in block:
            declared[name] = block
            continue
        for study in studies:
            declared[f"{name}@{study}"] = _for_study(block["do"], study)
    return declared


def _for_study(value: Any, study: str) -> Any:
    if isinstance(value, dict):
        return {_for_study(k, study): _for_study(v, study) for k, v in value.items()}
    if isinstance(value, list):
        return [_for_study(item, study) for item in value]
    return value.replace("${item}", study) if isinstance(value, str) else value


def _declaration_faults(entry: dict[str, Any], declared: dict[str, Any] | None) -> Iterator[str]:
    """Yield where a stage ran with another command or other inputs than dvc.yaml now declares."""
    if declared is None:
        return
    if entry["cmd"] != declared["cmd"]:
        yield "ran another command than dvc.yaml declares"
    recorded = {dep["path"] for dep in entry["deps"]}
    for path in sorted(recorded ^ set(declared["deps"])):
        yield f"{path} is declared or recorded, not both"


def _entry_faults(
    root: Path, entry: dict[str, Any], locked: dict[str, dict[str, Any]]
) -> Iterator[str]:
    made = {out["path"]: out["md5"] for stage in locked.values() for out in stage.get("outs", [])}
    for dep in entry["deps"]:
        path = dep["path"]
        if path in made:
            if made[path] != dep["md5"]:
                yield f"{path} is not what the stage before wrote"
        elif (found := content_hash(root / path)) != dep["md5"]:
            yield f"{path} is missing" if found is None else f"{path} changed since the stage ran"
    yield from _setting_faults(root, entry)
    for out in entry.get("outs", []):
        if out["path"].startswith("reports/") and content_hash(root / out["path"]) != out["md5"]:
            yield f"{out['path']} is not what the stage wrote"


def _setting_faults(root: Path, entry: dict[str, Any]) -> Iterator[str]:
    for file, recorded in entry.get("params", {}).items():
        content = load_yaml(root / file)
        for path, value in recorded.items():
            if setting(content, path) != value:
                yield f"{path} changed in {file} since the stage ran"
