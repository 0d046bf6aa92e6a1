"""Outcomes of a simulated programme: untreated ones, and what the programme makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.params.simulation import Simulation
from pipeline.simulation.firms import SimulatedFirms
from pipeline.simulation.participation import Participation
from pipeline.simulation.untreated import Untreated, autoregression, jobs, untreated_growth

MEAN_LOG_RENT, SD_LOG_RENT = np.log(6.0), 0.4  # US$ per square metre and month
SHOCK_SD_LOG = 0.1
# Shocks of the place move rents half as much as sales.
RENT_PER_CLUSTER_SHOCK = 0.5


@dataclass(frozen=True)
class Outcomes:
    """Hold outcomes in levels, shape (firms, years): US$ thousand, jobs, US$ thousand, flag."""

    sales: Floats
    employment: Floats
    exports: Floats
    alive: Flags


def disturb_untreated(
    settings: Simulation, untreated: Untreated, participation: Participation, years: Integers
) -> Untreated:
    """Give participants the untreated paths that break parallel trends, where settings ask."""
    event_time = _event_time(participation.entry_year, years)
    drift = participants_drift(settings, participation, years)
    dip = np.log1p(-settings.entry_dip_percent / 100)
    dip_log = dip * _just_before(event_time, settings.entry_dip_years)
    return replace(
        untreated,
        log_sales=untreated.log_sales + drift + dip_log,
        log_employment=untreated.log_employment + drift,
    )


def participants_drift(
    settings: Simulation, participation: Participation, years: Integers
) -> Floats:
    """Return the log growth that participants have beyond others without the programme."""
    slope = settings.treated_trend_percent_per_year / 100
    return np.asarray(slope * np.nan_to_num(_event_time(participation.entry_year, years)))


def untreated_outcomes(firms: SimulatedFirms, untreated: Untreated) -> Outcomes:
    """Return outcomes in levels without any programme; levels go on after exit."""
    exporting = untreated.exporting_score > untreated.exporting_threshold
    log_exports = untreated.log_sales + firms.log_export_share[:, None]
    return Outcomes(
        sales=np.exp(untreated.log_sales),
        employment=jobs(untreated.log_employment),
        exports=np.where(exporting, np.exp(log_exports), 0.0),
        alive=untreated.alive,
    )


def treated_outcomes(
    settings: Simulation,
    firms: SimulatedFirms,
    untreated: Untreated,
    participation: Participation,
    years: Integers,
    *,
    rng: np.random.Generator,
) -> Outcomes:
    """Return outcomes in levels with the programme, its spillovers and the other programme.

    `untreated` has what else is done to firms, as the effects of others in a cluster programme.
    """
    event_time = _event_time(participation.entry_year, years)
    cohort_factor = _cohort_factors(settings, participation.entry_year)
    factor = (cohort_factor * participation.own_factor)[:, None]
    effects = settings.effects
    around = _effects_around(settings, participation, years)
    early = np.log1p(settings.anticipation_percent / 100)
    early_log = early * _just_before(event_time, settings.anticipation_years)
    sales_log = factor * _log_profile(effects.sales_percent, event_time) + early_log + around
    jobs_log = factor * _log_profile(effects.employment_percent, event_time) + around
    value_log = factor * _log_profile(effects.export_value_percent, event_time)
    entered = factor * _profile(effects.exporting_points, event_time) / 100
    saved = factor * _profile(effects.survival_points, event_time) / 100
    log_exports = untreated.log_sales + firms.log_export_share[:, None] + value_log
    return Outcomes(
        sales=np.exp(untreated.log_sales + sales_log),
        employment=jobs(untreated.log_employment + jobs_log),
        exports=np.where(_exporting(untreated, entered), np.exp(log_exports), 0.0),
        alive=_draw_rescues(settings, untreated, saved, event_time, rng=rng),
    )


def _event_time(entry_year: Floats, years: Integers) -> Floats:
    return np.asarray(years - entry_year[:, None])


def _just_before(event_time: Floats, count: int) -> Flags:
    return np.asarray((event_time >= -count) & (event_time <= -1))


def _profile(profile: Sequence[float], event_time: Floats) -> Floats:
    """Look up a profile by event time: 0 before entry and for nobody, the last value after it."""
    place = np.nan_to_num(event_time, nan=-1).clip(-1, len(profile) - 1).astype(np.int64)
    return np.array([*profile, 0.0])[place]


def _log_profile(percent: Sequence[float], event_time: Floats) -> Floats:
    return _profile(list(np.log1p(np.array(percent) / 100)), event_time)


def _cohort_factors(settings: Simulation, entry_year: Floats) -> Floats:
    cohorts = np.array(settings.cohort_years)
    place = np.searchsorted(cohorts, np.nan_to_num(entry_year, nan=cohorts[0]))
    return np.array(settings.cohort_effect_factors, dtype=np.float64)[place]


def _effects_around(settings: Simulation, participation: Participation, years: Integers) -> Floats:
    """Return the log effects of participating neighbours and of the other programme."""
    near = _event_time(participation.neighbour_entry_year, years) >= 0
    other = _event_time(participation.other_entry_year, years) >= 0
    return np.asarray(
        np.log1p(settings.spillover_percent / 100) * near
        + np.log1p(settings.other_programme_percent / 100) * other
    )


def _exporting(untreated: Untreated, entered: Floats) -> Flags:
    """Lower each firm's threshold so that its chance to export rises by the share `entered`."""
    from scipy.special import ndtr, ndtri

    share = ndtr(-untreated.exporting_threshold) + entered
    with_programme = np.where(
        entered == 0, untreated.exporting_threshold, -ndtri(share.clip(0.0, 1.0))
    )
    return np.asarray(untreated.exporting_score > with_programme)


