"""Untreated paths of a simulated programme: what each firm would do if nobody were treated."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.params.simulation import Simulation
from pipeline.simulation.firms import (
    MEAN_LOG_EMPLOYMENT,
    SD_LOG_EMPLOYMENT,
    SimulatedFirms,
    weigh_covariates,
)

COMMON_GROWTH_LOG = 0.02
EXPORTING_PER_SIZE_SD = 0.5
JOBS_PER_SALES_SHOCK = 0.5  # sector and cluster shocks move jobs half as much as sales


@dataclass(frozen=True)
class Untreated:
    """Hold untreated paths; arrays of shape (firms, years) except `exporting_threshold`.

    Sales in log US$ thousand, employment in log jobs before rounding. A firm exports in a year
    when `exporting_score`, standard normal, exceeds `exporting_threshold` (firms, 1).
    """

    log_sales: Floats
    log_employment: Floats
    exporting_score: Floats
    exporting_threshold: Floats
    alive: Flags


def draw_untreated(
    settings: Simulation, firms: SimulatedFirms, years: Integers, rng: np.random.Generator
) -> Untreated:
    """Draw untreated sales, jobs, exporting and survival, shapes (firms, years).

    Logs are a firm level, a trend linear in observed characteristics, sector x year and
    cluster x year shocks, and a mean-reverting shock.
    """
    shape = settings.firms, len(years)
    trend = untreated_growth(settings, firms, years)
    common = _draw_common_shocks(settings, firms, len(years), rng)
    sales_shock, jobs_shock = _draw_firm_shocks(settings, len(years), rng)
    sales = trend + common + settings.sales_shock_sd_log * sales_shock
    employment = trend + JOBS_PER_SALES_SHOCK * common
    employment += settings.employment_shock_sd_log * jobs_shock
    return Untreated(
        log_sales=firms.log_sales_level[:, None] + sales,
        log_employment=firms.log_employment_level[:, None] + employment,
        exporting_score=autoregression(rng.standard_normal(shape), settings.exporting_persistence),
        exporting_threshold=_exporting_threshold(settings, firms)[:, None],
        alive=_draw_survival(firms, _exit_shares(settings, sales_shock), years, rng),
    )


def autoregression(innovations: Floats, persistence: float) -> Floats:
    """Turn standard normal draws, one column a year, into a stationary AR(1) of unit variance."""
    path = innovations.copy()
    scale = np.sqrt(1 - persistence**2)
    for year in range(1, path.shape[1]):
        path[:, year] = persistence * path[:, year - 1] + scale * innovations[:, year]
    return path


def jobs(log_employment: Floats) -> Floats:
    """Round to whole jobs, at least the owner's."""
    return np.maximum(np.rint(np.exp(log_employment)), 1.0)


def untreated_growth(settings: Simulation, firms: SimulatedFirms, years: Integers) -> Floats:
    """Return log growth since the first year, linear in characteristics, (firms, years)."""
    observed = weigh_covariates(firms, settings.trend_percent_per_year, settings.first_year)
    unobserved = settings.unobserved_trend_sd_percent_per_year * firms.unobserved_trend
    slope = COMMON_GROWTH_LOG + (observed + unobserved) / 100
    return np.outer(slope, years - settings.first_year)


def _draw_firm_shocks(
    settings: Simulation, years: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw correlated shocks to sales and jobs, each of unit variance."""
    rho = settings.shock_correlation
    own = rng.standard_normal((2, settings.firms, years))
    jobs_innovation = rho * own[0] + np.sqrt(1 - rho**2) * own[1]
    return (
        autoregression(own[0], settings.shock_persistence),
        autoregression(jobs_innovation, settings.shock_persistence),
    )


def _draw_common_shocks(
    settings: Simulation, firms: SimulatedFirms, years: int, rng: np.random.Generator
) -> Floats:
    """Draw sector x year and cluster x year shocks to log sales, as each firm feels them."""
    clusters = settings.municipalities * settings.sectors
    persistence = settings.shock_persistence
    sector = autoregression(rng.standard_normal((settings.sectors, years)), persistence)
    cluster = autoregression(rng.standard_normal((clusters, years)), persistence)
    return np.asarray(
        settings.sector_shock_sd_log * sector[firms.sector]
        + settings.cluster_shock_sd_log * cluster[firms.cluster]
    )


def _exporting_threshold(settings: Simulation, firms: SimulatedFirms) -> Floats:
    """Set the score above which a firm exports, so that the share of firms is as asked."""
    from scipy.special import ndtri

    size = (firms.log_employment_level - MEAN_LOG_EMPLOYMENT) / SD_LOG_EMPLOYMENT
    pull = EXPORTING_PER_SIZE_SD * (size - size.mean())
    return np.asarray(-ndtri(settings.exporter_share) * np.sqrt(1 + pull.var()) - pull)


def _exit_shares(settings: Simulation, sales_shock: Floats) -> Floats:
    """Return the probability of exit by firm and year, rising after a bad year if so set."""
    response = settings.informative_exit_log_hazard
    bad_year = -np.roll(sales_shock, 1, axis=1)
    # Dividing by the mean of exp keeps the average exit rate, so that only its selectivity moves.
    relative = np.exp(response * bad_year - response**2 / 2)
    return np.asarray((settings.exit_share_per_year * relative).clip(0, 0.9))


def _draw_survival(
    firms: SimulatedFirms, exit_share: Floats, years: Integers, rng: np.random.Generator
) -> Flags:
    born = years >= firms.founding_year[:, None]
    at_risk = (years > firms.founding_year[:, None]) & (years > years[0])
    exits = at_risk & (rng.random(exit_share.shape) < exit_share)
    return np.asarray(born & ~np.logical_or.accumulate(exits, axis=1))
