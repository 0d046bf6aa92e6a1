"""Who enters a simulated programme, when, and who is near: all years are missing for nobody."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.errors import ParamsError
from pipeline.params.simulation import Simulation
from pipeline.simulation.firms import SimulatedFirms, weigh_covariates
from pipeline.simulation.untreated import Untreated, jobs


@dataclass(frozen=True)
class Participation:
    """Hold years, shape (firms,), missing (NaN) where the event never comes.

    `entry_year` in the programme, `neighbour_entry_year` the first entry in the cluster of a firm
    that stays out, `other_entry_year` in the other programme.
    """

    entry_year: Floats
    neighbour_entry_year: Floats
    other_entry_year: Floats


def draw_participation(
    settings: Simulation,
    firms: SimulatedFirms,
    untreated: Untreated,
    years: Integers,
    rng: np.random.Generator,
) -> Participation:
    """Open the programme in some clusters and let firms select themselves in.

    Raises ParamsError where no firm could enter in a year, or too few clusters hold firms.
    """
    opening = _draw_openings(settings, firms, rng)[firms.cluster]
    taste = settings.unobserved_selection_log_odds * firms.unobserved_trend
    taste = taste + rng.logistic(size=settings.firms)
    entry = np.full(settings.firms, np.nan)
    for cohort in settings.cohort_years:
        utility = taste + _selection_index(settings, firms, untreated, cohort - years[0] - 1)
        entry[_entrants(settings, utility, opening == cohort, untreated, cohort - years[0])] = (
            cohort
        )
    return Participation(
        entry_year=entry,
        neighbour_entry_year=_neighbour_entry(firms, entry),
        other_entry_year=_draw_other(settings, entry, untreated, years, rng),
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
    settings: Simulation, utility: Floats, invited: Flags, untreated: Untreated, year: int
) -> Integers:
    """Take the invited firms with the highest utility among those alive at base and entry.

    Utility is a linear index plus a logistic draw: entry is a logit with the intercept that gives
    exactly the participation share.
    """
    pool = np.flatnonzero(invited & untreated.alive[:, year - 1] & untreated.alive[:, year])
    count = round(settings.participation_share * len(pool))
    if count == 0:
        if not invited.any():  # fewer clusters than entry years
            return pool[:0]
        raise ParamsError("firms: too few firms to fill an entry year; raise firms or clusters")
    return pool[np.argsort(-utility[pool], kind="stable")[:count]]


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
    odds_outside = settings.other_programme_share / (1 - settings.other_programme_share)
    odds = odds_outside * np.exp(settings.other_programme_log_odds * ~np.isnan(entry))
    alive = untreated.alive[np.arange(settings.firms), cohort - years[0]]
    return np.where((draw < odds / (1 + odds)) & alive, cohort, np.nan)
