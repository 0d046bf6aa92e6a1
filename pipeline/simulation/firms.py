"""Firms of a simulated programme: where they are, what a score could observe, and their size."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.params.simulation import CovariateWeights, Simulation

MEAN_AGE_YEARS, SD_AGE_YEARS = 15.0, 6.0
FOREIGN_SHARE = 0.12
MEAN_EDUCATION_YEARS, SD_EDUCATION_YEARS = 12.0, 3.0
MEAN_DISTANCE_KM, SD_DISTANCE_KM = 30.0, 12.0
MEAN_LOG_EMPLOYMENT, SD_LOG_EMPLOYMENT = 2.6, 0.8
MEAN_LOG_PRODUCTIVITY, SD_LOG_PRODUCTIVITY = 3.2, 0.5  # US$ thousand of sales per job
MEAN_LOG_EXPORT_SHARE, SD_LOG_EXPORT_SHARE = np.log(0.2), 0.6
REGIONS = 5


@dataclass(frozen=True)
class SimulatedFirms:
    """Hold one value per firm; arrays of shape (firms,), all fixed over time."""

    municipality: Integers
    sector: Integers
    cluster: Integers
    founding_year: Integers
    foreign_owned: Flags
    manager_education_years: Integers
    distance_km: Floats
    log_employment_level: Floats
    log_sales_level: Floats
    log_export_share: Floats
    unobserved_trend: Floats


def draw_firms(settings: Simulation, rng: np.random.Generator) -> SimulatedFirms:
    """Draw the firms.

    Returns arrays of length `settings.firms`; the size of a firm depends on its characteristics,
    `unobserved_trend` is in standard deviations.
    """
    n = settings.firms
    municipality = rng.choice(
        settings.municipalities, n, p=_uneven_shares(settings.municipalities, rng)
    )
    sector = rng.choice(settings.sectors, n, p=_uneven_shares(settings.sectors, rng))
    founding_year = _draw_founding_years(settings, rng)
    foreign = rng.random(n) < FOREIGN_SHARE
    education = np.rint(rng.normal(MEAN_EDUCATION_YEARS, SD_EDUCATION_YEARS, n)).clip(3, 21)
    employment = rng.normal(MEAN_LOG_EMPLOYMENT, SD_LOG_EMPLOYMENT, n) + 0.5 * foreign
    employment += 0.05 * (education - MEAN_EDUCATION_YEARS)
    export_share = rng.normal(MEAN_LOG_EXPORT_SHARE, SD_LOG_EXPORT_SHARE, n)
    return SimulatedFirms(
        municipality=municipality,
        sector=sector,
        cluster=municipality * settings.sectors + sector,
        founding_year=founding_year,
        foreign_owned=foreign,
        manager_education_years=education.astype(np.int64),
        distance_km=rng.normal(MEAN_DISTANCE_KM, SD_DISTANCE_KM, n).clip(0.5).round(1),
        log_employment_level=employment,
        log_sales_level=employment + rng.normal(MEAN_LOG_PRODUCTIVITY, SD_LOG_PRODUCTIVITY, n),
        log_export_share=np.minimum(export_share, np.log(0.8)),
        unobserved_trend=rng.standard_normal(n),
    )


def weigh_covariates(firms: SimulatedFirms, weights: CovariateWeights, first_year: int) -> Floats:
    """Return the weighted sum of characteristics, each minus its usual value, shape (firms,)."""
    age = first_year - firms.founding_year
    return np.asarray(
        weights.age_years * (age - MEAN_AGE_YEARS)
        + weights.foreign_owned * (firms.foreign_owned - FOREIGN_SHARE)
        + weights.manager_education_years * (firms.manager_education_years - MEAN_EDUCATION_YEARS)
        + weights.distance_km * (firms.distance_km - MEAN_DISTANCE_KM)
    )


def _draw_founding_years(settings: Simulation, rng: np.random.Generator) -> Integers:
    """Draw founding years: most before the panel, the rest spread over its later years."""
    n = settings.firms
    age = np.rint(rng.normal(MEAN_AGE_YEARS, SD_AGE_YEARS, n)).clip(0)
    after = rng.integers(settings.first_year + 1, settings.last_year + 1, n)
    late = rng.random(n) < settings.born_late_share
    return np.where(late, after, settings.first_year - age).astype(np.int64)


def _uneven_shares(count: int, rng: np.random.Generator) -> Floats:
    weights = rng.lognormal(0.0, 0.3, count)
    return np.asarray(weights / weights.sum())
