"""Make the committed tables and numbers again from the committed results and parameters."""

import json
from pathlib import Path

from pipeline.commands.audit.comparison import differences
from pipeline.errors import DataError
from pipeline.exhibits.headlines import headlines
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.page import index_page
from pipeline.params.settings import load_yaml, study_names
from pipeline.params.study import read_study
from pipeline.publishing.publication import read_published
from pipeline.publishing.study import build_texts
from pipeline.publishing.swap import REBUILT
from pipeline.publishing.tree import Tree

_SECTIONS = tuple(StudySettings.__annotations__)


def table_faults(root: Path) -> list[str]:
    """Return one line for each committed table or number that results and parameters do not give.

    The results are those of reports/<study>/results/, ESTIMATES among them.
    """
    studies = study_names(load_yaml(root / "params.yaml"))
    results = {study: published_results(root, study) for study in studies}
    faults = [
        f"reports/{study}/{fault}"
        for study in studies
        for fault in differences(_owned(root, study), build_texts(results[study]))
    ]
    return [*faults, *(f"reports/{fault}" for fault in _index_faults(root, results))]


def _index_faults(root: Path, results: dict[str, StudyResults]) -> list[str]:
    """Return what differs in the index and in the findings that it is made of."""
    made = {name: headlines(of_study) for name, of_study in results.items()}
    index = index_page({name: json.loads(content) for name, content in made.items()})
    new = {f"headlines/{name}.json": content for name, content in made.items()}
    new["index.html"] = index
    return differences(_present(root / "reports", list(new)), new)


def _present(folder: Path, names: list[str]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def published_results(root: Path, study: str) -> StudyResults:
    """Return what reports/<study>/results/ and params.yaml hold; raise DataError for a gap."""
    folder = root / "reports" / study / "results"
    files = {path.stem: path.read_bytes() for path in folder.glob("*.csv")}
    settings = study_settings(load_yaml(root / "params.yaml"), study)
    try:
        return read_published(files, study, settings)
    except KeyError as error:
        missing = f"{folder.as_posix()}/{error.args[0]}.csv"
        raise DataError(f"{missing} is missing: run `dvc repro`") from None


def study_settings(content: dict[str, object], study: str) -> StudySettings:
    """Return the sections of params.yaml that a study's exhibits describe."""
    sections = read_study(content, study)
    return StudySettings(**{name: getattr(sections, name) for name in _SECTIONS})


def _owned(root: Path, study: str) -> dict[str, bytes]:
    files = Tree(root).contents(f"reports/{study}").items()
    return {path: text for path, text in files if path.split("/")[0] in REBUILT}
