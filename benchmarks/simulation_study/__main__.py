"""Run the simulation study and write its table: which estimator to trust where.

    python -m benchmarks.simulation_study --seeds 500 --out <folder>
    python -m benchmarks.simulation_study --out <folder> --table

The first command can be stopped and started again: draws on file are not made again, and an
estimator added since is run on the seeds that lack it. The second only summarises what is on
file. Set OPENBLAS_NUM_THREADS=1: panels are small, and threads cost more than they bring.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from benchmarks.simulation_study.draws import draw, world
from benchmarks.simulation_study.estimators import ESTIMATORS, Estimator
from benchmarks.simulation_study.page import PAGE, write_page
from benchmarks.simulation_study.scenarios import SCENARIOS, Scenario
from benchmarks.simulation_study.storage import append_draws, finished, open_folder, read_draws
from pipeline.progress import telling, track

Named = TypeVar("Named", Scenario, Estimator)


def run(scenarios: list[Scenario], estimators: list[Estimator], seeds: int, folder: Path) -> None:
    """Make what is missing of seeds 0 to `seeds` - 1, all scenarios in step."""
    done = {}
    for scenario in scenarios:
        whole = world(scenario)
        open_folder(folder, whole)
        done[scenario.name] = finished(read_draws(folder, scenario.name), whole)
    steps = [(seed, scenario) for seed in range(seeds) for scenario in scenarios]
    for seed, scenario in track(steps, "simulation study", len(steps)):
        known = done[scenario.name].get(seed, set())
        missing = [e for e in estimators if e.runs_in(scenario) and e.name not in known]
        if missing:
            append_draws(folder, scenario.name, draw(world(scenario, tuple(missing)), seed))


def _chosen(what: str, there_are: Sequence[Named], names: list[str] | None) -> list[Named]:
    """Return those named, or all."""
    known = {one.name: one for one in there_are}
    unknown = [name for name in names or [] if name not in known]
    if unknown:
        raise SystemExit(f"no {what} {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names or known]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.simulation_study",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the draws")
    parser.add_argument("--seeds", type=int, default=500, help="seeds 0 to this, less one")
    parser.add_argument("--scenario", action="append", help="only this one; may be repeated")
    parser.add_argument("--estimator", action="append", help="only this one; may be repeated")
    parser.add_argument("--table", action="store_true", help="only summarise what is on file")
    parser.add_argument("--page", type=Path, default=PAGE, help="page that holds the table")
    options = parser.parse_args(arguments)
    scenarios = _chosen("scenario", SCENARIOS, options.scenario)
    estimators = _chosen("estimator", ESTIMATORS, options.estimator)
    if not options.table:
        show = sys.stderr.isatty()
        with telling(lambda message: _show(message) if show else None):
            run(scenarios, estimators, options.seeds, options.out)
    write_page(options.page, options.out, scenarios)


def _show(message: str) -> None:
    print(f"\r\033[K{message}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
