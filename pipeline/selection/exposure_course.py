"""How the exposure of firms goes on, year by year: when it begins, in which class, until when."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats, Integers
from pipeline.errors import DataError, SupportError
from pipeline.panel.panel_index import NO_ROW, PanelIndex

# Shares and distances are compared after rounding, so that machines that differ in the last digit
# put a firm into one class: shares to the twelfth decimal, km to the millimetre.
SHARE_DECIMALS, KM_DECIMALS = 12, 6


@dataclass(frozen=True)
class BaseFirms:
    """Hold the firms of PANEL as they were in the base year; arrays of shape (firms,).

    `cohort` is the entry year, missing for never; `row` the PANEL position of the base year's row,
    or of the last before it, or else of the first after; `year` is the year of that row.
    """

    firm_id: pd.Index
    cohort: Floats
    row: Codes
    year: Integers
    base_year: int

    @property
    def entry_years(self) -> list[int]:
        """Return the years in which anybody enters, ascending."""
        return sorted(int(year) for year in np.unique(self.cohort[~np.isnan(self.cohort)]))


@dataclass(frozen=True)
class Step:
    """Hold one entry year: how strongly each firm is exposed from then on, shape (firms,).

    `strength` is 0 for firms that are not, and larger for stronger classes; `value` what the
    classes are of.
    """

    year: int
    strength: Integers
    value: Floats


# How an exposure goes on, given who enters when: places and links stay as they are.
Steps = Callable[[BaseFirms], Iterable[Step]]


@dataclass(frozen=True)
class Course:
    """Hold, by firm, first year, strength and value of exposure, and the year of a stronger one.

    Years are missing where the event never comes; arrays of shape (firms,).
    """

    first: Floats
    strength: Integers
    value: Floats
    stronger: Floats


def base_firms(panel: pd.DataFrame, index: PanelIndex, base_year: int | None) -> BaseFirms:
    """Return each firm of PANEL at its row of the base year, null the year before anybody enters.

    Raises SupportError where nobody enters, DataError where the base year is not before all entry.
    """
    first_entry = panel["cohort"].min()
    if pd.isna(first_entry):
        raise SupportError("no firm of the panel enters the programme, so that nobody is exposed")
    base = int(first_entry) - 1 if base_year is None else base_year
    if base >= first_entry:
        raise DataError(
            f"base_year is {base}, and the first firms entered in {int(first_entry)}: places may "
            f"follow the programme; write {int(first_entry) - 1} or an earlier year"
        )
    row = _rows_as_of(index, base)
    cohort = panel["cohort"].iloc[row].to_numpy(dtype=np.float64, na_value=np.nan)
    return BaseFirms(index.firms, cohort, row, panel["year"].to_numpy(np.int64)[row], base)


def _rows_as_of(index: PanelIndex, year: int) -> Codes:
    """Return the position of each firm's last row up to a year, else of its first row after."""
    seen = index.row != NO_ROW
    n_before = max(min(year - index.first_year + 1, seen.shape[1]), 0)
    before = seen[:, :n_before]
    column = seen.argmax(axis=1)
    if n_before:
        last = n_before - 1 - before[:, ::-1].argmax(axis=1)
        column = np.where(before.any(axis=1), last, column)
    return np.asarray(index.row[np.arange(len(seen)), column], dtype=np.intp)


def follow(steps: Iterable[Step], n_firms: int) -> Course:
    """Follow exposure over entry years, ascending: the class is that of the first year.

    A later year ends it where its strength is above that of the first.
    """
    first, stronger = np.full(n_firms, np.nan), np.full(n_firms, np.nan)
    strength, value = np.zeros(n_firms, dtype=np.int64), np.full(n_firms, np.nan)
    for step in steps:
        known = strength > 0
        new = ~known & (step.strength > 0)
        risen = known & np.isnan(stronger) & (step.strength > strength)
        first[new], stronger[risen] = step.year, step.year
        strength[new], value[new] = step.strength[new], step.value[new]
    return Course(first, strength, value, stronger)


def class_of(value: Floats, edges: Sequence[float]) -> Integers:
    """Return the class of each value, shape (n,): 0 at zero, then 1, 2, ..., closed on the right.

    Edges [a, b] make (0, a], (a, b] and all above b.
    """
    upper = np.round(np.asarray(edges, dtype=np.float64), SHARE_DECIMALS)
    place = np.searchsorted(upper, np.round(value, SHARE_DECIMALS), side="left") + 1
    return np.where(value > 0, place, 0)


def entered_by(firms: BaseFirms, year: int) -> Flags:
    """Mark the firms that take part by a year."""
    return np.asarray(firms.cohort <= year)
