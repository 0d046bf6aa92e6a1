"""Which results tables are published, and what of a study's results they hold.

Exhibits are made from what is published, and from nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.details import DETAILS
from pipeline.datasets.dominance import COVARIATE_DOMINANCE, OUTCOME_DOMINANCE, PANEL_DOMINANCE
from pipeline.datasets.panel import COVERAGE, ISSUES, PROFILE, SAMPLE_FLOW
from pipeline.datasets.populations import (
    COUNTED_FIRMS,
    COUNTED_SETS,
    POPULATION_SETS,
    POPULATIONS,
    SHARED_FIRMS,
    SIGNATURES,
)
from pipeline.datasets.results import ESTIMATES, OUTCOME_PATHS, RECOVERY, TESTS
from pipeline.datasets.selection import SCORE_BINS, SCORE_COEFFICIENTS, SCORE_SHARES
from pipeline.datasets.store import HIDDEN, Dataset, require_traits
from pipeline.exhibits.details import Details
from pipeline.exhibits.inputs import (
    CountedFirms,
    Dominance,
    Populations,
    StudyResults,
    StudySettings,
)
from pipeline.exhibits.render.results_csv import read_results_csv, results_csv
from pipeline.publishing.disclosure.score_shares import headline_score_shares
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
_OPTIONAL: dict[str, Dataset] = {
    "support": SUPPORT,
    "profile": PROFILE,
    "coverage": COVERAGE,
    "recovery": RECOVERY,
    "score_shares": SCORE_SHARES,
}


# Every table that is published, where a study has it.
PUBLISHED: tuple[Dataset, ...] = (*_TABLES.values(), *_OPTIONAL.values(), *DETAILS)


def gathered(
    study: str, settings: StudySettings, tables: Mapping[str, pd.DataFrame]
) -> StudyResults:
    """Return a study's results, before disclosure control, given its aggregate tables by name."""
    shares = headline_score_shares(tables[SCORE_BINS.name], settings)
    given = {**tables, SCORE_SHARES.name: shares}
    named = {field: given[table.name] for field, table in (_TABLES | _OPTIONAL).items()}
    truth_is_known = len(tables[RECOVERY.name]) > 0
    return StudyResults(
        study=study,
        settings=settings,
        details=Details({table.name: tables[table.name] for table in DETAILS}),
        dominance=Dominance(
            outcomes=tables[OUTCOME_DOMINANCE.name],
            covariates=tables[COVARIATE_DOMINANCE.name],
            panel=tables[PANEL_DOMINANCE.name],
        ),
        populations=Populations(
            sets=tables[POPULATION_SETS.name],
            populations=tables[POPULATIONS.name],
            signatures=tables[SIGNATURES.name],
            shared=tables[SHARED_FIRMS.name],
        ),
        counted=CountedFirms(sets=tables[COUNTED_SETS.name], firms=tables[COUNTED_FIRMS.name]),
        **(named if truth_is_known else named | {"recovery": None}),
    )


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
    return files


def as_published(table: Dataset) -> Dataset:
    """Return a table's declaration in which every figure may be missing, because hidden.

    Raises TableError where a column does not declare what it tells of firms.
    """
    require_traits(table)
    columns = {
        name: replace(column, missing=column.missing or HIDDEN)
        for name, column in table.columns.items()
        if column.kind in ("integer", "number")
    }
    keys = {key: table.columns[key] for key in table.key}
    return replace(table, columns={**table.columns, **columns, **keys})


@dataclass(frozen=True)
class Publication:
    """Hold a study's results tables as their CSV files, and the results that these hold."""

    csvs: dict[str, bytes]
    results: StudyResults

    @property
    def tables(self) -> list[Dataset]:
        """Return the declarations of the tables that the study has."""
        return [table for table in PUBLISHED if table.name.lower() in self.csvs]


def publish(results: StudyResults) -> Publication:
    """Vet the results, once, for all that is published of them."""
    csvs = published_csvs(results)
    read = read_published(csvs, results.study, results.settings)
    shown = replace(
        read,
        dominance=results.dominance,
        populations=results.populations,
    )
    return Publication(csvs, shown)


def published(results: StudyResults) -> StudyResults:
    """Return the results with every figure as published; what is not stays as it is."""
    return publish(results).results


def read_published(files: Mapping[str, bytes], study: str, settings: StudySettings) -> StudyResults:
    """Return a study's results as its published CSV files hold them."""
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
    tables |= {
        field: read_results_csv(files[table.name.lower()], as_published(table))
        for field, table in _OPTIONAL.items()
        if table.name.lower() in files
    }
    return StudyResults(
        study=study,
        settings=settings,
        **tables,
        details=details,
    )
