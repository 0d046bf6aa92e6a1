"""Rents of a simulated programme: an outcome that it cannot move, for a negative control.

Rents follow what makes firms grow without the programme: the trends that characteristics bring,
shocks of the place, and whatever breaks parallel trends. They follow nothing that the programme
does, so that an effect on them is a fault of the comparison.
"""

import numpy as np

from pipeline.datasets.arrays import Floats, Integers
from pipeline.params.simulation import Simulation
from pipeline.simulation.firms import SimulatedFirms
from pipeline.simulation.outcomes import participants_drift
from pipeline.simulation.participation import Participation
from pipeline.simulation.untreated import autoregression, untreated_growth

MEAN_LOG_RENT, SD_LOG_RENT = np.log(6.0), 0.4  # US$ per square metre and month
SHOCK_SD_LOG = 0.1
# Shocks of the place move rents half as much as sales.
RENT_PER_CLUSTER_SHOCK = 0.5


def draw_rents(
    settings: Simulation,
    firms: SimulatedFirms,
    participation: Participation,
    years: Integers,
    rng: np.random.Generator,
) -> Floats:
    """Draw the rent of each firm's premises, US$ per square metre and month, (firms, years)."""
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
