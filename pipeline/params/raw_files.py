"""Which files of data/raw/<study>/ settings name, and which of them are not there."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.params.data import DataSection, FileSource
from pipeline.params.match import ExternalDesign, MatchSection


def raw_file_faults(data: DataSection, match: MatchSection, name: str, root: Path) -> Iterator[str]:
    """Yield one line for each file of a study that is absent, or lies outside its folder."""
    raw = root / "data" / "raw" / name
    if not raw.is_dir():
        yield (
            f"data: the folder data/raw/{name} is missing; make it, with a README.md that says "
            "where the data come from, under which licence and in which units"
        )
        return
    for path, file in _files_named(data, match):
        inside = (raw / file).resolve().is_relative_to(raw.resolve())
        if not inside or Path(file).is_absolute():
            yield f"{path} is {file!r}: it must lie inside data/raw/{name}"
        elif not _inside_files(raw, file):
            yield f"{path}: data/raw/{name}/{file} does not exist"


def absent_files(data: DataSection, match: MatchSection, name: str, root: Path) -> list[str]:
    """Return the raw files that settings name and data/raw/<study>/ lacks."""
    raw = root / "data" / "raw" / name
    return [file for _, file in _files_named(data, match) if not _inside_files(raw, file)]


def _inside_files(raw: Path, pattern: str) -> bool:
    """Say whether a name or pattern fits files, none of which is a link to elsewhere."""
    found = [raw / pattern] if (raw / pattern).is_file() else list(raw.glob(pattern))
    files = [path for path in found if path.is_file()]
    return bool(files) and all(p.resolve().is_relative_to(raw.resolve()) for p in files)


def _files_named(data: DataSection, match: MatchSection) -> Iterator[tuple[str, str]]:
    """Yield every file that the study's raw folder must hold, by the setting that names it."""
    source = data.source
    if isinstance(source, FileSource):
        yield "data.source.panel", source.panel
        if source.register_file is not None:
            yield "data.source.register_file", source.register_file
        if data.links is not None and data.links.file is not None:
            yield "data.links.file", data.links.file
    for design, rule in match.designs.items():
        if isinstance(rule, ExternalDesign):
            yield f"match.designs.{design}.file", rule.file
