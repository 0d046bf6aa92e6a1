"""Rows of PANEL by firm and year: tables are joined once, by key; after that only positions."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from pipeline.datasets.arrays import Codes, Flags

NO_ROW = -1


@dataclass(frozen=True)
class PanelIndex:
    """Find PANEL rows: `row` (firms, years) holds positions, NO_ROW where a firm is absent."""

    firms: pd.Index
    first_year: int
    row: Codes

    def codes(self, firm_id: pd.Series) -> Codes:
        """Return the code of each firm, -1 for a firm that PANEL lacks."""
        found = compute.index_in(_texts(firm_id), value_set=_texts(self.firms))
        return np.asarray(found.fill_null(NO_ROW), dtype=np.intp)

    def in_year(self, year: int) -> Codes:
        """Return the position of each firm's row in a year, else NO_ROW."""
        column = year - self.first_year
        if not 0 <= column < self.row.shape[1]:
            return np.full(len(self.firms), NO_ROW, dtype=np.intp)
        return self.row[:, column]

    def rows(self, firm: Codes, years: NDArray[np.int64]) -> Codes:
        """Return positions (firms, k) of firm codes (firms,) in years (firms, k), else NO_ROW."""
        column = years - self.first_year
        inside = (column >= 0) & (column < self.row.shape[1]) & (firm >= 0)[:, None]
        return np.where(inside, self.row[firm[:, None], np.where(inside, column, 0)], NO_ROW)

    def covers(self, years: NDArray[np.int64]) -> Flags:
        """Mark the years, of any shape, in which PANEL has a row of any firm."""
        any_row = (self.row != NO_ROW).any(axis=0)
        column = years - self.first_year
        inside = (column >= 0) & (column < len(any_row))
        return np.asarray(inside & any_row[np.where(inside, column, 0)])


def _texts(values: pd.Series | pd.Index) -> pa.Array:
    """Return identifiers as Arrow's text; pandas looks texts up as one Python object each."""
    return pa.array(values, pa.large_string())


def index_panel(panel: pd.DataFrame) -> PanelIndex:
    """Index PANEL by firm and year, in any row order."""
    code, firms = pd.factorize(panel["firm_id"])
    year = panel["year"].to_numpy(dtype=np.int64)
    row = np.full((len(firms), int(np.ptp(year)) + 1), NO_ROW, dtype=np.intp)
    row[code, year - year.min()] = np.arange(len(panel))
    return PanelIndex(pd.Index(firms), int(year.min()), row)


def n_groups(codes: Codes) -> int:
    """Count the distinct codes that occur."""
    return int(np.count_nonzero(np.bincount(codes)))


def is_nested(effects: Codes, clusters: Codes) -> bool:
    """Say whether every effect lies within one cluster; both are codes of shape (n,)."""
    one_cluster = np.zeros(int(effects.max(initial=-1)) + 1, dtype=np.intp)
    one_cluster[effects] = clusters
    return bool((one_cluster[effects] == clusters).all())
