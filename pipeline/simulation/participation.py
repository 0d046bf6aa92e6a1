"""Who enters a simulated programme, when, and who is near: all years are missing for nobody."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats, Integers
from pipeline.errors import ParamsError
from pipeline.params.simulation import Simulation
from pipeline.simulation.firms import SimulatedFirms, weigh_covariates
from pipeline.simulation.untreated import Untreated, jobs


@dataclass(frozen=True)
class Participation:
    """Hold years, shape (firms,), missing (NaN) where the event never comes.

    `entry_year` in the programme, `neighbour_entry_year` the first entry in the cluster of a firm
    that stays out, `other_entry_year` in the other programme. `own_factor` multiplies the effects
    of the programme on its participants.
    """

    entry_year: Floats
    neighbour_entry_year: Floats
    other_entry_year: Floats
    own_factor: Floats


@dataclass(frozen=True)
class Openings:
    """Hold the share of firms that enter where a programme opens, shape (clusters,) or (firms,).

    `other_alone` flags clusters in which the other programme opens in the place of the first.
    """

    saturation: Floats
    other_alone: Flags

    def of(self, cluster: Integers) -> "Openings":
        """Return what holds for firms in these clusters, shape (firms,)."""
        return Openings(self.saturation[cluster], self.other_alone[cluster])


def draw_participation(
    settings: Simulation,
    firms: SimulatedFirms,
    untreated: Untreated,
    years: Integers,
    rng: np.random.Generator,
    *,
    openings: Openings | None = None,
) -> Participation:
    """Open the programme in some clusters and let firms select themselves in.

    `openings` give the share that enters by cluster, and bring the other programme to the same
    clusters; without them the share holds for all firms together, and the other is anywhere.
    Raises ParamsError where no firm could enter in a year, or too few clusters hold firms.
    """
    opening = _draw_openings(settings, firms, rng)[firms.cluster]
    own = None if openings is None else openings.of(firms.cluster)
    first = opening if own is None else np.where(own.other_alone, np.nan, opening)
    taste = settings.unobserved_selection_log_odds * firms.unobserved_trend
    taste = taste + rng.logistic(size=settings.firms)
    entry = np.full(settings.firms, np.nan)
    for cohort in settings.cohort_years:
        utility = taste + _selection_index(settings, firms, untreated, cohort - years[0] - 1)
        invited = first == cohort
        if not invited.any():  # fewer clusters than entry years
            continue
        year = cohort - years[0]
        pool = np.flatnonzero(invited & untreated.alive[:, year - 1] & untreated.alive[:, year])
        entry[_entrants(settings, utility, pool, firms.cluster, own)] = cohort
    if own is None:
        other = _draw_other(settings, entry, untreated, years, rng)
    else:
        other = _draw_second(settings, untreated, entry, opening, own, rng=rng)
    return Participation(
        entry_year=entry,
        neighbour_entry_year=_neighbour_entry(firms, entry),
        other_entry_year=other,
        own_factor=np.ones(settings.firms),
    )


def _draw_openings(settings: Simulation, firms: SimulatedFirms, rng: np.random.Generator) -> Floats:
    """Choose clusters, larger ones more often, and spread them over sectors and entry years.

    Returns the opening year by cluster. Sectors take turns, so that every sector has entrants in
    every year as soon as clusters allow it, and no sector dummy separates the groups.
    """
    municipalities, sectors = settings.municipalities, settings.sectors
    size = np.bincount(firms.cluster, minlength=municipalities * sectors)
    if settings.treated_clusters > np.count_nonzero(size):
        raise ParamsError(
            f"treated_clusters is {settings.treated_clusters}: "
            f"only {np.count_nonzero(size)} clusters hold firms"
        )
    # Log size plus a Gumbel draw ranks clusters as drawing in proportion to size would.
    with np.errstate(divide="ignore"):
        appeal = (np.log(size) + rng.gumbel(size=len(size))).reshape(municipalities, sectors)
    turn = (-appeal).argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    order = np.lexsort((np.arange(len(size)), turn.ravel(), np.isneginf(appeal).ravel()))
    chosen = order[: settings.treated_clusters]
    cohort = (turn.ravel()[chosen] + chosen % sectors) % len(settings.cohort_years)
    opening = np.full(len(size), np.nan)
    opening[chosen] = np.array(settings.cohort_years)[cohort]
    return opening


def _selection_index(
    settings: Simulation, firms: SimulatedFirms, untreated: Untreated, base: int
) -> Floats:
    """Weigh what is observed in the base year (a column number), in log-odds."""
    weights = settings.selection_log_odds
    size = np.log(jobs(untreated.log_employment[:, base]))
    return weigh_covariates(firms, weights, settings.first_year) + weights.log_employment * size


def _entrants(
    settings: Simulation,
    utility: Floats,
    pool: Codes,
    cluster: Integers,
    own: Openings | None,
) -> Codes:
    """Take those of the pool, alive at base and entry, that have the highest utility.

    Utility is a linear index plus a logistic draw: entry is a logit with the intercept that gives
    exactly the participation share of all firms, or the saturation of each cluster.
    """
    if own is None:
        count = round(settings.participation_share * len(pool))
        taken = pool[np.argsort(-utility[pool], kind="stable")[:count]]
    else:
        taken = pool[_first_of_cluster(-utility[pool], cluster[pool], own.saturation[pool])]
    if not len(taken):
        raise ParamsError("firms: too few firms to fill an entry year; raise firms or clusters")
    return taken


def _first_of_cluster(order: Floats, cluster: Integers, share: Floats) -> Flags:
    """Flag the share of each cluster that comes first, rounded to whole firms."""
    ranked = pd.Series(order).groupby(cluster)
    rank, size = ranked.rank(method="first"), ranked.transform("size")
    return np.asarray(rank.to_numpy() <= np.rint(share * size.to_numpy()))


def _neighbour_entry(firms: SimulatedFirms, entry: Floats) -> Floats:
    """Return the first entry year in the cluster of each non-participant."""
    first = np.full(firms.cluster.max() + 1, np.nan)
    np.fmin.at(first, firms.cluster, entry)
    return np.where(np.isnan(entry), first[firms.cluster], np.nan)


def _draw_other(
    settings: Simulation,
    entry: Floats,
    untreated: Untreated,
    years: Integers,
    rng: np.random.Generator,
) -> Floats:
    """Draw the entry year in the other programme, likelier for participants."""
    cohort = rng.choice(settings.cohort_years, settings.firms)
    draw = rng.random(settings.firms)
    alive = untreated.alive[np.arange(settings.firms), cohort - years[0]]
    return np.where((draw < _other_chance(settings, entry)) & alive, cohort, np.nan)


def _draw_second(
    settings: Simulation,
    untreated: Untreated,
    entry: Floats,
    opening: Floats,
    own: Openings,
    *,
    rng: np.random.Generator,
) -> Floats:
    """Draw entry in the other programme in the clusters in which one opens.

    In the opening year where it is alone, else in that year or the next, but not after the last
    entry year; of firms alive then and the year before.
    """
    later = rng.integers(0, 2, settings.firms) * ~own.other_alone
    year = np.minimum(opening + later, settings.cohort_years[-1])
    open_by_then = ~np.isnan(year)
    column = np.where(open_by_then, year - settings.first_year, 1).astype(np.intp)
    firm = np.arange(settings.firms)
    alive = untreated.alive[firm, column] & untreated.alive[firm, column - 1]
    chance = np.where(own.other_alone, own.saturation, _other_chance(settings, entry))
    return np.where((rng.random(settings.firms) < chance) & alive & open_by_then, year, np.nan)


def _other_chance(settings: Simulation, entry: Floats) -> Floats:
    """Return the chance to enter the other programme, larger for participants, shape (firms,)."""
    odds_outside = settings.other_programme_share / (1 - settings.other_programme_share)
    odds = odds_outside * np.exp(settings.other_programme_log_odds * ~np.isnan(entry))
    return np.asarray(odds / (1 + odds))
