"""Say what a study will take, in seconds and memory by stage, before anyone waits."""

import os
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from pipeline.commands.plan.cost import Cost, Expected, expected, read_cost, yardstick
from pipeline.commands.plan.sizes import Sizes, study_sizes
from pipeline.commands.plan.work import study_work
from pipeline.params.settings import load_yaml
from pipeline.params.study import read_study
from stages.command import Command, Reply, run_command
from stages.run import PARAMS, number_of_jobs


def main(arguments: list[str] | None = None) -> None:
    """Print what every stage is expected to take, and from what that is known."""
    run_command(Command("plan", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("study", help="a study of params.yaml")
    parser.add_argument(
        "--jobs",
        type=number_of_jobs,
        default=os.environ.get("IMPACT_JOBS") or "1",
        help="pieces of work at a time, which take memory; IMPACT_JOBS without it, else 1",
    )


def _reply(chosen: Namespace) -> Reply:
    study = read_study(load_yaml(PARAMS), chosen.study)
    sizes, cost = study_sizes(Path(), chosen.study, study), read_cost()
    work = study_work(study, sizes, cost.shares)
    speed = yardstick() / cost.yardstick
    stages = expected(cost, work, chosen.jobs, speed)
    return Reply(
        "\n".join([*_table(stages), *_grounds(sizes, cost, speed), ""]),
        {
            "study": chosen.study,
            "jobs": chosen.jobs,
            "stages": [asdict(stage) for stage in stages],
            "sizes": asdict(sizes),
            "measured": {"command": cost.command, "date": cost.date, "machine": cost.machine},
            "speed": speed,
        },
    )


def _table(stages: list[Expected]) -> list[str]:
    total = Expected("all, peak", sum(s.seconds for s in stages), max(s.mib for s in stages))
    head = f"{'stage':<10} {'seconds':>9} {'peak MiB':>9}"
    rows = [f"{s.stage:<10} {s.seconds:>9,.0f} {s.mib:>9,.0f}" for s in [*stages, total]]
    return [head, *rows, ""]


def _grounds(sizes: Sizes, cost: Cost, speed: float) -> list[str]:
    firms = "entry years unknown before `clean`" if sizes.firms is None else f"{sizes.firms:,}"
    return [
        f"{sizes.firm_years:,} firm-years in {sizes.source}; firms by entry year: {firms}.",
        f"From what `{cost.command}` took at up to {cost.largest:,} firm-years ({cost.machine}, "
        f"{cost.date});",
        f"this machine takes {speed:.1f} seconds for one there. Expect a factor of 3 either way.",
    ]


if __name__ == "__main__":
    main()
