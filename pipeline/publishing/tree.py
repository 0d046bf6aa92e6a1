"""Hash files and folders of the project as DVC does, droppings that .dvcignore names left out."""

import hashlib
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path


class Tree:
    """Read the files of the project; what was hashed once is not read again."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._ignored = ignored_names(root)
        self._hashes: dict[str, str | None] = {}

    def hash(self, path: str) -> str | None:
        """Return the MD5 of a file or folder as dvc.lock has it; None where there is neither.

        A folder's is that of the sorted list of its files' names and hashes, and ends in `.dir`.
        """
        if path not in self._hashes:
            self._hashes[path] = self._hash(self._root / path)
        return self._hashes[path]

    def files(self, path: str) -> dict[str, Path]:
        """Return the files of a folder by their path there, or a file by its name; sorted."""
        place = self._root / path
        if place.is_file():
            return {place.name: place}
        found = {file.relative_to(place).as_posix(): file for file in self._walk(place)}
        return dict(sorted(found.items()))

    def contents(self, path: str) -> dict[str, bytes]:
        """Return what the files of a folder hold, by their path there."""
        return {name: file.read_bytes() for name, file in self.files(path).items()}

    def _hash(self, place: Path) -> str | None:
        if place.is_file():
            return _md5(place.read_bytes())
        if not place.is_dir():
            return None
        files = sorted((file.relative_to(place).as_posix(), file) for file in self._walk(place))
        listed = [{"md5": _md5(file.read_bytes()), "relpath": name} for name, file in files]
        return _md5(json.dumps(listed, sort_keys=True).encode()) + ".dir"

    def _walk(self, folder: Path) -> Iterator[Path]:
        for path in folder.iterdir() if folder.is_dir() else ():
            if any(fnmatchcase(path.name, pattern) for pattern in self._ignored):
                continue
            if path.is_dir():
                yield from self._walk(path)
            else:
                yield path


def ignored_names(root: Path) -> tuple[str, ...]:
    """Return the patterns of .dvcignore, each of a name at any depth, without comments."""
    file = root / ".dvcignore"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    patterns = (line.strip().rstrip("/") for line in lines)
    return tuple(pattern for pattern in patterns if pattern and pattern[0] != "#")


def _md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()
