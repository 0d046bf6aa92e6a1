"""How many firms are counted alike by published counts: signatures, without names."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.datasets.arms import in_arm
from pipeline.datasets.arrays import Codes
from pipeline.datasets.populations import BOTH, COUNTED_FIRMS, COUNTED_SETS, EVERY
from pipeline.datasets.store import Dataset, conform

# Bytes of a set that are looked at together, of eight firms each.
_BYTES = 8192


class CountPlace(NamedTuple):
    """Name a published count by its coordinates, as the key of COUNTED_SETS."""

    table: str
    column: str
    design: str = EVERY
    stack: str = EVERY
    part: str = EVERY
    variable: str = EVERY
    time: int | None = None
    treated: str = BOTH

    def but(self, **changes: object) -> "CountPlace":
        """Return the place with other coordinates."""
        return CountPlace(**{**self._asdict(), **changes})


@dataclass
class CountedSets:
    """Collect the firms of each count as bits, by PANEL's code; who counts nobody has no set."""

    n_firms: int
    number: dict[bytes, int] = field(default_factory=dict)
    rows: list[tuple[str | int | None, ...]] = field(default_factory=list)

    def add(self, place: CountPlace, firm: Codes) -> None:
        """Add the firms of a count."""
        if len(firm):
            self.rows.append((*place, 0, self._counted(firm)))

    def add_sum(self, place: CountPlace, firm: Codes, stack: Codes) -> None:
        """Add a count in which firms count once in each of their entry years."""
        for year, own in _by_year(firm, stack):
            self.rows.append((*place, year, self._counted(own)))

    def add_stacks(self, place: CountPlace, firm: Codes, stack: Codes) -> None:
        """Add the count of each entry year, and their sum."""
        for year, own in _by_year(firm, stack):
            counted = self._counted(own)
            self.rows.append((*place.but(stack=str(year)), 0, counted))
            self.rows.append((*place, year, counted))

    def _counted(self, firm: Codes) -> int:
        """Return the number of a set of firms, the same for the same firms."""
        marks = np.zeros(self.n_firms, dtype=np.bool_)
        marks[firm] = True
        return self.number.setdefault(np.packbits(marks).tobytes(), len(self.number) + 1)

    def tables(self) -> dict[Dataset, pd.DataFrame]:
        """Return COUNTED_SETS and COUNTED_FIRMS."""
        sets = pd.DataFrame(self.rows, columns=list(COUNTED_SETS.columns))
        return {
            COUNTED_SETS: conform(COUNTED_SETS, sets),
            COUNTED_FIRMS: conform(COUNTED_FIRMS, self._signatures()),
        }

    def _signatures(self) -> pd.DataFrame:
        """Return how many firms are in the same sets, a row for each of these."""
        contents = [np.frombuffer(content, np.uint8) for content in self.number]
        bits = np.array(contents, np.uint8).reshape(len(contents), -1)
        # Eight times the bits are in memory for some firms at a time only.
        parts = [
            np.packbits(np.unpackbits(bits[:, at : at + _BYTES], axis=1), axis=0).T
            for at in range(0, bits.shape[1], _BYTES)
        ]
        packed = np.concatenate(parts)[: self.n_firms]
        named = np.ascontiguousarray(packed[packed.any(axis=1)])
        # One value a firm: comparing whole rows takes as long as reading them.
        alike = named.view(np.dtype((np.void, max(named.shape[1], 1))))[:, 0]
        _, first, n_firms = np.unique(alike, return_index=True, return_counts=True)
        signature, counted = np.nonzero(np.unpackbits(named[first], axis=1))
        return pd.DataFrame(
            {"signature": signature + 1, "counted": counted + 1, "n_firms": n_firms[signature]},
            columns=list(COUNTED_FIRMS.columns),
        )


@dataclass(frozen=True)
class ArmSets:
    """Collect counts of one arm: its firms by their `codes` in PANEL, its designs by its name."""

    sets: CountedSets
    arm_folder: str
    codes: Codes

    def add(self, place: CountPlace, firm: Codes) -> None:
        """Add the firms of a count, as `CountedSets.add`."""
        self.sets.add(self._of_arm(place), self.codes[firm])

    def add_sum(self, place: CountPlace, firm: Codes, stack: Codes) -> None:
        """Add a count in which firms count once in each of their entry years."""
        self.sets.add_sum(self._of_arm(place), self.codes[firm], stack)

    def add_stacks(self, place: CountPlace, firm: Codes, stack: Codes) -> None:
        """Add the count of each entry year, and their sum."""
        self.sets.add_stacks(self._of_arm(place), self.codes[firm], stack)

    def _of_arm(self, place: CountPlace) -> CountPlace:
        return place.but(design=in_arm(place.design, self.arm_folder))


def _by_year(firm: Codes, stack: Codes) -> Iterator[tuple[int, Codes]]:
    """Yield the entry years that occur, with their firms."""
    for year in np.flatnonzero(np.bincount(stack)).tolist():
        yield year, firm[stack == year]
