"""Time doubly robust group-time effects against the Python package diff-diff, side by side.

    python -m benchmarks.group_time_speed --peer /path/to/python/with/diff-diff

Both start from the same long table in memory: firms x 10 years, three cohorts, two covariates,
never-treated comparison, event averages with analytic standard errors. Each runs in a process of
its own, so that peak memory is its own, and once on few firms before the clock starts, so that
loading packages is not timed. The two take turns; medians are shown.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pandas as pd

YEARS = 10
COHORTS = (4.0, 6.0, 8.0)
WARM_UP_FIRMS = 2_000


def simulate(n_firms: int) -> pd.DataFrame:
    rng = np.random.default_rng(20261123)
    first = rng.choice([*COHORTS, np.inf], n_firms, p=[0.1, 0.1, 0.1, 0.7])
    x1 = rng.normal(size=n_firms) + 0.3 * np.isfinite(first)
    x2 = rng.normal(size=n_firms)
    year = np.arange(1, YEARS + 1)
    y = rng.normal(size=(n_firms, YEARS)) + x1[:, None] * year / 10
    y += rng.normal(size=n_firms)[:, None] + 0.5 * (year >= first[:, None])
    return pd.DataFrame(
        {
            "firm": np.repeat(np.arange(n_firms), YEARS),
            "year": np.tile(year, n_firms),
            "first_treated": np.repeat(np.where(np.isinf(first), 0, first), YEARS),
            "x1": np.repeat(x1, YEARS),
            "x2": np.repeat(x2, YEARS),
            "y": y.ravel(),
        }
    )


def ours(data: pd.DataFrame) -> dict[str, tuple[float, float]]:
    from pipeline.estimators.group_time.cohort_sample import CohortSample
    from pipeline.estimators.group_time.group_time import GroupTimeRules, group_time_effects
    from pipeline.estimators.group_time.group_time_averages import event_averages
    from pipeline.inference.analytic import infer
    from pipeline.panel.panel_index import index_panel

    row = index_panel(data.rename(columns={"firm": "firm_id"})).row
    y = np.asfortranarray(data["y"].to_numpy()[row])
    first = data["first_treated"].to_numpy()[row[:, 0]]
    first = np.where(first == 0, np.inf, first)
    columns = np.column_stack([np.ones(len(row)), data[["x1", "x2"]].to_numpy()[row[:, 0]]])
    samples = []
    for cohort in COHORTS:
        firm = np.flatnonzero((first == cohort) | np.isinf(first))
        sample = CohortSample(
            cohort=int(cohort),
            years=np.arange(1, YEARS + 1),
            firm=firm,
            cluster=firm,
            treated=first[firm] == cohort,
            treated_from=first[firm],
            weight=np.ones(len(firm)),
            y=np.asfortranarray(y[firm]),
            columns=columns[firm],
        )
        samples.append(sample)
    effects = group_time_effects(samples, GroupTimeRules("doubly_robust", "varying", 0))
    inferred = infer(event_averages(effects), "firm")
    estimated = inferred.estimated
    pairs = zip(estimated.estimates.tolist(), inferred.std_errors.tolist(), strict=True)
    return {str(term.event_time): pair for term, pair in zip(estimated.terms, pairs, strict=True)}


def peer(data: pd.DataFrame) -> dict[str, tuple[float, float]]:
    from diff_diff import CallawaySantAnna

    model = CallawaySantAnna(control_group="never_treated", estimation_method="dr", n_bootstrap=0)
    found = model.fit(
        data,
        outcome="y",
        unit="firm",
        time="year",
        first_treat="first_treated",
        covariates=["x1", "x2"],
        aggregate="event_study",
    )
    return {
        str(int(e)): (float(v["effect"]), float(v["se"]))
        for e, v in found.event_study_effects.items()
    }


def run_one(which: str, n_firms: int) -> None:
    estimator = {"ours": ours, "peer": peer}[which]
    estimator(simulate(WARM_UP_FIRMS))
    data = simulate(n_firms)
    started = time.perf_counter()
    found = estimator(data)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "peak": peak / 2**20, "events": found}))


def measure(python: str, which: str, n_firms: int) -> dict[str, Any]:
    """Return what one run in a process of its own prints."""
    command = [python, __file__, "--run", which, "--firms", str(n_firms)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(printed.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", help="interpreter in which diff-diff is installed")
    parser.add_argument("--firms", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--run", choices=["ours", "peer"])
    options = parser.parse_args()
    if options.run:
        run_one(options.run, options.firms)
        return
    pythons = {"ours": sys.executable, "peer": options.peer or sys.executable}
    runs: dict[str, list[dict[str, Any]]] = {which: [] for which in pythons}
    for _ in range(options.repeats):
        for which, python in pythons.items():
            runs[which].append(measure(python, which, options.firms))
    seconds = {which: statistics.median(run["seconds"] for run in runs[which]) for which in runs}
    peak = {which: statistics.median(run["peak"] for run in runs[which]) for which in runs}
    for which in runs:
        print(f"{which}: {seconds[which]:.1f} s, peak {peak[which]:.2f} GB")
    ours_found, peer_found = runs["ours"][0]["events"], runs["peer"][0]["events"]
    shared = ours_found.keys() & peer_found.keys()
    gap = max(abs(np.subtract(ours_found[e], peer_found[e])).max() for e in shared)
    ratio = seconds["peer"] / seconds["ours"]
    memory = peak["ours"] / peak["peer"]
    print(f"{ratio:.1f} times faster, {memory:.2f} of its memory, largest difference {gap:.1e}")
    print(f"event times compared: {len(shared)}")


if __name__ == "__main__":
    main()
