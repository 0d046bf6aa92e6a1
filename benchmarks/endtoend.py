"""Seconds and peak memory from raw Parquet to report.html: `python -m benchmarks.endtoend`.

Simulates firms and a programme at each size, writes them as Parquet, and runs every stage of
`benchmarks/large.yaml` as its own process in a temporary folder. `--firms` names the sizes, each
observed for up to 10 years; the exponent is the slope of log seconds on log rows between sizes.
`--write` keeps what was measured for docs/speed.md; `--cost` measures the same, and draws, for
`impact plan` instead (`benchmarks.cost`).
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.result_file import HERE, Measured, Run, exponents, stage_table, today, versions
from benchmarks.side_by_side import Taken, process_taken
from pipeline.params.settings import load_yaml
from pipeline.params.simulation import Simulation
from pipeline.simulation.simulate import simulate_programme

ROOT = Path(__file__).parent.parent
STAGES = ["obtain", "clean", "score", "match", "balance", "estimate", "exhibit"]
YEARS = 10
SEED = 20261129


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


def run_stage(stage: str, folder: Path, *options: str) -> Taken:
    """Run one stage in the folder."""
    command = [sys.executable, "-m", f"stages.{stage}", "large", *options]
    return process_taken(command, folder, {"PYTHONPATH": str(ROOT)})


@contextmanager
def simulated(firms: int) -> Iterator[tuple[Path, int]]:
    """Yield a temporary folder with the study and its raw data, and the rows of the panel."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "dvc.yaml", folder)  # `exhibit` reads its declared inputs from it
        shutil.copy(ROOT / "benchmarks" / "large.yaml", folder / "params.yaml")
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:  # its memory is not the stages'
            rows = pool.submit(write_raw, firms, folder / "data" / "raw" / "large").result()
        yield folder, rows


def run(firms: int) -> list[Run]:
    """Return what each stage took on the panel of so many firms."""
    runs = []
    with simulated(firms) as (folder, rows):
        for stage in STAGES:
            took = run_stage(stage, folder)
            runs.append(Run(HERE, stage, rows, [took.seconds], [took.cpu_seconds], [took.mib]))
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--firms", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--write", action="store_true", help="write benchmarks/measured/")
    parser.add_argument("--cost", action="store_true", help="measure for `impact plan`")
    options = parser.parse_args()
    if options.cost:
        from benchmarks.cost import measure_cost

        measure_cost(options.firms)
        return
    runs: list[Run] = []
    for firms in options.firms:
        runs += run(firms)
        print("\n".join([*stage_table(runs), ""]), flush=True)
    print("\n".join(exponents(runs)))
    measured = Measured(
        what="every stage of benchmarks/large.yaml, raw Parquet to report.html",
        command=f"python -m benchmarks.endtoend --firms {' '.join(map(str, options.firms))}",
        counted="firm-years",
        runs=runs,
        versions={HERE: versions("numpy", "pandas", "scipy", "statsmodels", "pyarrow")},
        **today(),
    )
    if options.write:
        measured.write("endtoend")


if __name__ == "__main__":
    main()
