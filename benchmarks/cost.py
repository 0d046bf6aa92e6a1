"""Measure what `impact plan` goes by: `python -m benchmarks.endtoend --cost --firms 10000 100000`.

Every stage of `benchmarks/large.yaml` at each size, in processor seconds, which others on the
machine disturb less than the clock; at the smallest size draws of each kind, by the difference
between many and few (of the wild bootstrap, where clusters are few); at the largest what a second
job takes of memory.
"""

import copy
import datetime
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks.endtoend import STAGES, run_stage, simulated
from pipeline.commands.plan.cost import Cost, Point, write_cost, yardstick
from pipeline.commands.plan.sizes import study_sizes
from pipeline.commands.plan.work import StandIns, Work, study_work
from pipeline.params.settings import load_yaml
from pipeline.params.study import read_study

SPEC: dict[str, Any] = {
    "estimator": "stacked",
    "designs": ["unmatched"],
    "outcomes": ["sales_log"],
    "terms": ["att"],
    "average": "event",
    "cluster": "assignment",
}

# By kind of draws: few and many, and the settings that ask for a number of them.
DRAWN: dict[str, tuple[int, int, Callable[[int], dict[str, Any]]]] = {
    "match_orders": (1, 201, lambda n: {}),
    "bootstrap": (50, 250, lambda n: {"inference": "cluster_bootstrap", "draws": n, "seed": 1}),
    "randomisation": (99, 299, lambda n: {"randomisation": {"draws": n, "seed": 1}}),
    "wild_bootstrap": (99, 9999, lambda n: {"wild_bootstrap": {"draws": n, "seed": 1}}),
}


# Asked for where clusters are few, as where firms are that few.
OF_FEW_CLUSTERS = "wild_bootstrap"
FEW_FIRMS = 1000


def measure_cost(sizes: list[int]) -> None:
    """Measure at each number of firms, ascending, and write the file."""
    points, draws, job_mib = [], {}, 0.0
    for place, firms in enumerate(sizes):
        with simulated(firms) as (folder, _):
            points.append(_point(folder))
            print(firms, points[-1].seconds, points[-1].mib, flush=True)
            if place == 0:
                draws = {
                    kind: _seconds_a_unit(folder, kind) for kind in DRAWN if kind != OF_FEW_CLUSTERS
                }
            if place == len(sizes) - 1:
                more = run_stage("estimate", folder, "--jobs", "2").mib
                own = points[-1].work.memory["estimate"]
                job_mib = max(more - points[-1].mib["estimate"], 0.0) / own
                shares = _shares(folder)
    draws |= {OF_FEW_CLUSTERS: _of_few_clusters(OF_FEW_CLUSTERS)}
    print(draws, flush=True)
    write_cost(
        Cost(
            command=f"python -m benchmarks.endtoend --cost --firms {' '.join(map(str, sizes))}",
            date=datetime.date.today().isoformat(),
            machine=f"{platform.system()} {platform.machine()}",
            yardstick=yardstick(),
            shares=shares,
            points=points,
            draws=draws,
            job_mib=job_mib,
        )
    )


def _of_few_clusters(kind: str) -> float:
    """Return the processor seconds of one unit of what is asked for where clusters are few."""
    with simulated(FEW_FIRMS) as (folder, _):
        for stage in STAGES[: STAGES.index("estimate")]:
            run_stage(stage, folder)
        return _seconds_a_unit(folder, kind)


def _point(folder: Path) -> Point:
    costs = {stage: run_stage(stage, folder) for stage in STAGES}
    return Point(
        sizes=_sizes(folder),
        work=_work(folder),
        seconds={stage: cost.cpu_seconds for stage, cost in costs.items()},
        mib={stage: cost.mib for stage, cost in costs.items()},
    )


def _study(folder: Path) -> Any:
    return read_study(load_yaml(folder / "params.yaml"), "large")


def _sizes(folder: Path) -> Any:
    return study_sizes(folder, "large", _study(folder))


def _work(folder: Path) -> Work:
    return study_work(_study(folder), _sizes(folder), StandIns(0.0, 0.0))


def _shares(folder: Path) -> StandIns:
    sizes = _sizes(folder)
    return StandIns(sizes.firms / sizes.firm_years, sizes.used["covariates"] / sizes.firms)


def _seconds_a_unit(folder: Path, kind: str) -> float:
    """Return the processor seconds of one unit of a kind of draws."""
    params = folder / "params.yaml"
    as_it_was = params.read_bytes()
    few, many, settings = DRAWN[kind]
    seconds, units = [], []
    for number in (few, many):
        content = copy.deepcopy(load_yaml(params))
        estimate = content["large"]["estimate"]
        estimate["match_orders"] = number if kind == "match_orders" else 1
        stacked = {**estimate["specs"]["stacked"], "terms": ["att"], "outcomes": ["sales_log"]}
        estimate["specs"] = {"stacked": {**stacked, "bands": False}}
        estimate["specs"] |= {"drawn": {**SPEC, **settings(number)}}
        del estimate["analyses"]
        with params.open("w", encoding="utf-8") as file:
            YAML().dump(content, file)
        seconds.append(run_stage("estimate", folder).cpu_seconds)
        units.append(_work(folder).draws[kind])
        params.write_bytes(as_it_was)
    return max(seconds[1] - seconds[0], 0.0) / (units[1] - units[0])
