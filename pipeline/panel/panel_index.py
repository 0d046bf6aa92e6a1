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
        return places_in(self.firms, firm_id)

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


def places_in(firms: pd.Index, firm_id: pd.Series) -> Codes:
    """Return where identifiers (n,) stand among different ones, NO_ROW for one that does not.

    By Arrow: pandas would make a Python object of each.
    """
    wanted, known = (pa.array(values, pa.large_string()) for values in (firm_id, firms))
    return np.asarray(compute.index_in(wanted, value_set=known).fill_null(NO_ROW), dtype=np.intp)


def of_firms(by_firm: pd.Series, firm_id: pd.Series) -> pd.Series:
    """Return the value of each row's firm, missing where there is none; `by_firm` has firms once.

    The type stays, so that it must be one that has missing values.
    """
    taken = by_firm.array.take(places_in(by_firm.index, firm_id), allow_fill=True)
    return pd.Series(taken, index=firm_id.index)


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
