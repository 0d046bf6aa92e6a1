"""Within what years are compared: those of a stack, or of a stack and a category of its firms."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes
from pipeline.effects.sample import StackedSample
from pipeline.errors import DataError
from pipeline.estimators.stacked_regressors import pair_codes
from pipeline.panel.panel_index import NO_ROW


@dataclass(frozen=True)
class YearCells:
    """Say within what years are compared: stacks, or stacks x base-year values of a column."""

    sample: StackedSample
    by: pd.Series | None

    @property
    def by_stack(self) -> bool:
        """Say whether each stack and event time is one cell."""
        return self.by is None

    @cached_property
    def codes(self) -> Codes:
        """Return the cell of each row, (n,).

        Raises DataError where a firm has no value of the column in its base year.
        """
        code = pair_codes(self.sample.stack, self.sample.event_time)
        if self.by is None:
            return code
        return pair_codes(_base_year_codes(self.sample, self.by), code)


def year_cells(sample: StackedSample, panel: pd.DataFrame, by: str | None) -> YearCells:
    """Return cells of year x stack, or of year x stack x base-year value of column `by`."""
    return YearCells(sample, None if by is None else panel[by])


def _base_year_codes(sample: StackedSample, column: pd.Series) -> Codes:
    value = np.asarray(pd.factorize(column)[0], dtype=np.intp)
    base_row = sample.stacks.base_row[sample.unit]
    code = np.where(base_row == NO_ROW, -1, value[base_row])
    if (code < 0).any():
        n_without = len(np.unique(sample.stacks.firm[sample.unit[code < 0]]))
        raise DataError(
            f"{sample.stacks.design}: {n_without} firms have no `{column.name}` in their base "
            "year, which year_effects_by needs; fill the column or choose another"
        )
    return code
