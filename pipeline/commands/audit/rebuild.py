"""Make the committed exhibits again from the committed results and parameters.

Figures are drawn again and compared by what they show, where matplotlib and what it draws with are
of the versions that drew them; where they are not, by the data that they plot.
"""

import json
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path

from pipeline.commands.audit.comparison import differences
from pipeline.commands.audit.drawings import drawing_differences
from pipeline.commands.audit.fault import MAKE_AGAIN, Fault
from pipeline.commands.audit.provenance_check import recorded_provenance
from pipeline.datasets.store import TableError
from pipeline.errors import DataError
from pipeline.exhibits.headlines import headlines
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.page import index_page
from pipeline.params.settings import load_yaml, study_names
from pipeline.params.study import read_study
from pipeline.publishing.provenance import DRAWING_PACKAGES
from pipeline.publishing.publication import read_published
from pipeline.publishing.study import build_texts, exhibits_of
from pipeline.publishing.swap import REBUILT
from pipeline.publishing.tree import Tree

_RESULTS_AGAIN = "`git checkout reports` if it was edited here; else `dvc repro`"
_INDEX_AGAIN = (
    "`git checkout reports` if it was edited here; else `dvc repro --force --single-item index`, "
    "after `exhibit` of the study where reports/headlines/ differs"
)

_SECTIONS = tuple(StudySettings.__annotations__)


def table_faults(root: Path) -> list[Fault]:
    """Return each committed table or number that results and parameters do not give.

    The results are those of reports/<study>/results/, ESTIMATES among them.
    """
    results = _readable(root)
    faults = [
        Fault(found, MAKE_AGAIN).of_study(study)
        for study, of_study in results.items()
        if isinstance(of_study, StudyResults)
        for found in differences(_owned(root, study, REBUILT), build_texts(of_study))
    ]
    unreadable = [found for found in results.values() if isinstance(found, Fault)]
    read = {n: found for n, found in results.items() if isinstance(found, StudyResults)}
    return [*unreadable, *faults, *([] if unreadable else _index_faults(root, read))]


def _readable(root: Path) -> dict[str, StudyResults | Fault]:
    """Return each study's results, or why they cannot be read."""
    found: dict[str, StudyResults | Fault] = {}
    for study in study_names(load_yaml(root / "params.yaml")):
        try:
            found[study] = published_results(root, study)
        except DataError as error:
            found[study] = Fault(str(error), _RESULTS_AGAIN)
    return found


def drawing_faults(root: Path) -> list[Fault]:
    """Return each committed figure, and drawing in a page, that results and parameters do not give.

    Of a study that other versions drew only the plotted data are compared: see `other_versions`.
    """
    faults = []
    for study, results in _readable(root).items():
        if isinstance(results, Fault):
            faults.append(results)
        else:
            found = _drawn_otherwise(root, results)
            faults += [Fault(line, MAKE_AGAIN).of_study(study) for line in found]
    return faults


def _drawn_otherwise(root: Path, results: StudyResults) -> list[str]:
    """Return what differs in a study's figures: which there are, what they plot, what they show."""
    made, study = exhibits_of(results), results.study
    there = _owned(root, study, (*REBUILT, "figures"))
    figures = [{p: c for p, c in side.items() if _is_figure(p)} for side in (there, made)]
    found = differences(figures[0], figures[1])
    if other_versions(root, study):  # pages are drawn by no library
        there = {path: content for path, content in there.items() if not _is_figure(path)}
    return found + drawing_differences(there, made)


def _is_figure(path: str) -> bool:
    return path.startswith("figures/")


def other_versions(root: Path, study: str) -> dict[str, tuple[str, str]]:
    """Return the packages that draw in other versions here than when a study was drawn: both."""
    recorded = (recorded_provenance(root, study) or {}).get("packages", {})
    both = {name: (str(recorded.get(name, "?")), version(name)) for name in DRAWING_PACKAGES}
    return {name: (then, now) for name, (then, now) in both.items() if then != now}


def _index_faults(root: Path, results: dict[str, StudyResults]) -> list[Fault]:
    """Return what differs in the index and in the findings that it is made of."""
    made = {name: headlines(of_study) for name, of_study in results.items()}
    index = index_page({name: json.loads(content) for name, content in made.items()})
    new = {f"headlines/{name}.json": content for name, content in made.items()}
    new["index.html"] = index
    found = differences(_present(root / "reports", list(new)), new)
    return [Fault(f"reports/{line}", _INDEX_AGAIN) for line in found]


def _present(folder: Path, names: list[str]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def published_results(root: Path, study: str) -> StudyResults:
    """Return what reports/<study>/results/ and params.yaml hold; raise DataError for a gap."""
    folder = root / "reports" / study / "results"
    files = {
        path.relative_to(folder).with_suffix("").as_posix(): path.read_bytes()
        for path in folder.rglob("*.csv")
    }
    settings = study_settings(load_yaml(root / "params.yaml"), study)
    try:
        return read_published(files, study, settings)
    except KeyError as error:
        missing = f"{folder.as_posix()}/{error.args[0]}.csv"
        raise DataError(f"{missing} is missing: run `dvc repro`") from None
    except (TableError, ValueError) as error:  # made by other code, or edited
        fault = f"does not hold the tables of the code here ({error}): run `dvc repro`"
        raise DataError(f"{folder.as_posix()} {fault}") from None


def study_settings(content: dict[str, object], study: str) -> StudySettings:
    """Return the sections of params.yaml that a study's exhibits describe."""
    sections = read_study(content, study)
    return StudySettings(**{name: getattr(sections, name) for name in _SECTIONS})


def _owned(root: Path, study: str, places: Collection[str]) -> dict[str, bytes]:
    files = Tree(root).contents(f"reports/{study}").items()
    return {path: text for path, text in files if path.split("/")[0] in places}
