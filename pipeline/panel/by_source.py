"""Rows, missing values and zeros by year, group and delivered file; who enters and leaves."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags
from pipeline.datasets.panel import COVERAGE_BY_SOURCE, FIRM_FLOWS, NO_FILE
from pipeline.panel.group_years import group_years
from pipeline.panel.origin import Origin
from pipeline.panel.panel_index import NO_ROW, PanelIndex

_KEYS = {"firm_id", "year", "cohort"}


@dataclass(frozen=True)
class SourceCells:
    """Number the rows of PANEL by file, group and year: `code` (n,) is a place in `table`."""

    code: Codes
    table: pd.DataFrame

    def counts(self, rows: "Flags | Codes") -> Codes:
        """Count the marked rows, or those at some positions, of each cell."""
        return np.bincount(self.code[rows], minlength=len(self.table))


def cells_of(panel: pd.DataFrame, origin: Origin) -> SourceCells:
    """Return the cells that have rows; the index of PANEL is the position in what was delivered."""
    files, of_row = _files(panel, origin)
    groups = group_years(panel)
    code = of_row * groups.occurs.size + groups.code
    used, code = _numbered(code, len(files) * groups.occurs.size)
    file, place = np.divmod(used, groups.occurs.size)
    group, year = np.divmod(place, groups.occurs.shape[1])
    columns = {"source": files[file], "year": groups.years[year], "treated": group == 1}
    return SourceCells(code, pd.DataFrame(columns))


def _numbered(code: Codes, n_codes: int) -> tuple[Codes, Codes]:
    """Return the codes that occur, and each row's place among them."""
    occurs = np.bincount(code, minlength=n_codes) > 0
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[code]


def _files(panel: pd.DataFrame, origin: Origin) -> tuple[np.ndarray, Codes]:
    """Return the names of the delivered files, and each row's place among them."""
    if not origin:
        return np.array([NO_FILE], dtype=object), np.zeros(len(panel), dtype=np.intp)
    names = pd.Index([segment.file for segment in origin])
    of_segment, files = pd.factorize(names)
    starts = np.array([segment.position for segment in origin])
    at = np.searchsorted(starts, panel.index.to_numpy(np.int64), side="right") - 1
    return np.asarray(files, dtype=object), of_segment[at].astype(np.intp)


def coverage_by_source(panel: pd.DataFrame, cells: SourceCells) -> pd.DataFrame:
    """Return COVERAGE_BY_SOURCE: rows, missing and zero of every column by cell."""
    n_rows = np.bincount(cells.code, minlength=len(cells.table))
    parts = []
    for name in panel.columns.difference(list(_KEYS), sort=False):
        n_missing = cells.counts(panel[name].isna().to_numpy())
        counted = cells.table.assign(column=name, n_rows=n_rows, n_missing=n_missing)
        parts.append(counted.assign(n_zero=_zeros(panel[name], cells)))
    found = pd.concat(parts, ignore_index=True)
    return found[list(COVERAGE_BY_SOURCE.columns)]


def _zeros(column: pd.Series, cells: SourceCells) -> pd.Series:
    """Count zeros by cell; missing for texts."""
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return pd.Series(pd.NA, index=cells.table.index, dtype="Int64")
    zero = (column == 0).fillna(False).to_numpy(bool)
    return pd.Series(cells.counts(zero)).astype("Int64")


def firm_flows(cells: SourceCells, index: PanelIndex, all_zero: Flags) -> pd.DataFrame:
    """Return FIRM_FLOWS: firms by cell, who enters, leaves and comes back, rows of zeros."""
    present = index.row != NO_ROW
    firms, last = np.arange(len(present)), present.shape[1] - 1
    first_year = present.argmax(axis=1)
    last_year = last - present[:, ::-1].argmax(axis=1)
    back = np.zeros_like(present)
    back[:, 1:] = present[:, 1:] & ~present[:, :-1]
    back[firms, first_year] = False
    rows = {
        "n_firms": index.row[present],
        "n_entering": index.row[firms, first_year],
        "n_leaving": index.row[firms, last_year],
        "n_back": index.row[back],
        "n_all_zero": all_zero,
    }
    counted = {name: cells.counts(of) for name, of in rows.items()}
    return cells.table.assign(**counted)[list(FIRM_FLOWS.columns)]
