"""Seconds and peak memory from raw Parquet to report.html: `python -m benchmarks.endtoend`.

Simulates firms and a programme at each size, writes them as Parquet, and runs every stage of
`benchmarks/large.yaml` as its own process in a temporary folder. `--firms` names the sizes, each
observed for up to 10 years; the exponent is the slope of log seconds on log rows between sizes.
Times are wall-clock on this machine, noisy on a shared one.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from pipeline.params.settings import load_yaml
from pipeline.params.simulation import Simulation
from pipeline.simulation.simulate import simulate_programme

ROOT = Path(__file__).parent.parent
STAGES = ["obtain", "clean", "score", "match", "balance", "estimate", "exhibit"]
YEARS = 10
SEED = 20261129


@dataclass(frozen=True)
class Cost:
    """Hold wall-clock seconds and peak resident memory in MiB."""

    seconds: float
    memory: float


def settings_for(firms: int) -> Simulation:
    """Return what simulates so many firms, in clusters of the size of the simulated study's."""
    study = load_yaml(ROOT / "tests" / "studies" / "simulated.yaml")["simulated"]
    settings = study["data"]["source"]["settings"]
    factor = firms / settings["firms"]
    settings["municipalities"] = max(1, round(settings["municipalities"] * factor))
    settings["treated_clusters"] = max(1, round(settings["treated_clusters"] * factor))
    settings["firms"] = firms
    settings["last_year"] = settings["first_year"] + YEARS - 1
    return Simulation(**settings)


def write_raw(firms: int, folder: Path) -> int:
    """Simulate the firms and write panel and register as Parquet; return the rows of the panel."""
    drawn = simulate_programme(settings_for(firms), np.random.default_rng(SEED))
    folder.mkdir(parents=True)
    drawn.panel.to_parquet(folder / "firms.parquet", index=False)
    drawn.register.to_parquet(folder / "register.parquet", index=False)
    return len(drawn.panel)


def run_stage(stage: str, folder: Path) -> Cost:
    """Run one stage in the folder."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", f"stages.{stage}", "large"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{stage} failed")
    return Cost(time.perf_counter() - started, usage.ru_maxrss / 1024)


def run(firms: int) -> tuple[int, dict[str, Cost]]:
    """Return the rows of the panel and what each stage cost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "dvc.yaml", folder)  # `exhibit` reads its declared inputs from it
        shutil.copy(ROOT / "benchmarks" / "large.yaml", folder / "params.yaml")
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:  # its memory is not the stages'
            rows = pool.submit(write_raw, firms, folder / "data" / "raw" / "large").result()
        return rows, {stage: run_stage(stage, folder) for stage in STAGES}


def table(found: dict[int, dict[str, Cost]]) -> list[str]:
    """Return the Markdown table of seconds and MiB by stage, one column a size."""
    sizes = list(found)
    lines = [
        "| stage | " + " | ".join(f"{rows:,} firm-years: s | MiB" for rows in sizes) + " |",
        "|---|" + "---:|---:|" * len(sizes),
    ]
    for stage in STAGES:
        cells = [f"{found[r][stage].seconds:.1f} | {found[r][stage].memory:.0f}" for r in sizes]
        lines.append(f"| {stage} | " + " | ".join(cells) + " |")
    totals = [
        f"{seconds(found[r]):.1f} | {max(c.memory for c in found[r].values()):.0f}" for r in sizes
    ]
    return [*lines, "| all, peak | " + " | ".join(totals) + " |"]


def seconds(stages: dict[str, Cost]) -> float:
    """Return the seconds of all stages."""
    return sum(cost.seconds for cost in stages.values())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--firms", type=int, nargs="+", default=[10_000, 100_000])
    found: dict[int, dict[str, Cost]] = {}
    for firms in parser.parse_args().firms:
        rows, stages = run(firms)
        found[rows] = stages
        print("\n".join(table({rows: stages})), flush=True)
    print("\n" + "\n".join(table(found)))
    for small, large in pairwise(found):
        slope = np.log(seconds(found[large]) / seconds(found[small])) / np.log(large / small)
        print(f"exponent {small:,} to {large:,}: {slope:.2f}")


if __name__ == "__main__":
    main()
