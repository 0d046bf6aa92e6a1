"""Add a study that somebody prepared: a folder with its section, raw data and rules files."""

import filecmp
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.commands.params_text import with_study
from pipeline.commands.undo import all_or_nothing
from pipeline.errors import DataError, ParamsError
from pipeline.params.settings import load_yaml
from pipeline.params.study import RESERVED_NAMES, STUDY_NAME, study_faults

_PARAMS = "params.yaml"
_KINDS = ("raw", "rules")


def add_study(root: Path, folder: Path) -> tuple[str, list[Path]]:
    """Put the study of a folder into params.yaml and its files under data/, all or nothing.

    The folder holds `params.yaml`, with the study's name above its sections, `raw/` and `rules/`.
    Returns the name and the files written. Raises ParamsError where `check` would refuse the study,
    DataError where a file is there already and differs: none is replaced.
    """
    study = _study(folder)
    refuse_name(load_yaml(root / _PARAMS), study)
    copies = dict(_copies(root, folder, study))
    with all_or_nothing(root, root / "data" / f".added-{study}") as changes:
        for path, source in copies.items():
            changes.copy(source, path)
        section = _text(folder / _PARAMS)
        text = with_study(_text(root / _PARAMS), study, section)
        changes.write(root / _PARAMS, text.encode("utf-8"))
        if faults := study_faults(load_yaml(root / _PARAMS), study, root):
            raise ParamsError("\n".join(faults))
    return study, [path.relative_to(root) for path in copies]


def refuse_name(content: dict[str, Any], study: str) -> None:
    """Raise ParamsError for what is no name of a study, and for one that params.yaml has."""
    if not STUDY_NAME.fullmatch(study):
        raise ParamsError(f"{study!r} is not a study name; use a-z, 0-9 and _, a letter first")
    if study in RESERVED_NAMES:
        raise ParamsError(f"{study} is a folder of data/; choose another name")
    if study in content:
        raise ParamsError(f"params.yaml has a section {study} already: choose another name")


def _study(folder: Path) -> str:
    """Return the name of the study that a folder holds."""
    content = load_yaml(folder / _PARAMS)
    if len(content) != 1:
        raise ParamsError(
            f"{(folder / _PARAMS).as_posix()} has {len(content)} keys; expected one, the study's "
            "name, above its sections"
        )
    (study,) = content
    return str(study)


def _copies(root: Path, folder: Path, study: str) -> Iterator[tuple[Path, Path]]:
    """Yield where each file goes and where it is; none that is there already."""
    for kind in _KINDS:
        for source in sorted(path for path in (folder / kind).rglob("*") if path.is_file()):
            place = root / "data" / kind / study / source.relative_to(folder / kind)
            if not place.exists():
                yield place, source
            elif not filecmp.cmp(source, place, shallow=False):
                raise DataError(
                    f"{place.relative_to(root).as_posix()} is there already and differs from "
                    f"{source.as_posix()}: move it away, or edit params.yaml by hand"
                )


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")
