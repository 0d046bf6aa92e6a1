"""Remove a study: its section, its results, what stages wrote of it; never what was delivered.

Raw data, rules files and every file that no stage made stay where they are.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pipeline.datasets
from pipeline.commands.params_text import without_stages, without_study
from pipeline.commands.reproduce import reproduce
from pipeline.commands.undo import Changes, all_or_nothing
from pipeline.datasets.store import Dataset
from pipeline.errors import EvaluationError, ParamsError
from pipeline.panel.obtained import OBTAINED
from pipeline.params.settings import load_yaml, study_block, study_names
from pipeline.params.study import RESERVED_NAMES, STUDY_NAME, check_studies

_PARAMS, _LOCK = "params.yaml", "dvc.lock"
# The stages that read all studies, and what `index` makes.
_SHARED = ("check", "index")
_INDEX = "reports/index.html"
# What lists the published files of a study; both belong to them.
_MANIFESTS = ("manifest.csv", "provenance.json")


class RemoveError(EvaluationError):
    """Report that a study could not be removed; everything is as it was."""


@dataclass(frozen=True)
class Removal:
    """Hold what goes with a study, by path from the root, and the files of its folders that stay.

    `stages` are those of dvc.lock that go, `shared` those there that read all studies.
    """

    study: str
    stages: list[str]
    shared: list[str]
    files: list[Path]
    staying: list[Path]


def plan_removal(root: Path, study: str) -> Removal:
    """Return what would go and what would stay; raise ParamsError where there is no such study."""
    if not STUDY_NAME.fullmatch(study) or study in RESERVED_NAMES:
        raise ParamsError(f"{study!r} is not the name of a study")
    block = study_block(load_yaml(root / _PARAMS), study)
    private, public = root / "data" / study, root / "reports" / study
    made = {*_of_stages(root, study, block), *_of_export(private, block), *_of_exhibits(public)}
    headline = root / "reports" / "headlines" / f"{study}.json"
    locked = load_yaml(root / _LOCK)["stages"] or {} if (root / _LOCK).is_file() else {}
    own = [*_files(private), *_files(public)]
    going = [path for path in own if path in made] + [headline] * headline.is_file()
    others = [name for name in study_names(load_yaml(root / _PARAMS)) if name != study]
    if (root / _INDEX).is_file() and not _can_index(root, others):
        going.append(root / _INDEX)
    return Removal(
        study=study,
        stages=[name for name in locked if name.partition("@")[2] == study],
        shared=[name for name in _SHARED if name in locked],
        files=[path.relative_to(root) for path in going],
        staying=[path.relative_to(root) for path in own if path not in made],
    )


def remove_study(root: Path, removal: Removal) -> None:
    """Remove what was planned, all or nothing, and bring the stages over all studies up to date."""
    with all_or_nothing(root, root / "data" / f".removed-{removal.study}") as changes:
        _write(changes, root / _PARAMS, without_study(_text(root / _PARAMS), removal.study))
        for file in removal.files:
            changes.take(root / file)
        if (root / _LOCK).is_file():
            _prune_lock(changes, root, removal)
    for folder in (f"data/{removal.study}", f"reports/{removal.study}"):
        _remove_empty_folders(root / folder)


def _prune_lock(changes: Changes, root: Path, removal: Removal) -> None:
    """Take the study's stages out of dvc.lock; run `check` and `index` again, where they can."""
    current = [name for name in _runnable(root) if name in removal.shared]
    stale = [name for name in removal.shared if name not in current]
    text = without_stages(_text(root / _LOCK), [*removal.stages, *stale])
    _write(changes, root / _LOCK, text)
    if "index" in current:
        changes.save(root / _INDEX)
    said = reproduce(root, "--single-item", *current) if current else None
    if said is not None:
        raise RemoveError(f"dvc could not bring {' and '.join(current)} up to date:\n{said}")


def _runnable(root: Path) -> list[str]:
    """Return which stages over all studies can run with those that are left."""
    studies = load_yaml(root / _PARAMS)["studies"] or []
    if not studies:
        return []
    index = ["index"] if _can_index(root, studies) else []
    try:
        check_studies(root / _PARAMS, root)
    except ParamsError:
        return index
    return ["check", *index]


def _can_index(root: Path, studies: list[str]) -> bool:
    """Say whether there are studies, and the findings of all of them."""
    headlines = [root / "reports" / "headlines" / f"{name}.json" for name in studies]
    return bool(headlines) and all(file.is_file() for file in headlines)


def _of_stages(root: Path, study: str, block: dict[str, Any]) -> Iterator[Path]:
    """Yield where stages write their tables in data/<study>/, and rows that broke a rule.

    Tables of an arm are in a folder of its name.
    """
    yield root / "data" / study / "problems.csv"
    tables = [f"{name}.parquet" for name in (*OBTAINED, *_declared())]
    for stage in load_yaml(root / "dvc.yaml")["stages"].values():
        for out in stage.get("do", {}).get("outs", []):
            if isinstance(out, str):
                place = root / out.replace("${item}", study)
                yield from (place / arm / name for arm in _arm_folders(block) for name in tables)


def _of_export(folder: Path, block: dict[str, Any]) -> Iterator[Path]:
    """Yield where `export` writes the files of a study with these settings."""
    designs = ["unmatched", *((block.get("match") or {}).get("designs") or {})]
    names = [f"{design}{end}.dta" for design in designs for end in ("", "_sets")]
    of_arm = (*names, "estimates.do")
    yield from (folder / "export" / arm / name for arm in _arm_folders(block) for name in of_arm)


def _arm_folders(block: dict[str, Any]) -> list[str]:
    """Return the subfolders that arms may have, whatever else is wrong with the section."""
    arms = (block.get("treatment") or {}).get("arms") or {}
    return ["", *(str(name) for name in arms.get("named") or {})]


def _declared() -> Iterator[str]:
    """Yield the file name of every declared table."""
    for module in iter_modules(pipeline.datasets.__path__, "pipeline.datasets."):
        values = vars(import_module(module.name)).values()
        yield from (value.name.lower() for value in values if isinstance(value, Dataset))


def _of_exhibits(folder: Path) -> Iterator[Path]:
    """Yield the files that the manifest of reports/<study>/ lists, none outside, and itself."""
    yield from (folder / name for name in _MANIFESTS)
    if (folder / _MANIFESTS[0]).is_file():
        with (folder / _MANIFESTS[0]).open(encoding="utf-8", newline="") as file:
            yield from (folder / row["file"] for row in csv.DictReader(file))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def _write(changes: Changes, path: Path, text: str) -> None:
    changes.write(path, text.encode("utf-8"))


def _remove_empty_folders(folder: Path) -> None:
    """Remove folders in which nothing is left, from the innermost."""
    inner = sorted(path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())
    for path in [*reversed(inner), folder]:
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
