"""Rows of PANEL by group and year: what is counted of each is a table of groups by years."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags


@dataclass(frozen=True)
class GroupYears:
    """Number group and year of each row: `code` (n,) is a place in tables (2, years).

    Never-treated firms come first, then treated ones; years go up from `first_year`. `occurs` marks
    the groups and years that have rows.
    """

    code: Codes
    first_year: int
    occurs: Flags

    def counts(self, rows: Flags) -> Codes:
        """Count the marked rows of each group and year."""
        counted = np.bincount(self.code[rows], minlength=self.occurs.size)
        return counted.reshape(self.occurs.shape)

    @property
    def years(self) -> NDArray[np.int64]:
        """Return the years of the columns of tables."""
        return self.first_year + np.arange(self.occurs.shape[1])


def group_years(panel: pd.DataFrame) -> GroupYears:
    """Number the groups and years of PANEL."""
    year = panel["year"].to_numpy(np.int64)
    first, n_years = int(year.min()), int(np.ptp(year)) + 1
    code = panel["cohort"].notna().to_numpy() * n_years + (year - first)
    occurs = np.bincount(code, minlength=2 * n_years).reshape(2, n_years) > 0
    return GroupYears(code, first, occurs)
