"""The grid on which group-time effects are compared with other packages, and its data."""

from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

MPDTA = Path(__file__).parent.parent / "tests" / "reference" / "mpdta.csv"
METHODS = ("outcome_regression", "ipw", "doubly_robust", "doubly_robust_improved")
BALANCED_LAST_EVENT_TIME = 1


@dataclass(frozen=True)
class Options:
    """Hold one run: data, gaps, method, comparison, base, anticipation, weights, clusters.

    `difference` has no covariates. `gaps` is `none`, or the rule for the panel with gaps.
    """

    data: str
    gaps: str
    method: str
    control: str
    base: str
    anticipation: int
    weighted: bool
    clustered: bool

    @property
    def name(self) -> str:
        """Return all options in one line."""
        return " ".join(str(value) for value in asdict(self).values())


def grid() -> list[Options]:
    """Return every run: all options crossed on the simulated panel, fewer on the others."""
    controls, bases = ("never_treated", "not_yet_treated"), ("varying", "universal")
    methods = ("difference", *METHODS)
    runs = [
        Options("simulated", "none", *options, clustered=False)
        for options in product(methods, controls, bases, (0, 1, 2), (False, True))
    ]
    runs += [
        Options("mpdta", "none", *options)
        for options in product(methods, controls, bases, (0, 1), (False, True), (False, True))
    ]
    runs += [
        Options("with_gaps", gaps, *options)
        for gaps in ("pairs", "balanced", "every_row")
        for options in product(
            methods, controls, ("varying",), (0, 1), (False, True), (False, True)
        )
    ]
    return runs


def table(name: str) -> pd.DataFrame:
    """Return a long panel: firm, year, first (0 for never), y, x1, weight, cluster."""
    if name == "mpdta":
        data = pd.read_csv(MPDTA)
        return pd.DataFrame(
            {
                "firm": data["countyreal"],
                "year": data["year"],
                "first": data["first.treat"],
                "y": data["lemp"],
                "x1": data["lpop"],
                "weight": 1 + data["countyreal"] % 13 / 10,
                "cluster": data["countyreal"] // 1000,
            }
        )
    long = simulate()
    if name == "simulated":
        return long
    rng = np.random.default_rng(7)
    return long[rng.random(len(long)) > 0.12].reset_index(drop=True)


def simulate(n_firms: int = 500, years: int = 8) -> pd.DataFrame:
    """Return a balanced panel with three entry years, effects that grow, 25 clusters."""
    rng = np.random.default_rng(20261124)
    firm, year = np.arange(n_firms), np.arange(1, years + 1)
    x1 = rng.normal(size=n_firms)
    score = np.column_stack([np.zeros(n_firms), 0.4 * x1 - 1, 0.3 * x1 - 1, -0.2 * x1 - 1])
    first = np.array([0, 4, 5, 7])[(score + rng.gumbel(size=score.shape)).argmax(axis=1)]
    cluster = rng.integers(0, 25, n_firms)
    y = rng.normal(size=(n_firms, years)) + 0.5 * rng.normal(size=(25, years))[cluster]
    y += rng.normal(size=n_firms)[:, None] + 0.2 * x1[:, None] * year
    since = year - first[:, None]
    y += np.where((first > 0)[:, None] & (since >= 0), 0.3 + 0.1 * since, 0.0)
    return pd.DataFrame(
        {
            "firm": np.repeat(firm, years),
            "year": np.tile(year, n_firms),
            "first": np.repeat(first, years),
            "y": y.ravel(),
            "x1": np.repeat(x1, years),
            "weight": np.repeat(rng.uniform(0.5, 2, n_firms), years),
            "cluster": np.repeat(cluster, years),
        }
    )
