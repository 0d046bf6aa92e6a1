"""All exhibits of one study: made in memory, then swapped into place at once."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.panel import ISSUES, PROFILE, SAMPLE_FLOW
from pipeline.datasets.results import ESTIMATES, FACTS, OUTCOME_PATHS, TESTS
from pipeline.datasets.selection import SCORE_COEFFICIENTS
from pipeline.datasets.store import Dataset
from pipeline.exhibits.balance_table import balance_table
from pipeline.exhibits.cautions import survival_caution
from pipeline.exhibits.event_study import event_study
from pipeline.exhibits.figures import render_figure
from pipeline.exhibits.flow_figure import flow_figure
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.latex import render_latex
from pipeline.exhibits.love_plot import love_plot
from pipeline.exhibits.main_effects import main_effects
from pipeline.exhibits.markdown import render_markdown
from pipeline.exhibits.numbers import headline_metrics, numbers_json, numbers_tex, study_numbers
from pipeline.exhibits.outcome_paths import outcome_paths
from pipeline.exhibits.overlap import overlap
from pipeline.exhibits.parts import pages
from pipeline.exhibits.recovery_table import recovery_table
from pipeline.exhibits.results_csv import results_csv
from pipeline.exhibits.sample_flow import sample_flow
from pipeline.exhibits.score_table import score_table
from pipeline.exhibits.summary import summary
from pipeline.exhibits.support_table import support_table
from pipeline.exhibits.table import Table

_FIGURES: dict[str, Callable[[StudyResults], Figure]] = {
    "outcome_paths": outcome_paths,
    "event_study": event_study,
    "love_plot": love_plot,
    "overlap": overlap,
    "sample_flow": flow_figure,
}

# What the exhibit stage owns in reports/<study>/, and replaces as a whole.
OWNED = (
    "tables",
    "figures",
    "results",
    "metrics.json",
    "numbers.json",
    "numbers.tex",
    "summary.md",
)


def build_exhibits(results: StudyResults) -> dict[str, bytes]:
    """Return every file of reports/<study>/ by its path there; nothing is written."""
    return {
        **_renderings(study_tables(results)),
        **_figures(results),
        **{f"results/{name}.csv": content for name, content in _csvs(results).items()},
        **_numbers(results),
    }


def write_exhibits(files: dict[str, bytes], folder: Path) -> None:
    """Put the files into `folder`, all or none; what the stage owned before is removed.

    Everything is written beside its place first, so that a failure leaves the old files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as name:
        fresh = Path(name)
        for path, content in files.items():
            (fresh / path).parent.mkdir(parents=True, exist_ok=True)
            (fresh / path).write_bytes(content)
        for owned in OWNED:
            _swap(fresh, folder, owned)


def _swap(fresh: Path, folder: Path, name: str) -> None:
    place, new = folder / name, fresh / name
    if place.exists():
        place.rename(fresh / f"{name}.old")
    if new.exists():
        shutil.move(new, place)


def study_tables(results: StudyResults) -> dict[str, Table]:
    """Return every table of a study by file name, without `.tex`; further parts are numbered."""
    named = main_effects(results)
    named |= _numbered("balance", balance_table(results))
    named |= _numbered("sample_flow", sample_flow(results))
    if len(results.coefficients) and results.settings.match.designs:
        named |= _numbered("score", score_table(results))
    if results.support is not None:
        named |= _numbered("support", support_table(results, results.support))
    if results.recovery is not None:
        named |= _numbered("recovery", recovery_table(results, results.recovery))
    caution = survival_caution(results)
    return {name: replace(table, notes=(*table.notes, *caution)) for name, table in named.items()}


def _numbered(name: str, table: Table) -> dict[str, Table]:
    """Return a table by name; where it is longer than a page, its parts by `name`, `name_2`."""
    return {f"{name}_{i}" if i > 1 else name: part for i, part in enumerate(pages(table), 1)}


def _renderings(tables: dict[str, Table]) -> dict[str, bytes]:
    """Return each table as a LaTeX fragment and as Markdown."""
    files = {}
    for name, table in tables.items():
        files[f"tables/{name}.tex"] = render_latex(table).encode("utf-8")
        files[f"tables/{name}.md"] = render_markdown(table).encode("utf-8")
    return files


def _figures(results: StudyResults) -> dict[str, bytes]:
    return {
        f"figures/{name}.{kind}": content
        for name, draw in _FIGURES.items()
        for kind, content in render_figure(draw, results).items()
    }


def _csvs(results: StudyResults) -> dict[str, bytes]:
    """Return the results tables as CSV; tables of firms are not among them."""
    declared: list[tuple[Dataset, pd.DataFrame]] = [
        (ESTIMATES, results.estimates),
        (TESTS, results.tests),
        (OUTCOME_PATHS, results.paths),
        (FACTS, results.facts),
        (BALANCE, results.balance),
        (SAMPLE_FLOW, results.sample_flow),
        (ISSUES, results.issues),
        (SCORE_COEFFICIENTS, results.coefficients),
    ]
    files = {table.name.lower(): results_csv(frame, table) for table, frame in declared}
    if results.support is not None:
        files["support"] = results_csv(results.support, SUPPORT)
    if results.profile is not None:
        files["profile"] = results_csv(results.profile, PROFILE)
    if results.recovery is not None:
        files["recovery"] = results_csv(results.recovery)
    return files


def _numbers(results: StudyResults) -> dict[str, bytes]:
    figures = study_numbers(results)
    return {
        "metrics.json": headline_metrics(results),
        "numbers.json": numbers_json(figures),
        "numbers.tex": numbers_tex(figures, f"reports/{results.study}/numbers.tex"),
        "summary.md": summary(results).encode("utf-8"),
    }
