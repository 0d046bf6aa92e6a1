"""What two revisions were told to do: parameters, package versions, raw data, code."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.commands.audit.lock_check import params_faults
from pipeline.commands.audit.revisions import Revision, changed_lines
from pipeline.params.leaves import leaves

# What can move a number, beside parameters, data and package versions.
_CODE = ("pipeline", "stages", "dvc.yaml")


@dataclass(frozen=True)
class Changed:
    """Hold one thing that differs: its full name, before and after; empty is absent."""

    name: str
    before: str
    after: str


def changed_parameters(old: Revision, new: Revision) -> list[Changed]:
    """Return every parameter that differs, by full path: michigan.match.designs..."""
    return _differences(
        dict(leaves(old.yaml("params.yaml"))), dict(leaves(new.yaml("params.yaml")))
    )


def sections_not_run(revision: Revision, study: str) -> list[str]:
    """Return the sections of params.yaml with which a study's stages did not run, by dvc.lock."""
    locked = revision.yaml("dvc.lock").get("stages", {})
    changed = params_faults(revision.yaml("params.yaml"), locked)
    return [path for path in changed if path.startswith(f"{study}.")]


def not_run_words(revision: Revision, study: str) -> list[str]:
    """Say that results are not those of params.yaml; nothing where they are."""
    if not (sections := sections_not_run(revision, study)):
        return []
    return [
        f"{study}: params.yaml changed, results were not made again: run `dvc repro` "
        f"({', '.join(sections)} of {revision.label})."
    ]


def changed_packages(old: Revision, new: Revision) -> list[Changed]:
    """Return every package of constraints.txt whose version differs."""
    return _differences(_versions(old), _versions(new))


def changed_data(old: Revision, new: Revision) -> list[Changed]:
    """Return the raw folders whose content differs, by the hashes of dvc.lock."""
    return _differences(_raw_hashes(old), _raw_hashes(new))


def changed_code(old: Revision, new: Revision) -> list[Changed]:
    """Return each code file that differs: lines added and removed, and the stages that run it."""
    read = _read_by_stages(new)
    return [
        Changed(path, lines, ", ".join(name for name, of in read.items() if _is_among(path, of)))
        for path, lines in changed_lines(old, new, _CODE).items()
    ]


def _differences(before: dict[str, str], after: dict[str, str]) -> list[Changed]:
    names = [*before, *(name for name in after if name not in before)]
    return [
        Changed(name, before.get(name, ""), after.get(name, ""))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _versions(revision: Revision) -> dict[str, str]:
    lines = (revision.read("constraints.txt") or "").splitlines()
    return dict(line.split("==", 1) for line in lines if "==" in line)


def _raw_hashes(revision: Revision) -> dict[str, str]:
    """Return the hash of each raw folder that a stage `obtain` read, ten characters of it."""
    stages = revision.yaml("dvc.lock").get("stages", {})
    return {
        dep["path"]: dep["md5"][:10]
        for name, stage in stages.items()
        if name.startswith("obtain@")
        for dep in stage["deps"]
        if dep["path"].startswith("data/raw/")
    }


def _read_by_stages(revision: Revision) -> dict[str, set[str]]:
    """Return the files and folders that each stage of dvc.yaml depends on."""
    stages = revision.yaml("dvc.yaml").get("stages", {})
    return {name: set(stage.get("do", stage).get("deps", [])) for name, stage in stages.items()}


def _is_among(path: str, deps: set[str]) -> bool:
    """Say whether a file is one of the files, or lies in one of the folders."""
    file = PurePosixPath(path)
    return any(place.as_posix() in deps for place in (file, *file.parents))
