"""Packed files: .gz, and .zip with one file, unpacked for as long as they are read.

Only the content of an archive is used: no name in it ever says where something is written.
"""

import errno
import gzip
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, cast

from pipeline.errors import DataError

PACKED = (".gz", ".zip")

# A table packs about 10 to 1; far beyond that, or beyond this size, it is made to fill the disk.
_LARGEST_BYTES = 1 << 32
_LARGEST_RATIO = 300
_SMALL_BYTES = 1 << 24
_BLOCK_BYTES = 1 << 20

# What says nothing of the file, but of where it is, or is unpacked, and of who may open it.
_OF_THE_MACHINE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS),
    *(errno.EACCES, errno.EPERM, errno.EBUSY),
)

# What a Mac adds to archives.
_DROPPINGS = ("__MACOSX/", ".DS_Store")
_ENCRYPTED = 0x1


def inner_name(path: Path) -> str:
    """Return the name of the file that an archive holds, or the file's own.

    Raises DataError where a .zip does not hold exactly one file, readable and outside folders.
    """
    kind = path.suffix.lower()
    if kind == ".gz":
        return path.stem
    return _only(path).filename if kind == ".zip" else path.name


def is_of_the_machine(error: Exception) -> bool:
    """Say whether the machine refused to open a file or to write what it holds."""
    return isinstance(error, OSError) and error.errno in _OF_THE_MACHINE


@contextmanager
def plain_file(path: Path) -> Iterator[Path]:
    """Yield a file, unpacked where it is an archive; what was unpacked goes afterwards.

    Raises DataError where the archive is damaged, or unpacks to more than a table can need.
    """
    if path.suffix.lower() not in PACKED:
        yield path
        return
    name = inner_name(path)
    with tempfile.TemporaryDirectory(prefix="impact-") as folder:
        inner = Path(folder) / name
        try:
            with _open(path, name) as packed, inner.open("wb") as plain:
                _copy(packed, plain, path)
        except DataError:
            raise
        except Exception as error:
            if is_of_the_machine(error):
                raise
            raise _damaged(path, error) from None
        yield inner


def _open(path: Path, name: str) -> IO[bytes]:
    if path.suffix.lower() == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return zipfile.ZipFile(path).open(name)


def _copy(packed: IO[bytes], plain: IO[bytes], path: Path) -> None:
    size, most = 0, min(_LARGEST_BYTES, max(_SMALL_BYTES, _LARGEST_RATIO * path.stat().st_size))
    while block := packed.read(_BLOCK_BYTES):
        size += len(block)
        if size > most:
            raise DataError(
                f"{path.name} unpacks to more than {most / 1e6:.0f} MB: no ordinary table does; "
                "deliver it unpacked"
            )
        plain.write(block)


def _only(path: Path) -> zipfile.ZipInfo:
    """Return the one file of a .zip; its name may neither lead into folders nor out of them."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = [part for part in archive.infolist() if not _is_dropping(part)]
    except Exception as error:
        if is_of_the_machine(error):
            raise
        raise _damaged(path, error) from None
    if len(parts) != 1:
        raise DataError(
            f"{path.name} holds {len(parts)} files: zip one table, or unpack it into data/raw"
        )
    if PurePosixPath(parts[0].filename).name != parts[0].filename or "\\" in parts[0].filename:
        raise DataError(f"{path.name} holds a file in a folder: zip the file alone")
    if parts[0].flag_bits & _ENCRYPTED:
        raise DataError(f"{path.name} asks for a password: zip the file without one")
    return parts[0]


def _is_dropping(part: zipfile.ZipInfo) -> bool:
    return part.is_dir() or part.filename.startswith(_DROPPINGS)


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path.name} cannot be unpacked ({type(error).__name__}): pack it anew and deliver that"
    )