def _draw_rescues(
    settings: Simulation,
    untreated: Untreated,
    saved: Floats,
    event_time: Floats,
    *,
    rng: np.random.Generator,
) -> Flags:
    """Keep alive some participants that would have exited, the share `saved` of all entrants.

    Of the entrants gone by an event time, whoever they are, a share saved / gone is kept. That
    share never rises again, so that no firm comes back.
    """
    after = event_time > 0
    # The average exit rate, not the firm's own: where bad years drive exit, those saved are weak.
    gone = 1 - (1 - settings.exit_share_per_year) ** np.where(after, event_time, 0.0)
    kept = np.where(after, saved / np.where(gone > 0, gone, 1.0), 1.0)
    kept = np.minimum.accumulate(kept, axis=1)
    draw = rng.random((len(saved), 1))
    return np.asarray(untreated.alive | (after & (draw < kept)))


def draw_rents(
    settings: Simulation,
    firms: SimulatedFirms,
    participation: Participation,
    years: Integers,
    rng: np.random.Generator,
) -> Floats:
    """Draw the rent of each firm's premises, US$ per square metre and month, (firms, years).

    An outcome that the programme cannot move, for a negative control. Rents follow what makes firms
    grow without the programme: the trends that characteristics bring, shocks of the place, and
    whatever breaks parallel trends, so that an effect on them is a fault of the comparison.
    """
    clusters = settings.municipalities * settings.sectors
    shape = settings.firms, len(years)
    persistence = settings.shock_persistence
    place = autoregression(rng.standard_normal((clusters, len(years))), persistence)
    place_sd_log = RENT_PER_CLUSTER_SHOCK * settings.cluster_shock_sd_log
    level = rng.normal(MEAN_LOG_RENT, SD_LOG_RENT, settings.firms)[:, None]
    own = autoregression(rng.standard_normal(shape), persistence)
    growth = untreated_growth(settings, firms, years)
    growth += participants_drift(settings, participation, years)
    return np.asarray(
        np.exp(level + growth + place_sd_log * place[firms.cluster] + SHOCK_SD_LOG * own)
    )
