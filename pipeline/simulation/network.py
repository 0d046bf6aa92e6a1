"""Links between the firms of a simulated cluster programme, all dated before anybody enters."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Codes, Floats, Integers
from pipeline.params.simulation import ClusterProgramme, Simulation
from pipeline.simulation.firms import SimulatedFirms
from pipeline.simulation.untreated import Untreated

# Links are seen in one of the last so many years before the first entry year.
YEARS_OF_LINKS = 3
SD_LOG_WEIGHT = 1.0


@dataclass(frozen=True)
class DrawnLinks:
    """Hold links of one kind by the numbers of firms; arrays of shape (links,).

    From `source`, the supplier or the firm that workers left, to `target`.
    """

    source: Codes
    target: Codes
    year: Integers
    weight: Floats


def draw_links(
    settings: Simulation,
    programme: ClusterProgramme,
    firms: SimulatedFirms,
    untreated: Untreated,
    rng: np.random.Generator,
) -> dict[str, DrawnLinks]:
    """Draw links by kind between firms alive in the year before the first entry year."""
    alive = np.flatnonzero(untreated.alive[:, settings.cohort_years[0] - 1 - settings.first_year])
    per_firm = programme.links_per_firm.model_dump()
    return {
        kind: _draw_kind(settings, programme, firms, alive, mean, rng=rng)
        for kind, mean in per_firm.items()
    }


def _draw_kind(
    settings: Simulation,
    programme: ClusterProgramme,
    firms: SimulatedFirms,
    alive: Codes,
    per_firm: float,
    *,
    rng: np.random.Generator,
) -> DrawnLinks:
    """Draw who is linked to whom: a Poisson number from each firm, each pair once."""
    source = np.repeat(alive, rng.poisson(per_firm, len(alive)))
    local = rng.random(len(source)) < programme.local_link_share
    anywhere = alive[rng.integers(0, len(alive), len(source))]
    nearby = _draw_neighbours(source, firms.municipality, alive, rng)
    target = np.where(local, nearby, anywhere)
    pair = np.unique(source[source != target] * settings.firms + target[source != target])
    source, target = pair // settings.firms, pair % settings.firms
    founded = np.maximum(firms.founding_year[source], firms.founding_year[target])
    earliest = np.maximum(founded, settings.first_year)
    year = settings.cohort_years[0] - 1 - rng.integers(0, YEARS_OF_LINKS, len(pair))
    weight = rng.lognormal(0.0, SD_LOG_WEIGHT, len(pair))
    return DrawnLinks(source, target, np.maximum(year, earliest), weight)


def _draw_neighbours(
    source: Codes, municipality: Integers, alive: Codes, rng: np.random.Generator
) -> Codes:
    """Draw for each link a firm of the source's municipality, which may be the source."""
    ordered = alive[np.argsort(municipality[alive], kind="stable")]
    place = municipality[ordered]
    first = np.searchsorted(place, municipality[source], side="left")
    count = np.searchsorted(place, municipality[source], side="right") - first
    return np.asarray(ordered[first + (rng.random(len(source)) * count).astype(np.intp)])
