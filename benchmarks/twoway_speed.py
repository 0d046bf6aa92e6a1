"""Time flat two-way fixed effects against pyfixest and linearmodels, side by side.

    python -m benchmarks.twoway_speed --peer pyfixest=<python>

All start from the same arrays in memory: firms x 10 years, staggered entry, firm and year effects,
errors clustered by 2,000 clusters. `--sizes` are firm-years. linearmodels, which estimates the row
of ordinary studies, runs in this interpreter, up to a million firm-years.
"""

import numpy as np

from benchmarks.result_file import HERE
from benchmarks.side_by_side import Comparison, Figures, Side, compare

YEARS = 10
CLUSTERS = 2_000


def simulate(n_rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(20261124)
    n_firms = n_rows // YEARS
    cluster = rng.integers(0, CLUSTERS, n_firms)
    first = rng.choice([4.0, 6.0, 8.0, np.inf], n_firms, p=[0.1, 0.1, 0.1, 0.7])
    year = np.arange(1, YEARS + 1)
    shock = rng.normal(size=(CLUSTERS, YEARS))[cluster]
    y = rng.normal(size=(n_firms, YEARS)) + 0.5 * shock + rng.normal(size=n_firms)[:, None]
    y += 0.1 * (year >= first[:, None])
    return {
        "firm": np.repeat(np.arange(n_firms), YEARS),
        "year": np.tile(year, n_firms),
        "cluster": np.repeat(cluster, YEARS),
        "first": np.repeat(first, YEARS),
        "y": y.ravel(),
    }


def clustered(fit) -> Figures:
    """Return the estimate and the standard error of a result of a single term."""
    from pipeline.inference.analytic import infer

    inferred = infer(fit, "assignment")
    return {"att": [float(inferred.estimated.estimates[0]), float(inferred.std_errors[0])]}


def seen_of(data: dict[str, np.ndarray]):
    """Return the rows as results hold them; every firm has `YEARS` of them."""
    from pipeline.effects.estimated import Seen

    treated = np.isfinite(data["first"])
    return Seen(data["firm"], treated, assignment=data["cluster"][::YEARS])


def ours(data: dict[str, np.ndarray]) -> Figures:
    from pipeline.estimators.twoway_by_arrays import solve_by_arrays

    return _solved_by(solve_by_arrays, data)


def linearmodels(data: dict[str, np.ndarray]) -> Figures:
    from pipeline.estimators import twoway_by_linearmodels

    twoway_by_linearmodels.MOST_ROWS = len(data["y"])
    return _solved_by(twoway_by_linearmodels.solve_by_linearmodels, data)


def _solved_by(solve, data: dict[str, np.ndarray]) -> Figures:
    from pipeline.effects.least_squares import as_estimated
    from pipeline.effects.terms import ATT

    post = (data["year"] >= data["first"]).astype(np.float64)[:, None]
    solved = solve(data["y"], post, data["firm"], data["year"] - 1, np.ones(len(post)))
    return clustered(as_estimated(solved, [ATT], seen_of(data)))


def pyfixest(data: dict[str, np.ndarray]) -> Figures:
    import pandas as pd
    import pyfixest as package

    table = pd.DataFrame(data).assign(post=(data["year"] >= data["first"]).astype(float))
    fit = package.feols("y ~ post | firm + year", table, vcov={"CRV1": "cluster"})
    return {"att": [float(fit.coef()["post"]), float(fit.se()["post"])]}


COMPARISON = Comparison(
    name="twoway_speed",
    what="flat two-way fixed effects, 10 years, errors by 2,000 clusters",
    counted="firm-years",
    simulate=simulate,
    sides={
        HERE: Side(ours, ("numpy", "pandas", "scipy"), own=True),
        "linearmodels": Side(linearmodels, ("linearmodels",), most=1_000_000, own=True),
        "pyfixest": Side(pyfixest, ("pyfixest", "numpy", "pandas")),
    },
    size=10_000_000,
)

if __name__ == "__main__":
    compare(COMPARISON, __doc__)
