"""Make the committed tables and numbers again from the committed results and parameters."""

import json
from pathlib import Path

from pipeline.commands.audit.comparison import contents, differences
from pipeline.errors import DataError
from pipeline.exhibits.headlines import headlines
from pipeline.exhibits.index import index_page
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.params.settings import load_yaml, study_names
from pipeline.params.study import read_study
from pipeline.publishing.publication import read_published
from pipeline.publishing.study import build_texts
from pipeline.publishing.swap import REBUILT

_SECTIONS = tuple(StudySettings.__annotations__)


def table_faults(root: Path) -> list[str]:
    """Return one line for each committed table or number that results and parameters do not give.

    The results are those of reports/<study>/results/, ESTIMATES among them.
    """
    studies = study_names(load_yaml(root / "params.yaml"))
    faults = [
        f"reports/{study}/{fault}"
        for study in studies
        for fault in differences(_owned(root / "reports" / study), rebuilt(root, study))
    ]
    return [*faults, *(f"reports/{fault}" for fault in _index_faults(root, studies))]


def _index_faults(root: Path, studies: list[str]) -> list[str]:
    """Return what differs in the index and in the findings that it is made of."""
    made = {name: headlines(published_results(root, name)) for name in studies}
    index = index_page({name: json.loads(content) for name, content in made.items()})
    new = {f"headlines/{name}.json": content for name, content in made.items()}
    new["index.html"] = index
    return differences(_present(root / "reports", list(new)), new)


def _present(folder: Path, names: list[str]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def rebuilt(root: Path, study: str) -> dict[str, bytes]:
    """Return a study's tables and numbers as its results and params.yaml give them, by path."""
    return build_texts(published_results(root, study))


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


def _owned(folder: Path) -> dict[str, bytes]:
    files = contents(folder).items()
    return {path: text for path, text in files if path.split("/")[0] in REBUILT}
