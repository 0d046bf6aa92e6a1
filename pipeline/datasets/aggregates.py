"""The tables that name no firm, by the stage that writes them: all that exhibits are made from."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.details import OF_BALANCE, OF_CLEAN, OF_ESTIMATE, OF_MATCH, OF_SCORE
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
from pipeline.datasets.selection import SCORE_BINS, SCORE_COEFFICIENTS
from pipeline.datasets.store import Dataset, read

AGGREGATES: dict[str, tuple[Dataset, ...]] = {
    "clean": (SAMPLE_FLOW, ISSUES, PROFILE, COVERAGE, PANEL_DOMINANCE, *OF_CLEAN),
    "score": (SCORE_COEFFICIENTS, SCORE_BINS, *OF_SCORE),
    "match": OF_MATCH,
    "balance": (BALANCE, SUPPORT, COVARIATE_DOMINANCE, *OF_BALANCE),
    "estimate": (
        ESTIMATES,
        TESTS,
        OUTCOME_PATHS,
        OUTCOME_DOMINANCE,
        RECOVERY,
        POPULATION_SETS,
        POPULATIONS,
        SIGNATURES,
        SHARED_FIRMS,
        COUNTED_SETS,
        COUNTED_FIRMS,
        *OF_ESTIMATE,
    ),
}


def read_aggregates(folder_of: Callable[[str], Path]) -> dict[str, pd.DataFrame]:
    """Read every table by name; `folder_of` gives the folder that a stage writes."""
    return {
        table.name: read(table, folder_of(stage))
        for stage, tables in AGGREGATES.items()
        for table in tables
    }
