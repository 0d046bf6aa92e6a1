"""Time who is exposed to participants by distance: `python -m benchmarks.exposure`.

From PANEL in memory (two years a firm, rings of 5, 20 and 50 km) to EXPOSURE and EXPOSED, on two
layouts of as many different places: uniform over a country of 1,300 by 2,000 km, and around 300
towns of unequal size (standard deviation 5 km). In the northern half 5 percent of firms take part,
in five entry years.
"""

import numpy as np
import pandas as pd

from benchmarks.side_by_side import Comparison, Side, compare

ENTRY_YEARS, SHARE = (2003, 2004, 2005, 2006, 2007), 0.05
SOUTH, MIDDLE, NORTH, WEST, EAST = -18.0, -9.0, 0.0, -81.0, -69.0
TOWNS, SD_DEGREES = 300, 0.045
RULE = {
    "kind": "ring",
    "latitude": "latitude",
    "longitude": "longitude",
    "edges_km": [5.0, 20.0, 50.0],
    "precision_km": 0.1,
}


def simulate(n_firms: int) -> dict[str, pd.DataFrame]:
    """Return PANEL on both layouts."""
    rng = np.random.default_rng(20261129)
    around = uniform(TOWNS, rng)
    weight = 1 / np.arange(1, TOWNS + 1)
    town = rng.choice(TOWNS, n_firms, p=weight / weight.sum())
    towns = around[town] + rng.normal(0, SD_DEGREES, (n_firms, 2))
    return {"uniform": panel(uniform(n_firms, rng), rng), "towns": panel(towns, rng)}


def uniform(n: int, rng: np.random.Generator) -> np.ndarray:
    return np.column_stack([rng.uniform(SOUTH, NORTH, n), rng.uniform(WEST, EAST, n)])


def panel(places: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    n = len(places)
    joins = (rng.random(n) < SHARE) & (places[:, 0] > MIDDLE)
    entry = np.where(joins, rng.choice(ENTRY_YEARS, n), np.nan)
    firms = pd.DataFrame(
        {
            "firm_id": pd.Series(np.arange(n)).astype("str"),
            "cohort": pd.array(entry, dtype="Int64"),
            "cluster": pd.Series(rng.integers(0, 2000, n)).astype("str"),
            "latitude": places[:, 0],
            "longitude": places[:, 1],
        }
    )
    years = pd.concat([firms.assign(year=year) for year in (2002, 2003)], ignore_index=True)
    return years.astype({"year": "Int64"})


def rings(given: pd.DataFrame) -> None:
    """Say which firms are in which ring."""
    from pydantic import TypeAdapter

    from pipeline.params.exposure import Exposures
    from pipeline.selection.exposure import exposure_tables

    exposure_tables(given, TypeAdapter(Exposures).validate_python({"rings": RULE}))


PACKAGES = ("numpy", "pandas", "scikit-learn")

COMPARISON = Comparison(
    name="exposure",
    what="exposure in rings of 5, 20 and 50 km",
    counted="firms",
    simulate=simulate,
    sides={
        "uniform": Side(lambda data: rings(data["uniform"]), PACKAGES, own=True),
        "300 towns": Side(lambda data: rings(data["towns"]), PACKAGES, own=True),
    },
    size=1_000_000,
)

if __name__ == "__main__":
    compare(COMPARISON, __doc__)
