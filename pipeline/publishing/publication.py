"""Which results tables are published, and what of a study's results they hold.

Tables of firms are never among them: exhibits are made from what is published, and from bin
counts of the scores.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.details import DETAILS
from pipeline.datasets.panel import ISSUES, PROFILE, SAMPLE_FLOW
from pipeline.datasets.results import ESTIMATES, OUTCOME_PATHS, TESTS
from pipeline.datasets.selection import SCORE_COEFFICIENTS, SCORES
from pipeline.datasets.store import Dataset, empty, require_traits
from pipeline.exhibits.details import Details
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.render.results_csv import read_results_csv, results_csv
from pipeline.publishing.disclosure.vet import vet

# Field of StudyResults: the table it holds.
_TABLES: dict[str, Dataset] = {
    "estimates": ESTIMATES,
    "tests": TESTS,
    "paths": OUTCOME_PATHS,
    "balance": BALANCE,
    "sample_flow": SAMPLE_FLOW,
    "issues": ISSUES,
    "coefficients": SCORE_COEFFICIENTS,
}

# The same for tables that a study may lack.
_OPTIONAL: dict[str, Dataset] = {"support": SUPPORT, "profile": PROFILE}


def published_csvs(results: StudyResults) -> dict[str, bytes]:
    """Return every published results table as CSV, by file name without `.csv`.

    The declared disclosure rule is applied first.
    """
    vetted = vet(results)
    files = {
        table.name.lower(): results_csv(getattr(vetted, field), as_published(table))
        for field, table in _TABLES.items()
    }
    for table in DETAILS:
        files[table.name.lower()] = results_csv(vetted.details.of(table), as_published(table))
    for field, table in _OPTIONAL.items():
        frame = getattr(vetted, field)
        if frame is not None:
            files[table.name.lower()] = results_csv(frame, as_published(table))
    if results.recovery is not None:
        files["recovery"] = results_csv(results.recovery)
    return files


def as_published(table: Dataset) -> Dataset:
    """Return a table's declaration with every figure nullable: a hidden one is missing.

    Raises TableError where a column does not declare what it tells of firms.
    """
    require_traits(table)
    columns = {
        name: replace(column, nullable=column.nullable or column.kind in ("integer", "number"))
        for name, column in table.columns.items()
    }
    return replace(table, columns={**columns, **{key: table.columns[key] for key in table.key}})


@dataclass(frozen=True)
class Publication:
    """Hold a study's results tables as their CSV files, and the results that these hold."""

    csvs: dict[str, bytes]
    results: StudyResults


def publish(results: StudyResults) -> Publication:
    """Vet the results, once, for all that is published of them."""
    csvs = published_csvs(results)
    read = read_published(csvs, results.study, results.settings)
    return Publication(csvs, replace(read, scores=results.scores, dominance=results.dominance))


def published(results: StudyResults) -> StudyResults:
    """Return the results with every figure as published; scores, of firms, stay as they are."""
    return publish(results).results


def read_published(files: Mapping[str, bytes], study: str, settings: StudySettings) -> StudyResults:
    """Return a study's results as its published CSV files hold them; there are no scores."""
    tables: dict[str, Any] = {
        field: read_results_csv(files[table.name.lower()], as_published(table))
        for field, table in _TABLES.items()
    }
    details = Details(
        {
            table.name: read_results_csv(files[table.name.lower()], as_published(table))
            for table in DETAILS
        }
    )
    support, profile = (
        read_results_csv(files[table.name.lower()], as_published(table))
        if table.name.lower() in files
        else None
        for table in _OPTIONAL.values()
    )
    recovery = files.get("recovery")
    return StudyResults(
        study=study,
        settings=settings,
        scores=empty(SCORES),
        recovery=None if recovery is None else pd.read_csv(io.BytesIO(recovery)),
        **tables,
        details=details,
        support=support,
        profile=profile,
    )
