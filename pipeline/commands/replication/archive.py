"""The replication package: one zip archive that a data editor unpacks and runs.

The same inputs give the same bytes: entries are sorted and dated 1980.
"""

import io
import zipfile
from pathlib import Path

from ruamel.yaml import YAML

from pipeline.commands.audit.revisions import run_git
from pipeline.commands.replication.readme import NAME, replication_readme
from pipeline.commands.replication.stand_in import stand_in_files
from pipeline.errors import DataError
from pipeline.params.settings import load_yaml, study_names
from pipeline.params.study import StudySection, read_study

_DATE = (1980, 1, 1, 0, 0, 0)
# What holds one folder a study.
_BY_STUDY = (("data", "raw"), ("data", "rules"), ("reports",))


def replication_package(root: Path, studies: list[str]) -> bytes:
    """Return the archive for the studies named, all of params.yaml where none is.

    It holds every file that git has, other studies left out; raw data of confidential studies are
    replaced by stand-ins made from what `obtain` wrote. Raises DataError where git has no files,
    or lacks raw files of a study that is not declared confidential.
    """
    content = load_yaml(root / "params.yaml")
    every = study_names(content)
    chosen = studies or every
    settings = {name: read_study(content, name) for name in chosen}
    tracked = _tracked(root, chosen, every, settings)
    for name, study in settings.items():
        if not study.data.confidential:
            _refuse_private(root, name, tracked)
    files = {path: (root / path).read_bytes() for path in tracked}
    if set(chosen) != set(every):
        files["params.yaml"] = _restricted_params(root, [n for n in every if n in chosen])
        files["dvc.lock"] = _restricted_lock(root, chosen)
        files.pop("reports/index.html", None)
    for name, study in settings.items():
        if study.data.confidential:
            files |= stand_in_files(root, name, study)
    files[NAME] = replication_readme(root, settings, sorted(files))
    return _zip(files)


def _tracked(
    root: Path, chosen: list[str], every: list[str], settings: dict[str, StudySection]
) -> list[str]:
    """Return the files of git that belong into the package."""
    listed = run_git(root, "ls-files", "-z").stdout.split("\0")
    paths = [path for path in listed if path and (root / path).is_file()]
    if not paths:
        raise DataError("git tracks no file here: commit the project before it is packaged")
    return [p for p in paths if _belongs(p, set(every) - set(chosen), settings)]


def _belongs(path: str, others: set[str], settings: dict[str, StudySection]) -> bool:
    parts = Path(path).parts
    for place in _BY_STUDY:
        study = (
            parts[len(place)] if parts[: len(place)] == place and len(parts) > len(place) else ""
        )
        if study in others:
            return False
        private = place == ("data", "raw") and study in settings
        if private and settings[study].data.confidential and parts[-1] != "README.md":
            return False
    return parts[:2] != ("reports", "headlines") or Path(path).stem not in others


def _refuse_private(root: Path, name: str, tracked: list[str]) -> None:
    folder = root / "data" / "raw" / name
    files = {p.relative_to(root).as_posix() for p in folder.rglob("*") if p.is_file()}
    if absent := files.difference(tracked):
        raise DataError(
            f"{len(absent)} files of data/raw/{name} are not in git: declare them public "
            f"(a line !/data/raw/{name}/* in .gitignore, then commit), or declare "
            f"{name}.data.confidential: true, which packages stand-ins"
        )


def _restricted_params(root: Path, chosen: list[str]) -> bytes:
    """Return params.yaml with the chosen studies only; comments stay."""
    yaml = YAML()
    yaml.width = 4096
    content = yaml.load((root / "params.yaml").read_text(encoding="utf-8"))
    for name in study_names(content):
        if name not in chosen:
            del content[name]
    content["studies"] = chosen
    return _dumped(yaml, content)


def _restricted_lock(root: Path, chosen: list[str]) -> bytes:
    """Return dvc.lock without stages of other studies, nor the index, which lists all."""
    yaml = YAML()
    yaml.width = 4096
    content = yaml.load((root / "dvc.lock").read_text(encoding="utf-8"))
    for stage in list(content["stages"]):
        _, _, study = stage.partition("@")
        if study not in chosen and stage != "check":
            del content["stages"][stage]
    return _dumped(yaml, content)


def _dumped(yaml: YAML, content: object) -> bytes:
    buffer = io.BytesIO()
    yaml.dump(content, buffer)
    return buffer.getvalue()


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in sorted(files.items()):
            entry = zipfile.ZipInfo(path, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = (0o755 if path == ".ci/run" else 0o644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()
