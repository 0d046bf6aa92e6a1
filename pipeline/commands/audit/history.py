"""Find the commits whose recorded inputs gave an exhibit: from the hash it carries to git."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from pipeline.commands.audit.revisions import run_git
from pipeline.params.settings import load_yaml, study_names
from pipeline.publishing.provenance import declared_hash, locked_hash

_STAMP = re.compile(rb"inputs ([0-9a-f]{12})")
_STAGE = "exhibit"
_CORE = "docProps/core.xml"


@dataclass(frozen=True)
class Stamped:
    """Hold one hash that exhibits of a study carry, how many do, and the commits that had it.

    `current` says that the inputs declared now have the same hash; None where private data are
    not here to tell.
    """

    study: str
    inputs: str
    n_exhibits: int
    commits: list[str]
    current: bool | None


def stamped_inputs(root: Path) -> list[Stamped]:
    """Return every hash that committed exhibits carry, with its commits, newest first."""
    recorded = _recorded(root)
    found = []
    for study in study_names(load_yaml(root / "params.yaml")):
        now = _now(root, study)
        for inputs, count in sorted(_stamps(root / "reports" / study).items()):
            commits = recorded.get((study, inputs), [])
            current = None if now is None else now == inputs
            found.append(Stamped(study, inputs, count, commits, current))
    return found


def _stamps(folder: Path) -> dict[str, int]:
    counts: dict[str, int] = {}
    for path in folder.rglob("*"):
        match = _STAMP.search(_searched(path)) if path.is_file() else None
        if match:
            counts[match[1].decode()] = counts.get(match[1].decode(), 0) + 1
    return counts


def _searched(path: Path) -> bytes:
    """Return where a file's stamp stands: of a Word file its properties, else all of it."""
    if path.suffix != ".docx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return archive.read(_CORE) if _CORE in archive.namelist() else b""


def _now(root: Path, study: str) -> str | None:
    if not (root / "data" / study / "estimate").is_dir():
        return None
    return declared_hash(root, _STAGE, study)


def _recorded(root: Path) -> dict[tuple[str, str], list[str]]:
    """Return, by study and hash, the commits whose dvc.lock records those inputs."""
    commits = run_git(root, "log", "--format=%h", "--", "dvc.lock").stdout.split()
    found: dict[tuple[str, str], list[str]] = {}
    for commit in commits:
        text = run_git(root, "show", f"{commit}:./dvc.lock").stdout
        stages = (YAML(typ="safe", pure=True).load(text) or {}).get("stages", {})
        for name, entry in stages.items():
            stage, _, study = name.partition("@")
            if stage == _STAGE:
                found.setdefault((study, locked_hash(entry)), []).append(commit)
    return found
