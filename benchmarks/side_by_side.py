"""Time ours and peers in turn, each run in a process of its own, and compare their figures.

Every side starts from the same data in memory and runs once on few units before the clock starts,
so that loading packages is not timed. Sides take turns, and ratios are medians over turns. A peer
is an interpreter that has its package; peers are no dependencies of this repository, whose packages
need not be installed for a peer.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.result_file import HERE, Difference, Measured, Run, median_ratio, today, versions

ROOT = Path(__file__).parent.parent
WARM_UP = 2_000

# By name: an estimate and its standard error, or a single number.
Figures = dict[str, list[float]]


@dataclass(frozen=True)
class Side:
    """Hold how a side does the task, whose versions count, and the most units that it takes.

    `run` takes the data and returns figures; None of them where the side does another task. A side
    of our `own` runs in this interpreter. With `program`, `run` also takes a program that is not
    Python, and returns what `taken` does. `note` says why its figures may differ.
    """

    run: Callable[..., Any]
    packages: tuple[str, ...]
    most: int | None = None
    program: bool = False
    own: bool = False
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """Hold a task, its data by number of units, and who does it."""

    name: str
    what: str
    counted: str
    simulate: Callable[[int], Any]
    sides: Mapping[str, Side]
    size: int

    @property
    def module(self) -> str:
        """Return the module that runs it."""
        return f"benchmarks.{self.name}"


def taken(task: Callable[[], Figures | None]) -> dict[str, Any]:
    """Run a task here; return its figures, seconds, and the peak memory of the process so far."""
    used, started = resource.getrusage(resource.RUSAGE_SELF).ru_utime, time.perf_counter()
    figures = task()
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime - used
    return {"figures": figures, "seconds": seconds, "cpu": cpu, "mib": after.ru_maxrss / 1024}


@dataclass(frozen=True)
class Taken:
    """Hold what a process took: seconds, CPU seconds of user code, peak resident MiB."""

    seconds: float
    cpu_seconds: float
    mib: float


def process_taken(command: list[str], folder: Path, environment: Mapping[str, str]) -> Taken:
    """Run a command in a folder to its end, and return what it took."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[1:])} failed")
    seconds = round(time.perf_counter() - started, 3)
    return Taken(seconds, round(usage.ru_utime, 3), round(usage.ru_maxrss / 1024, 1))


def printed_by(python: str, module: str, *given: str) -> Any:
    """Return the JSON of the last line that a module of the benchmarks prints in an interpreter."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if python == sys.executable:  # as stages do
        environment["OPENBLAS_NUM_THREADS"] = "1"
    command = [python, "-m", module, *given]
    try:
        printed = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        fault = f"{' '.join(command)} failed: is the peer's package installed there?"
        raise SystemExit(fault) from error
    return json.loads(printed.splitlines()[-1])


def largest_difference(ours: Figures, theirs: Figures) -> tuple[float, int]:
    """Return the largest relative difference of figures of the same name, and their number.

    An estimate's is relative to it or to its standard error, whichever is larger.
    """
    gaps: list[float] = []
    for name in ours.keys() & theirs.keys():
        scale = [max(map(abs, theirs[name])), *theirs[name][1:]]
        pairs = zip(ours[name], theirs[name], scale, strict=True)
        gaps += [abs(a - b) / abs(s) for a, b, s in pairs]
    return max(gaps), len(gaps)


def _run_here(comparison: Comparison, name: str, size: int, program: str | None) -> None:
    """Do one side's task in this process, and print what it took."""
    side = comparison.sides[name]
    data = comparison.simulate(size)
    if side.program:
        print(json.dumps(side.run(data, program)))
        return
    side.run(comparison.simulate(WARM_UP))
    found = taken(lambda: side.run(data))
    print(json.dumps({**found, "versions": versions(*side.packages)}))


def _turn(
    comparison: Comparison, size: int, programs: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Run every side once, one after the other."""
    found = {}
    for name, program in programs.items():
        most = comparison.sides[name].most
        if most is not None and size > most:
            continue
        given = ["--run", name, "--sizes", str(size)]
        if comparison.sides[name].program:
            given += ["--peer", f"{name}={program}"]
        python = sys.executable if comparison.sides[name].program else program
        found[name] = printed_by(python, comparison.module, *given)
        took = found[name]
        print(
            f"{size:>11,} {name:<18} {took['seconds']:8.2f} s {took['cpu']:8.2f} CPU s "
            f"{took['mib']:7.0f} MiB",
            flush=True,
        )
    return found


def _measured(
    comparison: Comparison, sizes: list[int], programs: Mapping[str, str], turns: int
) -> Measured:
    runs: list[Run] = []
    differences: list[Difference] = []
    known: dict[str, dict[str, str]] = {}
    for size in sizes:
        took = [_turn(comparison, size, programs) for _ in range(turns)]
        for name in took[0]:
            each = {key: [turn[name][key] for turn in took] for key in ("seconds", "cpu", "mib")}
            rounded = [[round(value, 3) for value in values] for values in each.values()]
            runs.append(Run(name, comparison.what, size, *rounded))
            known[name] = took[0][name]["versions"]
            figures = took[0][name]["figures"]
            if name != HERE and figures is not None:
                gap = largest_difference(took[0][HERE]["figures"], figures)
                differences.append(Difference(name, size, *gap))
    given = [f"--peer {name}=<{name}>" for name in programs if not comparison.sides[name].own]
    command = f"python -m {comparison.module} --sizes {' '.join(map(str, sizes))}"
    return Measured(
        what=comparison.what,
        command=" ".join([command, f"--turns {turns}", *given]),
        counted=comparison.counted,
        runs=runs,
        versions=known,
        **today(),
        differences=differences,
        notes=[comparison.sides[name].note for name in known if comparison.sides[name].note],
    )


def _say(found: Measured) -> None:
    for difference in found.differences:
        own = found.of(HERE, difference.size)
        theirs = found.of(difference.side, difference.size)
        print(
            f"{difference.size:>11,} {difference.side}: "
            f"{median_ratio(own.seconds, theirs.seconds):.1f} times the seconds, "
            f"{median_ratio(own.cpu_seconds, theirs.cpu_seconds):.1f} times the CPU seconds, "
            f"{1 / median_ratio(own.mib, theirs.mib):.2f} of its memory here; "
            f"{difference.figures} figures within {difference.largest:.1e}"
        )


def compare(comparison: Comparison, description: str | None) -> None:
    """Run the command of one comparison."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = [name for name, side in comparison.sides.items() if not side.own]
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="NAME=PROGRAM",
        help=f"interpreter that has a peer; NAME: {', '.join(known)}",
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[comparison.size])
    parser.add_argument("--turns", type=int, default=3, help="times that every side runs")
    parser.add_argument("--write", action="store_true", help="write benchmarks/measured/")
    parser.add_argument("--run", choices=list(comparison.sides), help=argparse.SUPPRESS)
    options = parser.parse_args()
    programs = {name: sys.executable for name, side in comparison.sides.items() if side.own}
    programs |= dict(peer.split("=", 1) for peer in options.peer)
    if options.run:
        _run_here(comparison, options.run, options.sizes[0], programs.get(options.run))
        return
    found = _measured(comparison, options.sizes, programs, options.turns)
    _say(found)
    if options.write:
        found.write(comparison.name)
