"""A project with the published results of the made-up study, and nothing else of it."""

from pathlib import Path

from results import study_results
from workspace import section, write_params

from pipeline.publishing.publication import published_csvs

STUDY = "madeup"
_SECTIONS = ("outcomes", "treatment", "score", "match", "estimate", "exhibit")


def published_project(folder: Path) -> Path:
    """Write params.yaml and reports/madeup/results/ as a clone of the project would have them."""
    results = study_results()
    block = {name: section("michigan")[name] for name in ("data", "clean")}
    block |= {name: getattr(results.settings, name).model_dump(mode="json") for name in _SECTIONS}
    write_params(folder, {STUDY: block})
    place = folder / "reports" / STUDY / "results"
    place.mkdir(parents=True)
    for name, content in published_csvs(results).items():
        (place / f"{name}.csv").write_bytes(content)
    return folder
