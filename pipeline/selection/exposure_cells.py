"""Exposure within a cell, municipality and sector say: any other participant, or their share."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Floats
from pipeline.selection.exposure_course import BaseFirms, Step, class_of, entered_by

NO_CELL = -1


def cell_codes(panel: pd.DataFrame, columns: Sequence[str], firms: BaseFirms) -> Codes:
    """Return the code of each firm's cell in the base year, NO_CELL where a column is missing."""
    code = np.zeros(len(firms.row), dtype=np.int64)
    missing = np.zeros(len(firms.row), dtype=np.bool_)
    for column in columns:
        part, values = pd.factorize(panel[column].array[firms.row])
        missing |= part < 0
        code, _ = pd.factorize(code * (len(values) + 1) + part)
    return np.where(missing, NO_CELL, code).astype(np.intp)


def any_other_steps(cell: Codes, firms: BaseFirms) -> Iterator[Step]:
    """Yield for each entry year how many other firms of the cell take part; any is class 1.

    `cell` (firms,) are codes; firms of NO_CELL neither expose others nor are exposed.
    """
    for year in firms.entry_years:
        entered = entered_by(firms, year)
        others = _of_others(cell, entered.astype(np.float64))
        yield Step(year, (others > 0).astype(np.int64), others)


def share_steps(
    cell: Codes, firms: BaseFirms, size: Floats, edges: Sequence[float]
) -> Iterator[Step]:
    """Yield for each entry year the share of the other firms of the cell that take part.

    Of sizes (firms,), 1 to count firms, as sum over j != i of size_j D_jt, over the sum of size_j:
    leave-one-out. Firms count that are active in the base year, and participants that came later,
    above and below, so that the share is zero only where no other participant of any size is.
    """
    active = (firms.year == firms.base_year) | ~np.isnan(firms.cohort)
    weight = np.where(active, size, 0.0)
    everyone = _of_others(cell, weight)
    for year in firms.entry_years:
        entered = entered_by(firms, year)
        # counted apart: a difference of sums of sizes is not zero where it should be
        any_other = _of_others(cell, (entered & (weight > 0)).astype(np.float64)) > 0
        treated = _of_others(cell, np.where(entered, weight, 0.0))
        share = np.divide(treated, everyone, out=np.zeros(len(cell)), where=any_other)
        yield Step(year, class_of(share, edges), share)


def _of_others(cell: Codes, weight: Floats) -> Floats:
    """Return the sum of the weights of the other firms of each firm's cell; 0 without a cell."""
    placed = cell != NO_CELL
    sums = np.bincount(cell[placed], weights=weight[placed], minlength=1)
    return np.where(placed, sums[np.where(placed, cell, 0)] - weight, 0.0)
