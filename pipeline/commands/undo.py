"""Change several files together: all of it, or nothing where anything fails on the way."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.datasets.complete import replacing, write_file
from pipeline.errors import DataError


class Changes:
    """Make changes below `root`, each of which can be taken back; `aside` keeps what was there."""

    def __init__(self, root: Path, aside: Path) -> None:
        self._root = root
        self._aside = aside
        self._new: list[Path] = []

    def take(self, path: Path) -> None:
        """Take a file away."""
        _move(path, self._kept(path))

    def save(self, path: Path) -> None:
        """Remember a file that something else is about to change or to make."""
        if not path.exists():
            self._new.append(path)
            return
        with replacing(self._kept(path)) as kept:
            shutil.copy2(path, kept)

    def copy(self, source: Path, path: Path) -> None:
        """Copy a file, new or in place of one."""
        self.save(path)
        with replacing(path) as fresh:
            shutil.copyfile(source, fresh)

    def write(self, path: Path, content: bytes) -> None:
        """Write a file, new or in place of one."""
        self.save(path)
        write_file(path, content)

    def take_back(self) -> None:
        """Put everything where it was."""
        for path in self._new:
            path.unlink(missing_ok=True)
            remove_empty(path.parent, self._root)
        for kept in sorted(path for path in self._aside.rglob("*") if not path.is_dir()):
            _move(kept, self._root / kept.relative_to(self._aside))

    def _kept(self, path: Path) -> Path:
        return self._aside / path.relative_to(self._root)


def _move(source: Path, place: Path) -> None:
    """Move a file, to another disk too; where that fails it is whole where it was."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.replace(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with replacing(place) as fresh:
            shutil.copy2(source, fresh, follow_symlinks=False)
        source.unlink()


@contextmanager
def all_or_nothing(root: Path, aside: Path) -> Iterator[Changes]:
    """Yield changes that are taken back where the block raises, whatever it raises.

    `aside` is a folder below `root` that is not there; it is gone afterwards.
    """
    if aside.exists():
        raise DataError(
            f"{aside.as_posix()} holds what a command that was killed took aside: put its files "
            "back where their paths there say, then delete it"
        )
    changes = Changes(root, aside)
    aside.mkdir(parents=True)
    try:
        yield changes
        shutil.rmtree(aside)
    except BaseException:
        changes.take_back()
        shutil.rmtree(aside, ignore_errors=True)
        raise


def remove_empty(folder: Path, root: Path) -> None:
    """Remove a folder and those above it, below `root`, as far as nothing is in them."""
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
