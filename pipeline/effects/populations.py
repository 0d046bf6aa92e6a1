"""Which firms are in the sets that figures name: collected by code, counted without names."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.datasets.arrays import Codes, Flags
from pipeline.datasets.results import ESTIMATES
from pipeline.effects.rows import ALL, Label
from pipeline.effects.sample import StackedSample

# Whether a unit is treated, and whether it is of the sample at all: bits of a unit's kind.
TREATED, MEMBER = 1, 2


@dataclass(frozen=True)
class Population:
    """Name a set of firms by the coordinates of the figures made of it, as POPULATION_SETS."""

    published_in: str
    design: str
    variable: str
    stack: str = ALL
    sample: str = ALL
    event_time: int | None = None
    grouping: str = ALL
    subgroup: str = ALL
    treated: bool = True


@dataclass(frozen=True)
class Named:
    """Name the units of a kind as one set: of one stack, or of all.

    `weighted` says whether those of one stack differ in weight.
    """

    place: Population
    bits: int
    of: int
    stack: int | None = None
    weighted: bool = False

    def holds(self, kind: Codes, stack: Codes) -> Flags:
        """Mark the units, given kind and stack (n,): those whose bits are as asked."""
        own = (kind & self.of) == self.bits
        return np.asarray(own if self.stack is None else own & (stack == self.stack))


@dataclass(frozen=True)
class Units:
    """Hold firms in stacks (n,), each once, by kind, a number above zero, and the sets of kinds."""

    stack: Codes
    firm: Codes
    kind: Codes
    named: tuple[Named, ...]


def of_both(
    place: Population, member: int = MEMBER, stack: int | None = None, *, weighted: bool = False
) -> Iterable[Named]:
    """Yield the treated and the comparison units of those with the bit `member`.

    `weighted` is of the comparison units.
    """
    for treated in (True, False):
        bits, own = member | (TREATED if treated else 0), replace(place, treated=treated)
        yield Named(own, bits, member | TREATED, stack, weighted and not treated)


def labelled(label: Label) -> Population:
    """Return the set of treated firms that a label names."""
    return Population(
        published_in=ESTIMATES.name,
        design=label.design,
        sample=label.sample,
        variable=label.outcome,
        grouping=label.grouping,
        subgroup=label.subgroup,
    )


@dataclass
class Members:
    """Collect the treated firms of samples, by PANEL's code, and where paths observe units.

    `observed` (units, event times) are those of a design's stacks, by design and outcome.
    """

    sets: dict[Population, Codes] = field(default_factory=dict)
    observed: dict[tuple[str, str], Flags] = field(default_factory=dict)

    def add_sample(self, place: Population, sample: StackedSample) -> None:
        """Add the treated firms of a sample."""
        units = np.asarray(sample.observed.any(axis=1)) & sample.stacks.treated
        self.sets[place] = np.flatnonzero(np.bincount(sample.stacks.firm[units]))

    def add_path(self, design: str, outcome: str, sample: StackedSample) -> None:
        """Add where a sample observes a design's units, and its treated firms."""
        self.observed[design, outcome] = sample.observed
        self.add_sample(Population(ESTIMATES.name, design, outcome), sample)

    def add_all(self, other: "Members") -> None:
        """Add what was collected apart."""
        self.sets |= other.sets
        self.observed |= other.observed
