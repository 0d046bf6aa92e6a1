"""Read the project as one revision holds it, from git and never by running anything."""

import subprocess
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from pipeline.errors import EvaluationError
from pipeline.params.arms import ONLY_ARM
from pipeline.publishing.arm_files import of_arm


class RevisionError(EvaluationError):
    """Report a revision that cannot be read: whoever named it must name another."""


@dataclass(frozen=True)
class Revision:
    """Name one state of the project: a commit, or the files as they lie (`name` is None).

    A YAML file is read once: dvc.lock is long.
    """

    root: Path
    name: str | None = None
    _read: dict[str, dict[str, Any]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def label(self) -> str:
        """Return what readers call it."""
        return self.name or "the working tree"

    def read(self, path: str) -> str | None:
        """Return the text of a file at this revision; None where there is none."""
        if self.name is None:
            file = self.root / path
            return file.read_text(encoding="utf-8") if file.is_file() else None
        done = run_git(self.root, "show", f"{self.name}:./{path}")
        return done.stdout if done.returncode == 0 else None

    def yaml(self, path: str) -> dict[str, Any]:
        """Return a YAML file of this revision; empty where there is none."""
        if path not in self._read:
            content = YAML(typ="safe", pure=True).load(self.read(path) or "{}")
            self._read[path] = content if isinstance(content, dict) else {}
        return self._read[path]

    def studies(self) -> list[str]:
        """Return the studies that params.yaml lists at this revision."""
        return list(self.yaml("params.yaml").get("studies", []))

    def arm_folders(self, study: str) -> dict[str, str]:
        """Return the subfolder of each arm's results at this revision, by name.

        The headline's arm, as the one of a study that names none, has none of its own.
        """
        section = self.yaml("params.yaml").get(study, {}).get("treatment", {})
        arms = section.get("arms") or {"headline": ONLY_ARM, "named": {ONLY_ARM: None}}
        return {n: "" if n == arms.get("headline") else n for n in arms.get("named", {})}

    def results(self, study: str, table: str, arm_folder: str = "") -> pd.DataFrame:
        """Return a committed results table of an arm; one without rows where there is none.

        The headline's arm has no folder of its own.
        """
        path = of_arm(f"results/{table}.csv", arm_folder)
        text = self.read(f"reports/{study}/{path}")
        if not text:
            return pd.DataFrame()
        # Only an empty field is missing: a category may be called NA.
        return pd.read_csv(StringIO(text), keep_default_na=False, na_values=[""])


def commit(root: Path, name: str) -> Revision:
    """Return a commit of the repository; raise RevisionError where git does not know the name."""
    known = run_git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if known.returncode != 0:
        raise RevisionError(f"git knows no revision {name!r}; `git log --oneline` lists them")
    return Revision(root, name)


def changed_lines(old: Revision, new: Revision, places: tuple[str, ...]) -> dict[str, str]:
    """Return `+added -removed` lines by file, for the files under `places` that differ.

    Files that git does not track yet count as added.
    """
    names = [revision.name for revision in (old, new) if revision.name is not None]
    listed = run_git(old.root, "diff", "--numstat", "--no-renames", *names, "--", *places).stdout
    changes = {}
    for line in listed.splitlines():
        added, removed, path = line.split("\t")
        changes[path] = f"+{added} \u2212{removed}"
    if new.name is None:
        others = run_git(old.root, "ls-files", "--others", "--exclude-standard", "--", *places)
        changes |= dict.fromkeys(others.stdout.splitlines(), "new")
    return dict(sorted(changes.items()))


def run_git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in the project; file names come as they are, never quoted."""
    command = ["git", "-c", "core.quotePath=false", *arguments]
    return subprocess.run(
        command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=False
    )
