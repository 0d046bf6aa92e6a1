"""Samples of units that are weighed again and again, by the means of units that are alike.

A firm's effects are absorbed, so that only its changes since the reference year count. Units of one
entry year and group that are observed in the same years enter every regression on entry year, group
and event time by the sum of their weights and their weighted mean: least squares on these means,
weighted by the sums, has the coefficients of least squares on the units. So a draw costs a sum over
units and a fit of a few rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.absorb import dense_codes
from pipeline.effects.sample import StackedSample, sample_of_values
from pipeline.effects.stacks import Stacks
from pipeline.panel.panel_index import NO_ROW


@dataclass(frozen=True)
class UnitMeans:
    """Hold groups of units that are alike, and what the units of one outcome bring to their means.

    `stacks` has one unit for each of the G groups, `observed` (G, T) when its units are. Of the n
    units observed in the reference year: `unit` their places among all, `group` their codes,
    `level` (n,) the outcome in the reference year, `change` (T, n) since then, zero where missing.
    """

    stacks: Stacks
    observed: Flags
    unit: Codes
    group: Codes
    level: Floats
    change: Floats

    def sample(self, weight: Floats, missing: Literal["drop_set", "renormalise"]) -> StackedSample:
        """Return the sample of the groups, given the weight of every unit."""
        own = weight[self.unit]
        total = self._sums(own)
        divisor = np.where(total > 0, total, 1.0)
        level = self._sums(own * self.level) / divisor
        means = [level + self._sums(own * change) / divisor for change in self.change]
        values = np.where(self.observed, np.column_stack(means), np.nan)
        return sample_of_values(replace(self.stacks, weight=total), values, missing)

    def _sums(self, values: Floats) -> Floats:
        return np.bincount(self.group, values, len(self.observed)).astype(np.float64)


def unit_means(
    stacks: Stacks, values: Floats, panel: pd.DataFrame, alike: Sequence[str]
) -> UnitMeans:
    """Group units that agree in entry year, group, years observed and `alike` in the base year.

    `values` (u, T) is the outcome by unit, as `values_by_unit` returns it.
    """
    reference = stacks.reference_column
    unit = np.flatnonzero(np.isfinite(values[:, reference]))
    own, level = np.isfinite(values[unit]), values[unit, reference]
    base_row = stacks.base_row[unit]
    code = dense_codes(2 * (stacks.stack[unit] - stacks.stack.min()) + stacks.treated[unit])
    for name in alike:
        category = np.asarray(pd.factorize(panel[name])[0], dtype=np.intp)
        of_unit = np.where(base_row == NO_ROW, -1, category[base_row])
        code = dense_codes(code * (int(category.max()) + 2) + of_unit + 1)
    for seen in own.T:
        code = dense_codes(2 * code + seen)
    first = np.unique(code, return_index=True)[1]
    change = np.where(own, values[unit] - level[:, None], 0.0)
    return UnitMeans(
        stacks=stacks.only(unit[first], np.zeros(len(first))),
        observed=own[first],
        unit=unit,
        group=code,
        level=level,
        change=np.ascontiguousarray(change.T),
    )
