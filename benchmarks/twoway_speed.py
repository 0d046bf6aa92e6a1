"""Time flat two-way fixed effects against pyfixest, and the two bootstraps, side by side.

    python -m benchmarks.twoway_speed --peer /path/to/python/with/pyfixest

Both start from the same arrays in memory: firms x 10 years, staggered entry, firm and year effects,
errors clustered by 2,000 clusters. Each runs in a process of its own, so that peak memory is its
own. `--rows` is the number of firm-years; where linearmodels takes that many, it runs, too.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

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


def clustered(fit) -> tuple[float, float]:
    """Return the estimate and the standard error of a result of a single term."""
    from pipeline.inference.analytic import infer

    inferred = infer(fit, "assignment")
    return float(inferred.estimated.estimates[0]), float(inferred.std_errors[0])


def seen_of(data: dict[str, np.ndarray]):
    """Return the rows as results hold them; every firm has `YEARS` of them."""
    from pipeline.effects.estimated import Seen

    treated = np.isfinite(data["first"])
    return Seen(data["firm"], treated, assignment=data["cluster"][::YEARS])


def ours(data: dict[str, np.ndarray]) -> tuple[float, float]:
    from pipeline.effects.least_squares import fit_absorbed
    from pipeline.effects.terms import ATT

    post = (data["year"] >= data["first"]).astype(np.float64)[:, None]
    fit = fit_absorbed(
        data["y"],
        post,
        [ATT],
        first=data["firm"],
        second=data["year"] - 1,
        weight=np.ones(len(post)),
        seen=seen_of(data),
    )
    return clustered(fit)


def linearmodels(data: dict[str, np.ndarray]) -> tuple[float, float]:
    from pipeline.effects.least_squares import as_estimated
    from pipeline.effects.terms import ATT
    from pipeline.estimators.twoway_by_linearmodels import solve_by_linearmodels

    post = (data["year"] >= data["first"]).astype(np.float64)[:, None]
    effects = (data["firm"], data["year"] - 1, np.ones(len(post)))
    solved = solve_by_linearmodels(data["y"], post, *effects)
    assert solved is not None
    return clustered(as_estimated(solved, [ATT], seen_of(data)))


def peer(data: dict[str, np.ndarray]) -> tuple[float, float]:
    import pandas as pd
    import pyfixest

    table = pd.DataFrame(data).assign(post=(data["year"] >= data["first"]).astype(float))
    fit = pyfixest.feols("y ~ post | firm + year", table, vcov={"CRV1": "cluster"})
    return float(fit.coef()["post"]), float(fit.se()["post"])


RUNS = {"ours": ours, "linearmodels": linearmodels, "peer": peer}


def run_one(which: str, n_rows: int) -> None:
    data = simulate(n_rows)
    started = time.perf_counter()
    estimate, error = RUNS[which](data)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": seconds, "peak": peak, "figures": [estimate, error]}))


def band(estimates: int) -> float:
    """Return the seconds of a simultaneous band, directions included."""
    from pipeline.inference.bands import simultaneous_critical_value

    started = time.perf_counter()
    simultaneous_critical_value(np.eye(estimates) + 1, 20, 0.95)
    return time.perf_counter() - started


def wild_draws(n_clusters: int = 50, draws: int = 999) -> float:
    """Return the seconds of a restricted wild bootstrap of 20,000 firm-years, interval included."""
    from pipeline.effects.absorb import dense_codes
    from pipeline.effects.regression import absorb
    from pipeline.inference.wild_bootstrap import sums_for_draws, wild_test

    data = simulate(20_000)
    cluster = data["cluster"] % n_clusters
    post = (data["year"] >= data["first"]).astype(np.float64)[:, None]
    started = time.perf_counter()
    absorbed = absorb(post, data["firm"], data["year"] - 1, np.ones(len(post)))
    kept = absorbed.kept
    sums = sums_for_draws(data["y"][kept], post[kept], absorbed.effects, dense_codes(cluster[kept]))
    wild_test(sums, 0.95, draws, np.random.default_rng(3))
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", help="interpreter in which pyfixest is installed")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--run", choices=list(RUNS))
    options = parser.parse_args()
    if options.run:
        run_one(options.run, options.rows)
        return
    from pipeline.estimators.twoway_by_linearmodels import MOST_ROWS

    results = {}
    pythons = {"ours": sys.executable, "linearmodels": sys.executable, "peer": options.peer}
    for which, python in pythons.items():
        if python is None or (which == "linearmodels" and options.rows > MOST_ROWS):
            continue
        command = [
            python,
            "-m",
            "benchmarks.twoway_speed",
            "--run",
            which,
            "--rows",
            str(options.rows),
        ]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        results[which] = json.loads(printed.splitlines()[-1])
        print(f"{which}: {results[which]['seconds']:.1f} s, peak {results[which]['peak']:.2f} GB")
    for which in results.keys() - {"ours"}:
        gap = np.abs(np.subtract(results["ours"]["figures"], results[which]["figures"])).max()
        ratio = results[which]["seconds"] / results["ours"]["seconds"]
        name = "pyfixest" if which == "peer" else which
        print(f"{name} takes {ratio:.2f} times as long, largest difference {gap:.1e}")
    for estimates in (8, 40):
        print(f"simultaneous band of {estimates} estimates: {band(estimates):.2f} s")
    print(f"999 wild bootstrap draws, 50 clusters: {wild_draws():.2f} s")


if __name__ == "__main__":
    main()
