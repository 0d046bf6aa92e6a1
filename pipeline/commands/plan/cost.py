"""What stages took where they were measured, and what a study is therefore expected to take.

`cost.json` is written by `python -m benchmarks.endtoend --cost`; nothing of it stands in code.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.commands.plan.sizes import Sizes
from pipeline.commands.plan.work import StandIns, Work

COST = Path(__file__).with_name("cost.json")


@dataclass(frozen=True)
class Point:
    """Hold one measured size, its work, and processor seconds and peak MiB by stage."""

    sizes: Sizes
    work: Work
    seconds: dict[str, float]
    mib: dict[str, float]


@dataclass(frozen=True)
class Cost:
    """Hold what was measured, where, and by which command.

    `yardstick` are the seconds of `yardstick()` there. `draws` are seconds a unit of each kind of
    draws, `job_mib` what a second job of `estimate` adds a unit of its memory.
    """

    command: str
    date: str
    machine: str
    yardstick: float
    shares: StandIns
    points: list[Point]
    draws: dict[str, float]
    job_mib: float

    @property
    def largest(self) -> int:
        """Return the firm-years of the largest size measured."""
        return max(point.sizes.firm_years for point in self.points)


@dataclass(frozen=True)
class Expected:
    """Hold what one stage is expected to take."""

    stage: str
    seconds: float
    mib: float


def read_cost(path: Path = COST) -> Cost:
    """Read what was measured."""
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    points = [
        Point(**{**point, "sizes": Sizes(**point["sizes"]), "work": Work(**point["work"])})
        for point in held.pop("points")
    ]
    return Cost(points=points, shares=StandIns(**held.pop("shares")), **held)


def write_cost(cost: Cost, path: Path = COST) -> None:
    """Write what was measured."""
    path.write_text(json.dumps(asdict(cost), indent=1) + "\n", encoding="utf-8")


def expected(cost: Cost, work: Work, jobs: int = 1, speed: float = 1.0) -> list[Expected]:
    """Return what every stage takes: between measured sizes and beyond them in line.

    `speed` are seconds here for a second where it was measured. More jobs are expected to take
    more memory, and no fewer seconds.
    """
    drawn = _drawn(cost, work)
    found = []
    for stage, units in work.seconds.items():
        took = [_without_draws(cost, point, stage) for point in cost.points]
        seconds = _between([p.work.seconds[stage] for p in cost.points], took, units)
        kept = [p.mib[stage] for p in cost.points]
        mib = _between([p.work.memory[stage] for p in cost.points], kept, work.memory[stage])
        if stage == "estimate":
            seconds += drawn
            mib += (jobs - 1) * cost.job_mib * work.memory[stage]
        found.append(Expected(stage, seconds * speed, mib))
    return found


def _without_draws(cost: Cost, point: Point, stage: str) -> float:
    """Return the seconds of a measured stage, what was drawn there left out, if not nearly all."""
    took = point.seconds[stage]
    return max(took - _drawn(cost, point.work), took / 10) if stage == "estimate" else took


def _drawn(cost: Cost, work: Work) -> float:
    return sum(cost.draws[kind] * units for kind, units in work.draws.items())


def _between(measured: Sequence[float], took: Sequence[float], units: float) -> float:
    """Return what some units take: as the smallest size below it, beyond the largest in line.

    That line goes through the smallest and the largest; where all that was measured has the same
    units, units beyond are in proportion.
    """
    order = np.argsort(measured, kind="stable")
    at, value = np.asarray(measured)[order], np.asarray(took)[order]
    beyond = max(units - float(at[-1]), 0.0)
    rise, run = float(value[-1] - value[0]), float(at[-1] - at[0])
    slope = max(rise / run, 0.0) if run > 0 else float(value[-1] / at[-1])
    return float(np.interp(units, at, value)) + slope * beyond


@cache
def yardstick() -> float:
    """Return the processor seconds here of a fixed piece of work like that of the stages."""
    values = np.random.default_rng(1).random(1_000_000)
    taken = []
    for _ in range(3):
        started = time.process_time()
        order = np.argsort(values, kind="stable")
        codes = (values[order] * 1000).astype(np.int64)
        np.bincount(codes, weights=np.square(values)).cumsum()
        taken.append(time.process_time() - started)
    return min(taken)
