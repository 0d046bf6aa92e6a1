"""What a benchmark measured, as `benchmarks/measured/<name>.json` holds it; docs/speed.md shows it.

Peers' interpreters import this module, so that it needs nothing installed.
"""

import datetime
import json
import math
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "measured"

# What the side of this repository is called.
HERE = "here"


@dataclass(frozen=True)
class Run:
    """Hold what one task took at one size, once for each time that it ran.

    `seconds` are of the wall clock, `cpu_seconds` those of user code on all cores, `mib` the peak
    resident memory of the process, its data included.
    """

    side: str
    task: str
    size: int
    seconds: list[float]
    cpu_seconds: list[float]
    mib: list[float]


@dataclass(frozen=True)
class Difference:
    """Hold how far a peer's figures lie from ours at most, relative, and how many were compared."""

    side: str
    size: int
    largest: float
    figures: int


@dataclass(frozen=True)
class Measured:
    """Hold a benchmark's runs: what was done, by which command, when and where.

    `counted` says what a size counts (firms, firm-years), `versions` the packages of each side,
    `notes` why figures of one differ. `load` is the machine's mean number of running processes
    over the last five minutes: beyond one, others ran beside.
    """

    what: str
    command: str
    counted: str
    runs: list[Run]
    versions: Mapping[str, Mapping[str, str]]
    date: str
    machine: str
    cores: int
    load: float
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def write(self, name: str) -> None:
        """Write the file that docs/speed.md is made from."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")

    def of(self, side: str, size: int) -> Run:
        """Return the run of a side of a comparison at a size."""
        return next(run for run in self.runs if (run.side, run.size) == (side, size))


def today() -> dict[str, Any]:
    """Return date, machine, cores and load of what has just been measured."""
    return {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 1,
        "load": round(os.getloadavg()[1], 1),
    }


def read(name: str, folder: Path = FOLDER) -> Measured:
    """Return what the file of this name holds."""
    held = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    runs = [Run(**run) for run in held.pop("runs")]
    differences = [Difference(**difference) for difference in held.pop("differences")]
    return Measured(runs=runs, differences=differences, **held)


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of theirs over ours, turn by turn: noise hits both of a pair."""
    return statistics.median(b / a for a, b in zip(ours, theirs, strict=True))


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python and of packages installed in this interpreter."""
    return {"Python": platform.python_version(), **{name: version(name) for name in packages}}


def stage_table(runs: Sequence[Run]) -> list[str]:
    """Return Markdown: seconds and MiB of tasks that follow each other, two columns a size."""
    sizes = list(dict.fromkeys(run.size for run in runs))
    lines = [
        "| stage | " + " | ".join(f"{size:,} firm-years: s | MiB" for size in sizes) + " |",
        "|---|" + "---:|---:|" * len(sizes),
    ]
    of_size = {size: [run for run in runs if run.size == size] for size in sizes}
    for place, stage in enumerate(dict.fromkeys(run.task for run in runs)):
        own = [of_size[size][place] for size in sizes]
        cells = [f"{run.seconds[0]:.1f} | {run.mib[0]:,.0f}" for run in own]
        lines.append(f"| {stage} | {' | '.join(cells)} |")
    totals = [
        f"{_total(own):.1f} | {max(run.mib[0] for run in own):,.0f}" for own in of_size.values()
    ]
    return [*lines, f"| all, peak | {' | '.join(totals)} |"]


def exponents(runs: Sequence[Run]) -> list[str]:
    """Say from each size to the next the slope of log seconds on log size."""
    sizes = list(dict.fromkeys(run.size for run in runs))
    total = {size: _total([run for run in runs if run.size == size]) for size in sizes}
    return [
        f"From {small:,} to {large:,} firm-years seconds grow with exponent "
        f"{math.log(total[large] / total[small]) / math.log(large / small):.2f}."
        for small, large in pairwise(sizes)
    ]


def _total(runs: Sequence[Run]) -> float:
    return sum(run.seconds[0] for run in runs)
