"""Which components of a simulated cluster programme participants take, and who sponsors it."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.params.simulation import ClusterProgramme
from pipeline.simulation.firms import SimulatedFirms
from pipeline.simulation.participation import Participation


@dataclass(frozen=True)
class Parts:
    """Hold components taken, shape (firms, components), and who is a sponsor, shape (firms,)."""

    taken: Flags
    sponsor: Flags


def draw_parts(
    programme: ClusterProgramme,
    firms: SimulatedFirms,
    participation: Participation,
    rng: np.random.Generator,
) -> Parts:
    """Give each participant one component or all at once; the largest of a cluster sponsors it."""
    entered = ~np.isnan(participation.entry_year)
    shape = len(entered), len(programme.component_factors)
    one = np.arange(shape[1]) == rng.integers(0, shape[1], shape[0])[:, None]
    every = rng.random(shape[0]) < programme.several_components_share
    size = np.where(entered, firms.log_employment_level, -np.inf)
    largest = np.full(firms.cluster.max() + 1, -np.inf)
    np.maximum.at(largest, firms.cluster, size)
    return Parts(
        taken=(one | every[:, None]) & entered[:, None],
        sponsor=entered & (size == largest[firms.cluster]),
    )


def part_factors(programme: ClusterProgramme, parts: Parts) -> Floats:
    """Return the factor on own effects that components and role bring, 0 outside, (firms,)."""
    factors = np.array(list(programme.component_factors.values()))
    every = parts.taken.all(axis=1) & (len(factors) > 1)
    total = parts.taken @ factors + programme.complementarity_factor * every
    return np.asarray(total * np.where(parts.sponsor, programme.sponsor_factor, 1.0))
