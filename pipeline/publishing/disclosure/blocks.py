"""Blocks of published means: the sets of firms of one variable at one date, as linear forms."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.exhibits.inputs import Populations
from pipeline.publishing.disclosure.span import Firms

# Coordinates of a set but its group, as POPULATION_SETS has them.
Place = tuple[Any, ...]
PLACE = [
    "published_in",
    "design",
    "stack",
    "sample",
    "variable",
    "event_time",
    "grouping",
    "subgroup",
]

# More firms than any rule asks for.
_MANY = 2**31


@dataclass(frozen=True)
class Block:
    """Hold the signatures of one variable at one date, and the sets of them by place.

    `stack` (m,) is the entry year of a signature's units, `total` and `largest` (m,) sizes of their
    values, missing where they are no magnitudes. A mean whose weights nobody outside knows is one
    more unknown: the last of the m are not signatures, but these, `weighted` says which.
    """

    number: int
    firms: Firms
    stack: Integers
    total: Floats
    largest: Floats
    sets: dict[tuple[Place, bool], Flags]
    weighted: dict[Place, int]

    @classmethod
    def of_effects(cls, firms: Firms, stack: Integers) -> "Block":
        """Return a block of signatures (m,) without magnitudes, and without sets of its own."""
        unknown = np.full(len(stack), np.nan)
        return cls(0, firms, stack, unknown, unknown, {}, {})

    def treated(self, of: Place) -> Floats:
        """Return the sum over the treated units of a place as a form."""
        return self._members(of, True).astype(np.float64)

    def comparison(self, of: Place) -> Floats:
        """Return the weighted sum over comparison units: in every stack they weigh as its treated.

        Where nobody is treated all weigh alike.
        """
        own, treated = self._members(of, False), self._members(of, True)
        if not treated.any():
            return own.astype(np.float64)
        form = np.zeros(len(own))
        for stack in np.unique(self.stack[own]):
            here = self.stack == stack
            n = self.firms.n_firms
            form[own & here] = n[treated & here].sum() / n[own & here].sum()
        return form

    def difference(self, of: Place) -> Floats:
        """Return the difference of both groups' means as a form, times the treated.

        Weights that differ are not known to readers.
        """
        form = self.treated(of) - self.comparison(of)
        if of in self.weighted:
            form[self.weighted[of]] = -1.0
        return form

    def means(self, of: Place) -> Floats:
        """Return the sums of both groups as forms.

        Of a mean with weights that differ two: what readers add to the difference of both groups to
        have the treated; and the sum with equal weights, as if they were known.
        """
        forms = [self.treated(of), self.comparison(of)]
        if of in self.weighted:
            forms.append(forms[1].copy())
            forms[2][self.weighted[of]] = 1.0
        return np.array(forms)

    def members(self, of: Place) -> Flags:
        """Return the treated and the comparison units of a place, (2, m)."""
        return np.array([self._members(of, treated) for treated in (True, False)])

    @cached_property
    def measured(self) -> bool:
        """Say whether values are magnitudes."""
        return not np.isnan(self.total).any()

    def _members(self, of: Place, treated: bool) -> Flags:
        none = np.zeros(len(self.stack), dtype=np.bool_)
        return self.sets.get((of, treated), none)


def blocks_of(populations: Populations) -> list[Block]:
    """Return the blocks of the private tables."""
    sets, held, shared = (
        _by_block(table)
        for table in (populations.sets, populations.populations, populations.shared)
    )
    none = populations.shared.iloc[:0]
    return [
        _block(number, rows, sets[number], held[number], shared.get(number, none))
        for number, rows in _by_block(populations.signatures).items()
    ]


def _by_block(table: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """Return the rows of each block."""
    ordered = table.sort_values("block", kind="stable")
    number = ordered["block"].to_numpy(np.int64)
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    ends = np.append(starts[1:], len(number))[: len(starts)]
    parts = zip(starts, ends, strict=True)
    return {int(number[start]): ordered.iloc[start:end] for start, end in parts}


def place(
    table: str,
    design: str,
    variable: str,
    *,
    stack: str = "all",
    sample: str = "all",
    event_time: int | None = None,
    grouping: str = "all",
    subgroup: str = "all",
) -> Place:
    """Return the place of a figure."""
    return table, design, stack, sample, variable, event_time, grouping, subgroup


def _block(
    number: int,
    signatures: pd.DataFrame,
    sets: pd.DataFrame,
    populations: pd.DataFrame,
    shared: pd.DataFrame,
) -> Block:
    """Return one block; signatures and populations are numbered from 1."""
    times = sets["event_time"].astype(object).where(sets["event_time"].notna(), None)
    places = list(zip(*(times if n == "event_time" else sets[n] for n in PLACE), strict=True))
    n = len(signatures)
    weighted = {
        found: n + number
        for number, found in enumerate(
            found for found, own in zip(places, sets["weighted"], strict=True) if own
        )
    }
    more = len(weighted)
    member = np.zeros((int(populations["population"].max()), n + more), dtype=np.bool_)
    member[populations["population"] - 1, populations["signature"] - 1] = True
    groups, group = np.unique(shared["firms"].to_numpy(np.int64), return_inverse=True)
    of_group = np.zeros((len(groups), n + more), dtype=np.bool_)
    of_group[group, shared["signature"].to_numpy(np.int64) - 1] = True
    sizes = np.zeros(len(groups), dtype=np.int64)
    sizes[group] = shared["n_firms"]
    keys = zip(places, sets["treated"], sets["population"], strict=True)
    n_firms = signatures["n_firms"].to_numpy(np.int64)
    return Block(
        number=number,
        firms=Firms(np.append(n_firms, np.full(more, _MANY)), of_group, sizes),
        stack=np.append(signatures["stack"].to_numpy(np.int64), np.full(more, -1)),
        total=np.append(signatures["total"].to_numpy(float), np.zeros(more)),
        largest=np.append(signatures["largest"].to_numpy(float), np.zeros(more)),
        sets={(found, bool(treated)): member[of - 1] for found, treated, of in keys},
        weighted=weighted,
    )
