"""The tables behind feet and notes of exhibits: what ran, was matched, lost, used, detectable."""

from pathlib import Path

import pandas as pd

from pipeline.datasets.balance import BALANCE_SUMMARY
from pipeline.datasets.fits import (
    DECOMPOSED_COHORTS,
    DECOMPOSITION,
    DETECTABLE,
    FITS,
    PRE_TREND_POWER,
    UNIT_DEPENDENCE,
)
from pipeline.datasets.matches import LOSSES, MATCHED
from pipeline.datasets.samples import (
    ATTRITION,
    BASELINES,
    CONCENTRATION,
    GROUPING_LOSSES,
    SAMPLES,
    SHARED_CLUSTERS,
    ZEROS,
)
from pipeline.datasets.selection import SCORE_LOSSES, STACKS
from pipeline.datasets.specs import SPECS
from pipeline.datasets.store import read

# By the stage that writes them.
_OF_SCORE = (STACKS, SCORE_LOSSES)
_OF_MATCH = (MATCHED, LOSSES)
_OF_BALANCE = (BALANCE_SUMMARY,)
OF_ESTIMATE = (
    SPECS,
    SAMPLES,
    SHARED_CLUSTERS,
    BASELINES,
    ZEROS,
    CONCENTRATION,
    GROUPING_LOSSES,
    ATTRITION,
    FITS,
    DETECTABLE,
    PRE_TREND_POWER,
    DECOMPOSITION,
    DECOMPOSED_COHORTS,
    UNIT_DEPENDENCE,
)

DETAILS = (*_OF_SCORE, *_OF_MATCH, *_OF_BALANCE, *OF_ESTIMATE)


def read_details(
    score: Path, match: Path, balance: Path, estimate: Path
) -> dict[str, pd.DataFrame]:
    """Read every table by name, given the folders of the stages that write them."""
    written = (
        (score, _OF_SCORE),
        (match, _OF_MATCH),
        (balance, _OF_BALANCE),
        (estimate, OF_ESTIMATE),
    )
    return {table.name: read(table, folder) for folder, tables in written for table in tables}
