"""Firms in stacks as rows of COVARIATES: tables are joined once, after that by position."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Floats
from pipeline.datasets.store import TableError
from pipeline.panel.panel_index import NO_ROW, PanelIndex, index_panel
from pipeline.selection.risk_sets import sampling_weights

# What is read of SCORES and of WEIGHTS beside their keys.
_OF_SCORES = ["model", "treated", "propensity_score", "on_support"]
_OF_WEIGHTS = ["design", "weight"]


@dataclass(frozen=True)
class FirmStacks:
    """Hold COVARIATES, and SCORES and WEIGHTS with a column `row` that points into it.

    `firm` (n,) numbers the firms of COVARIATES, `stack` holds their entry years, `sampling` their
    sampling weights, None where the study has none.
    """

    covariates: pd.DataFrame
    scores: pd.DataFrame
    weights: pd.DataFrame
    firm: Codes
    stack: Codes
    sampling: Floats | None = None

    def of_model(self, model: str) -> pd.DataFrame:
        """Return the risk sets of a score model: row, treated, propensity_score, on_support."""
        return self.scores[self.scores["model"] == model].drop(columns="model")

    def of_design(self, design: str) -> pd.DataFrame:
        """Return the firms that a design uses: row, weight."""
        return self.weights[self.weights["design"] == design].drop(columns="design")


def firm_stacks(
    scores: pd.DataFrame, covariates: pd.DataFrame, weights: pd.DataFrame
) -> FirmStacks:
    """Find the rows of SCORES and WEIGHTS in COVARIATES, tables in any row order.

    Raises TableError where COVARIATES lacks one: it has the firms of all risk sets.
    """
    index = _index(covariates)
    row, own, sampling = _rows(index, scores), sampling_weights(scores), None
    if own is not None:
        sampling = np.zeros(len(covariates))
        sampling[row] = own
    return FirmStacks(
        covariates=covariates,
        scores=scores[_OF_SCORES].assign(row=row),
        weights=weights[_OF_WEIGHTS].assign(row=_rows(index, weights)),
        firm=index.codes(covariates["firm_id"]),
        stack=covariates["stack"].to_numpy(np.int64),
        sampling=sampling,
    )


def rows_of_firms(table: pd.DataFrame, covariates: pd.DataFrame) -> Codes:
    """Return the row of COVARIATES of each row of a table with stack and firm_id.

    Raises TableError as `firm_stacks`.
    """
    return _rows(_index(covariates), table)


def _index(covariates: pd.DataFrame) -> PanelIndex:
    # a stack is a year of its firms
    return index_panel(covariates[["stack", "firm_id"]].rename(columns={"stack": "year"}))


def _rows(index: PanelIndex, table: pd.DataFrame) -> Codes:
    stack = table["stack"].to_numpy(np.int64)
    rows = index.rows(index.codes(table["firm_id"]), stack[:, None])[:, 0]
    lacking = int((rows == NO_ROW).sum())
    if lacking:
        raise TableError(f"COVARIATES lacks {lacking} firms of stacks that another table has")
    return rows
