"""Hash what a stage was given, as dvc.lock holds it, so that an exhibit can say from what it came.

The short hash covers the inputs that dvc.yaml declares for a stage: the content of every file
and folder it reads (in which raw data and earlier stages live on), its code and its parameters.
It names no revision: a commit cannot contain its own hash.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from pipeline.params.settings import load_yaml

_LENGTH = 12


def declared_hash(root: Path, stage: str, study: str) -> str:
    """Return the short hash over a stage's declared inputs as they lie in the project now."""
    block = load_yaml(root / "dvc.yaml")["stages"][stage]["do"]
    deps = {path: content_hash(root / path) for path in _of(study, block["deps"])}
    settings = load_yaml(root / "params.yaml")
    return _short(deps, {name: setting(settings, name) for name in _of(study, block["params"])})


def locked_hash(entry: dict[str, Any]) -> str:
    """Return the short hash over the inputs that dvc.lock records for one run of a stage."""
    deps = {dep["path"]: dep["md5"] for dep in entry["deps"]}
    return _short(deps, entry["params"]["params.yaml"])


def content_hash(path: Path) -> str | None:
    """Return the MD5 of a file or folder as DVC computes it; None where there is neither.

    A folder's is that of the sorted list of its files' names and hashes, and ends in `.dir`.
    """
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    if not path.is_dir():
        return None
    files = sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*"))
    listed = [
        {"md5": content_hash(file), "relpath": name} for name, file in files if file.is_file()
    ]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"


def setting(content: dict[str, Any], path: str) -> Any:
    """Return the value at a full path of params.yaml; None where there is none."""
    value: Any = content
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _of(study: str, names: list[str]) -> list[str]:
    return [name.replace("${item}", study) for name in names]


def _short(deps: dict[str, Any], settings: dict[str, Any]) -> str:
    text = json.dumps([deps, settings], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
