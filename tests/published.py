"""What is published of made-up studies: files in memory, or a project of nothing else."""

from pathlib import Path
from typing import Any

from results import study_results
from workspace import section, write_params

from pipeline.exhibits.inputs import StudyResults
from pipeline.publishing.publication import publish, published_csvs
from pipeline.publishing.study import build_published

STUDY = "madeup"
_SECTIONS = ("outcomes", "treatment", "score", "match", "estimate", "exhibit")


def published_project(folder: Path, **chosen: Any) -> Path:
    """Write params.yaml and reports/madeup/results/ as a clone of the project would have them.

    `chosen` goes to `study_results`.
    """
    results = study_results(**chosen)
    block = {name: section("michigan")[name] for name in ("data", "clean")}
    block |= {name: getattr(results.settings, name).model_dump(mode="json") for name in _SECTIONS}
    write_params(folder, {STUDY: block})
    place = folder / "reports" / STUDY / "results"
    place.mkdir(parents=True)
    for name, content in published_csvs(results).items():
        (place / f"{name}.csv").write_bytes(content)
    return folder


def build_exhibits(results: StudyResults) -> dict[str, bytes]:
    """Return every file of reports/<study>/ as the exhibit stage would write it."""
    return build_published(publish(results))
