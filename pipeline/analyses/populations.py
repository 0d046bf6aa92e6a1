"""How many firms are in the same published sets: signatures, counted without names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.analyses.means_of_arms import MeansOfArms
from pipeline.datasets.arrays import Codes, Flags, Floats, Integers
from pipeline.datasets.populations import (
    FEW_UNITS,
    POPULATION_SETS,
    POPULATIONS,
    SHARED_FIRMS,
    SIGNATURES,
)
from pipeline.datasets.store import Dataset, conform, empty
from pipeline.effects.populations import Named, Units
from pipeline.progress import at

_TABLES = (POPULATION_SETS, POPULATIONS, SIGNATURES, SHARED_FIRMS)


@dataclass(frozen=True)
class Signed:
    """Hold the units of a block by signature: what each signature is, and the sets that hold it.

    `stack`, `firm` (n,) and `signature` (n,) are of units; `member` (signatures, sets) says which
    sets hold the units of a signature, `named` what these are called.
    """

    stack: Codes
    firm: Codes
    signature: Codes
    named: list[Named]
    member: Flags

    @property
    def n_firms(self) -> Integers:
        """Return the number of units by signature."""
        return np.bincount(self.signature, minlength=len(self.member))


def count_populations(means: MeansOfArms) -> dict[Dataset, pd.DataFrame]:
    """Count the firms of every set that published means and effects name, and in the same sets.

    The tables are POPULATION_SETS, POPULATIONS, SIGNATURES and SHARED_FIRMS.
    """
    parts: dict[Dataset, list[pd.DataFrame]] = {table: [empty(table)] for table in _TABLES}
    n_firms = len(means.index.firms)
    with at("firms counted by what is published of them"):
        for number, (variable, units) in enumerate(means.blocks(), 1):
            found = by_signature(units, means.stacks, n_firms)
            if not found.named:
                continue
            sizes = means.sizes(variable, found.stack, found.firm)
            for table, rows in tables_of(found, sizes).items():
                parts[table].append(rows.assign(block=number))
    return {
        table: conform(table, pd.concat(rows, ignore_index=True)) for table, rows in parts.items()
    }


def tables_of(found: Signed, sizes: Floats | None) -> dict[Dataset, pd.DataFrame]:
    """Return the rows of one block; `sizes` (n,) are of its units' values, if these are levels."""
    signatures = _signatures(found)
    if sizes is not None:
        total = np.bincount(found.signature, sizes)
        largest = np.zeros(len(total))
        np.maximum.at(largest, found.signature, sizes)
        signatures = signatures.assign(total=total, largest=largest)
    return {**_sets(found), SIGNATURES: signatures, SHARED_FIRMS: _shared(found)}


def by_signature(sources: Sequence[Units], stacks: Codes, n_firms: int) -> Signed:
    """Find the units that are in the same sets, and leave out the sets without any.

    Kinds of all sources are mixed into one number a unit, so that no table of units by sets is
    made; that two mixtures agree by chance is one in 2^64.
    """
    mixed = np.zeros(max(len(stacks), 1) * n_firms, dtype=np.uint64)
    places = [_element(own, stacks, n_firms) for own in sources]
    for number, (own, place) in enumerate(zip(sources, places, strict=True), 1):
        mixed[place] += _hash(own.kind.astype(np.uint64) + (np.uint64(number) << np.uint64(32)))
    used = np.flatnonzero(mixed)
    code, firm = np.divmod(used, n_firms)
    key = mixed[used] ^ _hash(code.astype(np.uint64) + np.uint64(1))
    _, first, signature = np.unique(key, return_index=True, return_inverse=True)
    stack = _stack_of(sources, places, used)
    named, columns, kind = list[Named](), list[Flags](), np.zeros(len(mixed), dtype=np.intp)
    for own, place in zip(sources, places, strict=True):
        kind[place] = own.kind
        of_signature = kind[used[first]]
        kind[place] = 0
        for one in own.named:
            holds = one.holds(of_signature, stack[first]) & (of_signature > 0)
            if holds.any():
                named.append(one)
                columns.append(holds)
    member = np.array(columns, dtype=np.bool_).reshape(len(columns), len(first)).T
    return Signed(stack, firm, np.asarray(signature.reshape(-1)), named, member)


def _element(units: Units, stacks: Codes, n_firms: int) -> Codes:
    """Return the place of units (n,) in an array of stacks by firms."""
    code = np.searchsorted(stacks, units.stack) if len(stacks) and units.stack.any() else 0
    return np.asarray(code * n_firms + units.firm, dtype=np.intp)


def _stack_of(sources: Sequence[Units], places: list[Codes], used: Codes) -> Codes:
    """Return the stacks of the used places."""
    stack = np.zeros(int(used.max(initial=-1)) + 1, dtype=np.intp)
    for own, place in zip(sources, places, strict=True):
        stack[place] = own.stack
    return stack[used]


def _hash(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix numbers (n,) into ones that look random (splitmix64), the same on every machine."""
    found = values * np.uint64(0x9E3779B97F4A7C15)
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(found ^ (found >> np.uint64(31)))


def _sets(found: Signed) -> dict[Dataset, pd.DataFrame]:
    """Number the different sets of a block, and say which signatures each holds."""
    packed = np.packbits(found.member, axis=0).T
    _, first, population = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    number, signature = np.nonzero(found.member[:, first].T)
    sets = pd.DataFrame([vars(one.place) | {"weighted": one.weighted} for one in found.named])
    return {
        POPULATION_SETS: sets.assign(population=population.reshape(-1) + 1),
        POPULATIONS: pd.DataFrame({"signature": signature + 1, "population": number + 1}),
    }


def _signatures(found: Signed) -> pd.DataFrame:
    """Return SIGNATURES without sizes."""
    n = len(found.member)
    stack = np.zeros(n, dtype=np.intp)
    stack[found.signature] = found.stack
    return pd.DataFrame(
        {
            "signature": np.arange(1, n + 1),
            "stack": stack,
            "n_firms": found.n_firms,
            "total": np.nan,
            "largest": np.nan,
        }
    )


def _shared(found: Signed) -> pd.DataFrame:
    """Return SHARED_FIRMS: firms by the small signatures that their units have."""
    few = np.flatnonzero((found.n_firms <= FEW_UNITS)[found.signature])
    firm, owner = np.unique(found.firm[few], return_inverse=True)
    signature = found.signature[few]
    mixed = np.zeros(len(firm), dtype=np.uint64)
    np.add.at(mixed, owner, _hash(signature.astype(np.uint64) + np.uint64(1)))
    _, group, counts = np.unique(mixed, return_inverse=True, return_counts=True)
    pairs = pd.DataFrame({"firms": group[owner] + 1, "signature": signature + 1})
    return pairs.drop_duplicates().assign(n_firms=lambda rows: counts[rows["firms"] - 1])
