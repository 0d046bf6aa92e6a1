"""Which results tables are published, and what of a study's results they hold.

Exhibits are made from what is published, and from nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pipeline.datasets.aggregates import AGGREGATES
from pipeline.datasets.arms import ARM_CONTRASTS, ARM_FLOW
from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.details import DETAILS
from pipeline.datasets.dominance import COVARIATE_DOMINANCE, OUTCOME_DOMINANCE, PANEL_DOMINANCE
from pipeline.datasets.exposure import EXPOSED, EXPOSURE_ISSUES
from pipeline.datasets.panel import COVERAGE, ISSUES, PROFILE, SAMPLE_FLOW
from pipeline.datasets.pools import POOLS
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
from pipeline.datasets.store import HIDDEN, Dataset, conform, require_traits
from pipeline.exhibits.details import Details
from pipeline.exhibits.inputs import (
    CountedFirms,
    Dominance,
    Populations,
    StudyResults,
    StudySettings,
)
from pipeline.exhibits.render.results_csv import read_results_csv, results_csv
from pipeline.publishing.arm_files import of_arm
from pipeline.publishing.disclosure.score_shares import headline_score_shares
from pipeline.publishing.disclosure.vet_arms import vet_arms

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

# The same for tables of all arms, which a study without arms lacks.
_OF_ALL_ARMS: dict[str, Dataset] = {
    "arm_flow": ARM_FLOW,
    "arm_contrasts": ARM_CONTRASTS,
    "exposed": EXPOSED,
}

# Of a study that declares pools; those of the headline's arm alone.
_OF_POOLS: dict[str, Dataset] = {"pools": POOLS}

# Every table that is published, where a study has it.
PUBLISHED: tuple[Dataset, ...] = (
    *_TABLES.values(), *_OPTIONAL.values(), *_OF_ALL_ARMS.values(), *_OF_POOLS.values(), *DETAILS,
)  # fmt: skip

# What is told of the panel, which all arms share: it stands once, with the headline's arm.
OF_PANEL = frozenset(table.name for table in AGGREGATES["clean"])


def gathered_arms(
    study: str,
    settings: StudySettings,
    by_arm: Mapping[str, Mapping[str, pd.DataFrame]],
    of_all: Mapping[str, pd.DataFrame],
) -> StudyResults:
    """Return the results of the headline's arm with those of every arm, before disclosure control.

    Aggregate tables are given by arm and name, of arms that have results; `of_all` has those of all
    arms together. What was found of exposures stands after what cleaning found.
    """
    later, of = of_all[EXPOSURE_ISSUES.name], settings.arm_folders
    arms = {
        arm: replace(gathered(study, settings.of_arm(of[arm]), _continued(own, later)), arm=arm)
        for arm, own in by_arm.items()
    }
    told: dict[str, Any] = {field: of_all[table.name] for field, table in _OF_ALL_ARMS.items()}
    return replace(next(own for own in arms.values() if not own.arm_folder), arms=arms, **told)


def _continued(
    tables: Mapping[str, pd.DataFrame], later: pd.DataFrame
) -> Mapping[str, pd.DataFrame]:
    """Return aggregate tables with further rows of ISSUES after those that there are."""
    issues = tables[ISSUES.name]
    numbered = later.assign(issue=later["issue"] + len(issues))
    return {**tables, ISSUES.name: conform(ISSUES, pd.concat([issues, numbered]))}


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

    The declared disclosure rule is applied first, to all arms. Tables of an arm other than the
    headline's have its folder before their name.
    """
    vetted = vet_arms(results)
    files = _csvs(vetted)
    for arm in other_arms(vetted):
        files |= {
            of_arm(name, arm.arm_folder): content
            for name, content in _csvs(arm).items()
            if name.upper() not in OF_PANEL
        }
    return files


def other_arms(results: StudyResults) -> list[StudyResults]:
    """Return the results of the arms other than the headline's."""
    return [own for own in results.arms.values() if own.arm_folder]


def _csvs(vetted: StudyResults) -> dict[str, bytes]:
    """Return the results tables of one arm as CSV, by name."""
    files = {
        table.name.lower(): results_csv(vetted.details.of(table), as_published(table))
        for table in DETAILS
    }
    for field, table in (_TABLES | _OPTIONAL | _OF_ALL_ARMS | _OF_POOLS).items():
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

    def tables(self, arm_folder: str = "") -> list[Dataset]:
        """Return the declarations of the tables that the study has, or one of its arms."""
        return [table for table in PUBLISHED if of_arm(table.name.lower(), arm_folder) in self.csvs]


def publish(results: StudyResults) -> Publication:
    """Vet the results, once, for all that is published of them."""
    csvs = published_csvs(results)
    read = read_published(csvs, results.study, results.settings)
    arms = {arm: _measured_as(results.arms[arm], own) for arm, own in read.arms.items()}
    return Publication(csvs, replace(_measured_as(results, read), arms=arms))


def _measured_as(results: StudyResults, read: StudyResults) -> StudyResults:
    """Return what was read with what says how far it was looked at."""
    return replace(read, dominance=results.dominance, populations=results.populations)


def published(results: StudyResults) -> StudyResults:
    """Return the results with every figure as published; what is not stays as it is."""
    return publish(results).results


def read_published(files: Mapping[str, bytes], study: str, settings: StudySettings) -> StudyResults:
    """Return a study's results, and those of its arms, as its published CSV files hold them.

    Files are given by name without `.csv`, of an arm other than the headline's with its folder.
    """
    whole = _read_tables(files, study, settings)
    if settings.treatment.arms is None:
        return whole
    own = replace(whole, arm=settings.treatment.arms.headline)
    told: dict[str, Any] = dict.fromkeys(_OF_ALL_ARMS)
    arms = {
        arm: replace(_read_tables(files, study, settings.of_arm(folder), folder), arm=arm, **told)
        for arm, folder in settings.treatment.arm_folders.items()
        if of_arm(ESTIMATES.name.lower(), folder) in files
    }
    return replace(own, arms=arms)


def _read_tables(
    files: Mapping[str, bytes], study: str, settings: StudySettings, arm_folder: str = ""
) -> StudyResults:
    """Return the tables of one arm, with those of the panel and of all arms."""

    def name_of(table: Dataset) -> str:
        is_shared = table.name in OF_PANEL or table in _OF_ALL_ARMS.values()
        return of_arm(table.name.lower(), "" if is_shared else arm_folder)

    def read(table: Dataset) -> pd.DataFrame:
        return read_results_csv(files[name_of(table)], as_published(table))

    tables: dict[str, Any] = {field: read(table) for field, table in _TABLES.items()}
    optional = (_OPTIONAL | _OF_ALL_ARMS | _OF_POOLS).items()
    tables |= {field: read(table) for field, table in optional if name_of(table) in files}
    details = Details({table.name: read(table) for table in DETAILS})
    return StudyResults(study=study, settings=settings, **tables, details=details)
