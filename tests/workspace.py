"""A copy of the project in a temporary folder, with one study of its own."""

import copy
import shutil
from functools import cache
from pathlib import Path

from import_closure import ROOT
from ruamel.yaml import YAML

from pipeline.commands.add import add_study
from pipeline.params.settings import load_yaml

STUDIES = Path(__file__).parent / "studies"


def project(folder: Path, studies: dict) -> Path:
    """Copy code, dvc.yaml and raw folders; params.yaml holds the given studies only."""
    for name in ("pipeline", "stages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, folder / name)
    for study in studies:
        for kind in ("raw", "rules"):
            (folder / "data" / kind / study).mkdir(parents=True)
            (folder / "data" / kind / study / "README.md").write_text("made for a test\n")
    write_params(folder, studies)
    return folder


def write_params(folder: Path, studies: dict) -> None:
    """Write params.yaml with the given studies."""
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        YAML().dump({"studies": list(studies), **studies}, file)


def section(study: str) -> dict:
    """Return a copy of the block of a shipped study, as tests/studies/ holds it."""
    return copy.deepcopy(_own(study))


@cache
def _own(study: str) -> dict:
    return load_yaml(STUDIES / f"{study}.yaml")[study]


def example(study: str) -> dict:
    """Return the block of a study in examples/."""
    return load_yaml(ROOT / "examples" / study / "params.yaml")[study]


def joined(folder: Path, study: str) -> Path:
    """Make a project to which a study of examples/ is added."""
    add_study(project(folder, {}), ROOT / "examples" / study)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder by its path there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
