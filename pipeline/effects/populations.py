"""Which firms are in the sets that figures name: collected by code, counted without names."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from pipeline.datasets.arrays import Codes, Flags
from pipeline.effects.rows import ALL, Label
from pipeline.effects.sample import StackedSample


@dataclass(frozen=True)
class Population:
    """Name a set of firms by the coordinates of the figures made of it, as POPULATION_SETS."""

    design: str
    variable: str
    stack: str = ALL
    sample: str = ALL
    event_time: int | None = None
    grouping: str = ALL
    subgroup: str = ALL
    treated: bool = True


def labelled(label: Label) -> Population:
    """Return the set of firms that a label names."""
    return Population(
        design=label.design,
        sample=label.sample,
        variable=label.outcome,
        grouping=label.grouping,
        subgroup=label.subgroup,
    )


@dataclass
class Members:
    """Collect the firms of each set, by PANEL's code."""

    sets: dict[Population, Codes] = field(default_factory=dict)

    def add(self, places: Iterable[Population], firm: Codes, treated: Flags) -> None:
        """Add the treated firms of places with the same firms, and their comparison firms."""
        groups = {
            group: np.flatnonzero(np.bincount(firm[treated == group])) for group in (True, False)
        }
        for place, group in product(places, groups):
            self.sets[replace(place, treated=group)] = groups[group]

    def add_sample(self, place: Population, sample: StackedSample) -> None:
        """Add the firms of a sample."""
        self._add_units([place], sample, np.asarray(sample.observed.any(axis=1)))

    def _add_units(self, places: Iterable[Population], sample: StackedSample, units: Flags) -> None:
        self.add(places, sample.stacks.firm[units], sample.stacks.treated[units])

    def add_path(self, place: Population, sample: StackedSample) -> None:
        """Add the firms of a sample, all together and of each event time."""
        self.add_sample(place, sample)
        for column, time in enumerate(sample.stacks.event_times.tolist()):
            then = np.asarray(sample.observed[:, column])
            if then.any():
                self._add_units([replace(place, event_time=time)], sample, then)
