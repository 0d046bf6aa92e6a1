"""What the participation of others does to firms of a simulated cluster programme, year by year."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats, Integers
from pipeline.params.simulation import ClusterProgramme, Simulation
from pipeline.simulation.firms import SimulatedFirms
from pipeline.simulation.network import DrawnLinks, draw_links
from pipeline.simulation.participation import Participation
from pipeline.simulation.places import FirmPlaces, draw_places
from pipeline.simulation.untreated import Untreated

# Shares are put into classes after rounding, so that all machines put a firm into one.
SHARE_DECIMALS = 12


@dataclass(frozen=True)
class Surroundings:
    """Hold what connects firms: places, links by kind, and the settings of what passes on them.

    `counted` (firms,) were active in the year before the first entry year.
    """

    programme: ClusterProgramme
    places: FirmPlaces
    links: Mapping[str, DrawnLinks]
    counted: Flags


def draw_surroundings(
    settings: Simulation,
    programme: ClusterProgramme,
    firms: SimulatedFirms,
    untreated: Untreated,
    rng: np.random.Generator,
) -> Surroundings:
    """Draw places and links, each from its own stream."""
    place_rng, link_rng = rng.spawn(2)
    base = settings.cohort_years[0] - 1 - settings.first_year
    return Surroundings(
        programme,
        draw_places(settings, programme, firms, place_rng),
        draw_links(settings, programme, firms, untreated, link_rng),
        untreated.alive[:, base],
    )


def spilt_log(
    around: Surroundings, firms: SimulatedFirms, participation: Participation, years: Integers
) -> Floats:
    """Return the log effect of others on sales and jobs, shape (firms, years); own is not in it.

    By the class of the share of the other firms of the cluster that take part, the good of the
    whole cluster, and each kind of link to a participant.
    """
    takes_part = np.fmin(participation.entry_year, participation.other_entry_year)[:, None] <= years
    counted = around.counted | takes_part.any(axis=1)
    share = share_of_others(firms.cluster, counted, takes_part)
    effect = _of_cluster(around.programme, around.places, share)
    percent = around.programme.link_percent.model_dump()
    for kind, drawn in around.links.items():
        effect += np.log1p(percent[kind] / 100) * _linked(kind, drawn, takes_part)
    return effect


def share_of_others(cluster: Integers, counted: Flags, takes_part: Flags) -> Floats:
    """Return the share of the other counted firms of the cluster that take part, (firms, years).

    `counted` (firms,) were active in the year before the first entry, or are participants.
    """
    n = np.bincount(cluster, weights=counted)[cluster] - counted
    sums = np.zeros((cluster.max() + 1, takes_part.shape[1]))
    np.add.at(sums, cluster, takes_part)
    others = sums[cluster] - takes_part
    share = np.divide(others, n[:, None], out=np.zeros(others.shape), where=others > 0)
    return np.asarray(share.round(SHARE_DECIMALS))


def _of_cluster(programme: ClusterProgramme, places: FirmPlaces, share: Floats) -> Floats:
    """Return the log effect of the share's class and of the cluster's good, none at zero."""
    place = np.searchsorted(programme.saturation_edges, share, side="left")
    spill = programme.spill_percent
    by_class = np.log1p(np.array([spill.non_tradable, spill.tradable]) / 100)
    good = np.log1p(programme.horizontal_percent / 100)
    found = by_class[places.tradable.astype(np.intp)[:, None], place] + good
    return np.where(share > 0, found, 0.0)


def _linked(kind: str, drawn: DrawnLinks, takes_part: Flags) -> Flags:
    """Flag firms with a link to a participant: suppliers of one, or firms that its workers joined.

    Returns shape (firms, years).
    """
    exposed, by = _ends(kind, drawn)
    flagged = np.zeros(takes_part.shape, dtype=np.bool_)
    np.logical_or.at(flagged, exposed, takes_part[by])
    return flagged


def _ends(kind: str, drawn: DrawnLinks) -> tuple[Codes, Codes]:
    """Return who is exposed by each link, and by whom."""
    if kind == "supply":
        return drawn.source, drawn.target
    return drawn.target, drawn.source
