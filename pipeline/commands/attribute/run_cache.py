"""What stages wrote for other settings, from DVC's run cache; DVC is not run.

DVC names a run by a hash over its command, the hashes of what it read, its settings and the names
of what it wrote. That name is made here for settings that no file holds.
"""

import configparser
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.commands.audit.lock_check import declared_stages, setting_at
from pipeline.params.settings import load_yaml
from pipeline.publishing.tree import Tree

# The stages that lead to estimates, in their order.
_STAGES = ("obtain", "clean", "score", "match", "estimate")


@dataclass(frozen=True)
class _Place:
    """Hold where DVC keeps its cache."""

    folder: Path

    def run(self, name: str) -> Path | None:
        """Return the newest record of a run."""
        records = list((self.folder / "runs" / name[:2] / name).glob("*"))
        return max(records, key=lambda path: path.stat().st_mtime, default=None)

    def file(self, md5: str) -> Path:
        """Return a file by its hash."""
        return self.folder / "files" / "md5" / md5[:2] / md5[2:]


class RunCache:
    """Find what the code and data here wrote under other settings."""

    def __init__(self, root: Path) -> None:
        self._tree, self._place = Tree(root), _Place(_cache_folder(root))
        self._pipeline = load_yaml(root / "dvc.yaml")
        self._records: dict[str, dict[str, Any] | None] = {}

    def found(self, study: str, content: dict[str, Any], stage: str, name: str) -> Path | None:
        """Return a file that a stage wrote under these params; None where it is not there.

        It lies under a name of DVC's, which the file's own name has nothing of.
        """
        written = self._written(study, content, stage)
        folder = (written or {}).get(f"data/{study}/{_FOLDERS.get(stage, stage)}")
        listed = self._place.file(folder) if folder else None
        if listed is None or not listed.is_file():
            return None
        files = {f["relpath"]: f["md5"] for f in json.loads(listed.read_text(encoding="utf-8"))}
        file = self._place.file(files.get(name, "none"))
        return file if file.is_file() else None

    def _written(self, study: str, content: dict[str, Any], stage: str) -> dict[str, str] | None:
        """Return what a stage wrote, path by hash, following the stages before it."""
        declared = declared_stages(self._pipeline, content)
        made: dict[str, str] = {}
        for verb in _STAGES[: _STAGES.index(stage) + 1]:
            block = declared.get(f"{verb}@{study}")
            record = None if block is None else self._recorded(block, content, made)
            if record is None:
                return None
            made |= {out["path"]: out["md5"] for out in record["outs"]}
        return made

    def _recorded(
        self, block: dict[str, Any], content: dict[str, Any], made: dict[str, str]
    ) -> dict[str, Any] | None:
        read = {path: made.get(path) or self._tree.hash(path) for path in sorted(block["deps"])}
        if None in read.values():
            return None
        params = {path: setting_at(content, path) for path in block.get("params", [])}
        run = {
            "cmd": block["cmd"],
            "deps": [{"path": path, "hash": "md5", "md5": md5} for path, md5 in read.items()],
            "outs": sorted(block["outs"]),
        }
        if params:
            run["params"] = {"params.yaml": params}
        name = hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()
        if name not in self._records:
            record = self._place.run(name)
            self._records[name] = None if record is None else load_yaml(record)
        return self._records[name]


# What a stage's folder is called, where it is not called as the stage.
_FOLDERS = {"obtain": "obtained"}


def _cache_folder(root: Path) -> Path:
    """Return where DVC keeps its cache: what `dvc cache dir` set, or its own folder."""
    config = configparser.ConfigParser(interpolation=None, strict=False)
    config.read([root / ".dvc" / "config", root / ".dvc" / "config.local"], encoding="utf-8")
    return root / ".dvc" / config.get("cache", "dir", fallback="cache")
