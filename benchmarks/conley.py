"""Time spatial errors: `python -m benchmarks.conley`.

The uniform kernel of 50 km over influences of firms on eight estimates, each layout in a process of
its own: firms uniform over a country of 1,000 x 1,000 km, and in 300 towns there, about whose
centres they are normal with 3 km in each direction (drawn and measured as on a map on the
equator). Firms at the centres of their towns are 300 places. The Bartlett kernel takes fewer
firms: above 500,000 over the country it has more pairs of places than it takes.
"""

import numpy as np

from benchmarks.side_by_side import Comparison, Side, compare

KM, SIDE, TOWNS, TOWN_KM, ESTIMATES, CUTOFF = 180 / (np.pi * 6371.01), 1000, 300, 3, 8, 50
BARTLETT = 500_000

# Influences, centres of towns and the town of each firm, in km; places in the country.
Drawn = dict[str, np.ndarray]


def simulate(firms: int) -> Drawn:
    """Draw influences, and where firms are in each layout, as km east and north."""
    rng = np.random.default_rng(1)
    centres = rng.uniform(-SIDE / 2, SIDE / 2, (TOWNS, 2))[rng.integers(0, TOWNS, firms)]
    return {
        "influence": rng.normal(size=(firms, ESTIMATES)),
        "country": rng.uniform(-SIDE / 2, SIDE / 2, (firms, 2)),
        "towns": centres + rng.normal(0, TOWN_KM, (firms, 2)),
        "centres": centres,
    }


def errors(data: Drawn, layout: str, kernel: str = "uniform") -> None:
    """Give the covariance of all firms in one layout."""
    from pipeline.inference.conley import conley_covariance
    from pipeline.params.inference import Conley

    east, north = KM * data[layout].T
    asked = Conley.model_validate({"cutoff_km": CUTOFF, "kernel": kernel})
    conley_covariance(data["influence"], north, east, asked)


PACKAGES = ("numpy", "scikit-learn")

COMPARISON = Comparison(
    name="conley",
    what="spatial errors, 50 km, 8 estimates",
    counted="firms",
    simulate=simulate,
    sides={
        "uniform country": Side(lambda data: errors(data, "country"), PACKAGES, own=True),
        "300 towns": Side(lambda data: errors(data, "towns"), PACKAGES, own=True),
        "300 centres": Side(lambda data: errors(data, "centres"), PACKAGES, own=True),
        "Bartlett, country": Side(
            lambda data: errors(data, "country", "bartlett"), PACKAGES, most=BARTLETT, own=True
        ),
    },
    size=1_000_000,
)

if __name__ == "__main__":
    compare(COMPARISON, __doc__)
