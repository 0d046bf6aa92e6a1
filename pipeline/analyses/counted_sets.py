"""How many firms are counted alike by published counts: signatures, without names."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

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

    def add(self, place: CountPlace, firm: Codes, addend: int = 0) -> None:
        """Add the firms of a count or, where entry years count their own, those of one of them."""
        if not len(firm):
            return
        marks = np.zeros(self.n_firms, dtype=np.bool_)
        marks[firm] = True
        counted = self.number.setdefault(np.packbits(marks).tobytes(), len(self.number) + 1)
        self.rows.append((*place, addend, counted))

    def add_sum(self, place: CountPlace, firm: Codes, stack: Codes) -> None:
        """Add a count in which firms count once in each of their entry years."""
        for year in np.unique(stack).tolist():
            self.add(place, firm[stack == year], year)

    def add_stacks(self, place: CountPlace, firm: Codes, stack: Codes) -> None:
        """Add the count of each entry year, and their sum."""
        for year in np.unique(stack).tolist():
            self.add(place.but(stack=str(year)), firm[stack == year])
        self.add_sum(place, firm, stack)

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
