"""Columns whose balance is measured: numbers, and texts whose categories are columns each."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.matching.balance_rows import BalanceRows
from pipeline.matching.moments import CellMoments, moments_of_categories, moments_of_numbers

# Differences, in standard deviations or in shares of a group, that weights have removed: as closely
# as they meet moments. What is left is the solver's, and differs between machines.
BALANCED = 1e-8


@dataclass(frozen=True)
class MeasuredNumber:
    """Hold one number of each row, missing (nan) where it is not known."""

    value: Floats
    rows: BalanceRows

    @cached_property
    def known(self) -> Flags:
        """Mark the rows that have a value."""
        return ~np.isnan(self.value)

    def categories(self, member: Flags) -> tuple[Flags, list[str | None]]:
        """Return that there is one column, of no category."""
        return np.ones(1, dtype=np.bool_), [None]

    def binary(self, member: Flags) -> bool:
        """Say whether members have no other values than 0 and 1."""
        return not (self._beyond_binary & member).any()

    def moments(self, weight: Floats) -> CellMoments:
        """Return moments of the rows with a value; `weight` is zero for those without."""
        return moments_of_numbers(self.value, weight, self.rows.bounds)

    def ks_distances(self, weight: Floats, found: CellMoments) -> Floats:
        """Return the largest distances between the two weighted distribution functions.

        Shape (1, stacks + 1), stacks together last; what weights have removed is zero.
        """
        ranks, starts = self._ranks_in_stack
        with np.errstate(divide="ignore", invalid="ignore"):
            level = np.nan_to_num([[-1.0], [1.0]] / found.weight[0], posinf=0.0, neginf=0.0)
        in_stack = _distances(ranks, weight * level[:, :-1].T.ravel()[self.rows.cell], starts)
        of_all = weight * level[self.rows.treated.astype(np.intp), -1]
        together = _distances(self._ranks, of_all, np.zeros(1, dtype=np.intp))
        distance = np.concatenate([in_stack, together])[None, :]
        return np.where(distance > BALANCED, distance, 0.0)

    @cached_property
    def _beyond_binary(self) -> Flags:
        return np.asarray(self.known & (self.value != 0.0) & (self.value != 1.0))

    @cached_property
    def _order(self) -> Codes:
        return np.asarray(np.argsort(self.value))

    @cached_property
    def _ranks(self) -> Codes:
        return _ranked(self._order, _changes(self.value[self._order]))

    @cached_property
    def _ranks_in_stack(self) -> tuple[Codes, Codes]:
        """Return ranks that go on from stack to stack, and the first of each stack."""
        stack = self.rows.stack.astype(np.int16)
        order = self._order[np.argsort(stack[self._order], kind="stable")]
        next_stack = _changes(stack[order])
        ranks = _ranked(order, next_stack | _changes(self.value[order]))
        firsts = order[np.concatenate([[0], np.flatnonzero(next_stack) + 1])]
        return ranks, ranks[firsts]


@dataclass(frozen=True)
class MeasuredCategories:
    """Hold the code of a category by row, -1 where it is missing, and the names of all."""

    code: Codes
    names: list[str]
    rows: BalanceRows

    @cached_property
    def known(self) -> Flags:
        """Mark the rows that have a category."""
        return self.code >= 0

    def categories(self, member: Flags) -> tuple[Flags, list[str | None]]:
        """Mark the categories that members have, and name these."""
        counts = np.bincount(self.code[member & self.known], minlength=len(self.names))
        has = counts > 0
        return has, [name for name, there in zip(self.names, has, strict=True) if there]

    def binary(self, member: Flags) -> bool:
        """Say that indicators have no other values than 0 and 1."""
        return True

    def moments(self, weight: Floats) -> CellMoments:
        """Return moments of one indicator for each category, of the rows that have any."""
        shape = np.array([2 * len(self.rows.stacks), len(self.names)])
        return moments_of_categories(self.code, weight, self.rows.cell, shape)

    def ks_distances(self, weight: Floats, found: CellMoments) -> Floats:
        """Return by category and stack the largest distance, which is that of the two shares."""
        distance = np.abs(found.mean[:, 1] - found.mean[:, 0])
        return np.where(distance > BALANCED, distance, 0.0)


Measured = MeasuredNumber | MeasuredCategories


def balance_column(values: pd.Series, rows: BalanceRows) -> Measured:
    """Return a column of COVARIATES as measured, in the order of rows."""
    if pd.api.types.is_numeric_dtype(values):
        return MeasuredNumber(values.to_numpy(np.float64, na_value=np.nan)[rows.row], rows)
    code, names = pd.factorize(values)
    return MeasuredCategories(np.asarray(code, np.intp)[rows.row], list(map(str, names)), rows)


def _changes(ordered: NDArray[Any]) -> Flags:
    """Mark the rows, but for the first, that differ from the row before."""
    return np.asarray(ordered[1:] != ordered[:-1])


def _ranked(order: Codes, changes: Flags) -> Codes:
    ranks = np.empty(len(order), dtype=np.intp)
    ranks[order] = np.concatenate([[0], np.cumsum(changes)])
    return ranks


def _distances(ranks: Codes, mass: Floats, starts: Codes) -> Floats:
    """Return the largest sizes of the running sum of mass by rank, anew from each start."""
    running = np.bincount(ranks, weights=mass).cumsum()
    before = np.concatenate([[0.0], running])[starts]  # a stack without a group leaves its mass
    running -= np.repeat(before, np.diff([*starts, len(running)]))
    return np.asarray(np.maximum.reduceat(np.abs(running), starts))
