"""The tables that name no firm, by the stage that writes them: all that exhibits are made from."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from pipeline.datasets.arms import ARM_CONTRASTS, ARM_FLOW
from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.details import OF_BALANCE, OF_CLEAN, OF_ESTIMATE, OF_MATCH, OF_SCORE
from pipeline.datasets.dominance import COVARIATE_DOMINANCE, OUTCOME_DOMINANCE, PANEL_DOMINANCE
from pipeline.datasets.exposure import EXPOSED, EXPOSURE_ISSUES
from pipeline.datasets.panel import COVERAGE, ISSUES, PROFILE, SAMPLE_FLOW
from pipeline.datasets.pools import POOL_FIRMS, POOLS
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
from pipeline.datasets.store import Dataset, read, write

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
        *OF_ESTIMATE,
    ),
}

# Who is behind the figures of all arms together, in the folder of the headline's.
BEHIND = (
    POPULATION_SETS,
    POPULATIONS,
    SIGNATURES,
    SHARED_FIRMS,
    COUNTED_SETS,
    COUNTED_FIRMS,
)


# What is told of all arms together, by the stage in whose folder no table names a firm.
OF_ALL_ARMS: dict[str, tuple[Dataset, ...]] = {
    "balance": (EXPOSED, EXPOSURE_ISSUES),
    "estimate": (ARM_FLOW, ARM_CONTRASTS),
}

# Stages that write tables of firms into the folder of an arm.
_WITH_FIRMS = ("score", "match")


def read_aggregates(
    folder_of: Callable[[str], Path], arm_folder: str = ""
) -> dict[str, pd.DataFrame]:
    """Read every table by name; `folder_of` gives the folder that a stage writes.

    `arm_folder` is the subfolder of an arm other than the headline's (see `tell_again`).
    """
    own = {
        table.name: read(table, _told_in(folder_of, stage, arm_folder))
        for stage, tables in AGGREGATES.items()
        for table in tables
    }
    return own | {table.name: read(table, folder_of("estimate")) for table in BEHIND}


def read_of_all_arms(folder_of: Callable[[str], Path]) -> dict[str, pd.DataFrame]:
    """Read what is told of all arms of a study together, by name."""
    return {
        table.name: read(table, folder_of(stage))
        for stage, tables in OF_ALL_ARMS.items()
        for table in tables
    }


def read_pools(folder_of: Callable[[str], Path]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read POOLS and POOL_FIRMS, of a study that declares pools."""
    effects, firms = (read(table, folder_of("estimate")) for table in (POOLS, POOL_FIRMS))
    return effects, firms


def arms_told(of_all: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return the arms that have results, given what is told of all arms by name, in order."""
    flow = of_all[ARM_FLOW.name]
    return list(flow.loc[flow["reason"].isna(), "arm"])


def tell_again(folder_of: Callable[[str], Path], arm_folder: str) -> None:
    """Write what `score` and `match` tell of an arm beside its balance.

    dvc.yaml names no arm, so that `exhibit` cannot depend on single files in an arm's folder; the
    folder of `balance` holds no table of firms and is listed as a whole.
    """
    for stage in _WITH_FIRMS:
        for table in AGGREGATES[stage]:
            told = read(table, folder_of(stage) / arm_folder)
            write(table, told, folder_of("balance") / arm_folder)


def tell_of_all_arms(folder_of: Callable[[str], Path]) -> None:
    """Write what `score` tells of all arms together beside the headline's balance."""
    for table in OF_ALL_ARMS["balance"]:
        write(table, read(table, folder_of("score")), folder_of("balance"))


def _told_in(folder_of: Callable[[str], Path], stage: str, arm_folder: str) -> Path:
    if stage == "clean":
        return folder_of(stage)
    told_again = arm_folder and stage in _WITH_FIRMS
    return folder_of("balance" if told_again else stage) / arm_folder
