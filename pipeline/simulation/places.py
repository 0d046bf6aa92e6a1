"""Where the firms of a simulated cluster programme are, and which sectors are tradable."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.params.simulation import ClusterProgramme, Simulation
from pipeline.simulation.firms import SimulatedFirms

# The middle of the country, and km of a degree on a sphere of R = 6371.01 km.
MIDDLE_LATITUDE, MIDDLE_LONGITUDE = -9.0, -75.0
KM_PER_DEGREE = np.pi * 6371.01 / 180
# FirmPlaces are delivered to the nearest metre.
DEGREE_DECIMALS = 5


@dataclass(frozen=True)
class FirmPlaces:
    """Hold decimal degrees and whether the sector is tradable, shape (firms,)."""

    latitude: Floats
    longitude: Floats
    tradable: Flags


def draw_places(
    settings: Simulation,
    programme: ClusterProgramme,
    firms: SimulatedFirms,
    rng: np.random.Generator,
) -> FirmPlaces:
    """Scatter municipalities over a square, and firms around the centre of theirs."""
    half = programme.country_km / 2
    centre = rng.uniform(-half, half, (settings.municipalities, 2))
    around = rng.normal(0.0, programme.municipality_sd_km, (settings.firms, 2))
    north, east = (centre[firms.municipality] + around).T
    latitude = MIDDLE_LATITUDE + north / KM_PER_DEGREE
    longitude = MIDDLE_LONGITUDE + east / (KM_PER_DEGREE * np.cos(np.radians(latitude)))
    return FirmPlaces(
        latitude=latitude.round(DEGREE_DECIMALS),
        longitude=longitude.round(DEGREE_DECIMALS),
        tradable=firms.sector < programme.tradable_sectors,
    )
