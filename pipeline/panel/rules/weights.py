"""Sampling weights: one number above zero for each firm, whatever years it is seen in."""

import numpy as np
import pandas as pd

from pipeline.datasets.panel import SAMPLING_WEIGHT
from pipeline.errors import DataError, Reason
from pipeline.panel.ledger import Ruled


def give_weights(panel: pd.DataFrame, column: str, called: str) -> Ruled:
    """Give each row its firm's sampling weight, and leave out firms that have none.

    `called` is what readers call the column. A firm that has it in some years has it in all. Raises
    DataError where one is not above zero, infinite, or differs between years of a firm.
    """
    given = panel[column]
    _refuse(
        ~((given > 0) & np.isfinite(given)) & given.notna(),
        panel,
        f"data.weight: {column} must be a number above zero",
        "correct the column (clean.corrections), or make it missing where a firm was not sampled "
        "(clean.missing_codes): such firms are left out and counted",
    )
    by_firm = given.groupby(panel["firm_id"])
    weight = by_firm.transform("max")
    _refuse(
        by_firm.transform("min") != weight,
        panel[weight.notna()],
        f"data.weight: {column} must be one number for each firm",
        "deliver the weight of the sample that was drawn at first (that of the base year), in "
        "every year of the firm",
    )
    step = Reason("with_sampling_weight", {"column": called})
    every = panel.assign(**{SAMPLING_WEIGHT: weight})
    return Ruled(every, step=step, kept=weight.notna())


def without_repeated(panel: pd.DataFrame, column: str | None) -> pd.DataFrame:
    """Return the panel as it is described: without weights of firms, which repeat a column."""
    if column in (None, SAMPLING_WEIGHT):
        return panel
    return panel.drop(columns=SAMPLING_WEIGHT)


def _refuse(faulty: pd.Series, panel: pd.DataFrame, rule: str, remedy: str) -> None:
    """Raise DataError where rows are marked, with their number and that of their firms."""
    marked = panel.loc[faulty.reindex(panel.index), "firm_id"]
    if len(marked):
        raise DataError(
            f"{rule}; {len(marked)} rows of {marked.nunique()} firms break it; {remedy}"
        )
