"""The tables behind feet and notes of exhibits: what was matched, lost, used and could be seen."""

from pathlib import Path

import pandas as pd

from pipeline.datasets.balance import BALANCE_SUMMARY
from pipeline.datasets.matches import LOSSES, MATCHED
from pipeline.datasets.selection import SCORE_LOSSES, STACKS
from pipeline.datasets.store import read

# By the stage that writes them.
_OF_SCORE = (STACKS, SCORE_LOSSES)
_OF_MATCH = (MATCHED, LOSSES)
_OF_BALANCE = (BALANCE_SUMMARY,)

DETAILS = (*_OF_SCORE, *_OF_MATCH, *_OF_BALANCE)


def read_details(score: Path, match: Path, balance: Path) -> dict[str, pd.DataFrame]:
    """Read every table by name, given the folders of the stages that write them."""
    written = ((score, _OF_SCORE), (match, _OF_MATCH), (balance, _OF_BALANCE))
    return {table.name: read(table, folder) for folder, tables in written for table in tables}
