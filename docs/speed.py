"""Write docs/speed.md from the files of results in benchmarks/measured/: `python docs/speed.py`."""

import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

from benchmarks.result_file import (  # noqa: E402
    FOLDER,
    HERE,
    Measured,
    Run,
    exponents,
    median_ratio,
    read,
    stage_table,
)

PAGE = ROOT / "docs" / "speed.md"
BESIDE = ("group_time_speed", "stacked_speed", "twoway_speed", "matching")
ALONE = ("matching_parts", "inference_speed", "draws", "cleaning")
END_TO_END = "endtoend"

INTRODUCTION = """# Speed beside other packages

Made by `python docs/speed.py` from the files that benchmarks write (`benchmarks/measured/`, with
`--write`). The sides of a comparison start from the same data in memory and run in turn on one
machine, each in a process of its own, and once on few units before the clock starts; memory is the
peak of the process, data included. Shown are medians, and medians of ratios turn by turn: ratios
count, seconds are those of the machine. Figures are estimates and standard errors; a difference is
relative to the estimate or its standard error, whichever is larger. Linear algebra here has one
thread, as in every stage; peers run as they come, and may use both cores. A load beyond one says
that others ran beside, where CPU seconds say more than seconds. A peer that is missing at a size
takes minutes, or more memory than there is. `<name>` in a command is an interpreter in which that
package is installed (for MatchIt: Rscript with Debian's r-cran-matchit); none is a dependency of
this repository."""

ABOVE = """## Every stage

`endtoend` runs the stages of `benchmarks/large.yaml` one after the other, raw Parquet to
`report.html`: three outcomes, an unmatched and two matched designs, stacked, group-time and flat
effects, groups, balance, match orders."""


STEPS = """`bare steps` are the Newton steps by which draws score again. Neighbours are nearest
firms by Mahalanobis distance, proposed by scikit-learn: `shared` with replacement, `in turn`
without, `own` the nearest of a firm's own group, of which errors are made. `a draw` is one draw
of three outcomes, without what draws share."""


def page(folder: Path = FOLDER) -> str:
    """Return the page that the files of a folder give; what was not measured is left out."""
    found = {path.stem: read(path.stem, folder) for path in folder.glob("*.json")}
    beside = [found[name] for name in BESIDE if name in found]
    alone = [found[name] for name in ALONE if name in found]
    parts = [INTRODUCTION, "\n".join(_beside_table(beside)), *map(_without_figures, beside)]
    parts += [note for one in beside for note in one.notes]
    if END_TO_END in found:
        runs = found[END_TO_END].runs
        parts += [ABOVE, "\n".join(stage_table(runs)), "\n".join(exponents(runs))]
    parts += ["## Single steps", STEPS, "\n".join(_alone_table(alone))]
    parts += ["## Commands and versions", "\n".join(_commands(found))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _beside_table(measured: list[Measured]) -> list[str]:
    lines = [
        "| what | size | here | the other | seconds, other / here | CPU seconds, other / here | "
        "memory, here / other | figures compared, largest relative difference |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for one in measured:
        for gap in one.differences:
            own, other = one.of(HERE, gap.size), one.of(gap.side, gap.size)
            cells = [
                one.what,
                f"{gap.size:,} {one.counted}",
                _cost(own),
                f"{_named(one, gap.side)}: {_cost(other)}",
                f"{median_ratio(own.seconds, other.seconds):.1f}",
                f"{median_ratio(own.cpu_seconds, other.cpu_seconds):.1f}",
                f"{1 / median_ratio(own.mib, other.mib):.2f}",
                f"{gap.figures}, {gap.largest:.1e}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def _without_figures(one: Measured) -> str:
    """Say what runs took whose figures are not compared: of another task, or beside no peer."""
    compared = {(gap.side, gap.size) for gap in one.differences}
    others = [r for r in one.runs if r.side != HERE and (r.side, r.size) not in compared]
    alone = [r for r in one.runs if r.side == HERE and r.size not in {s for _, s in compared}]
    said = [f"{_named(one, r.side)} at {r.size:,} {one.counted}: {_cost(r)}" for r in others]
    parts = [f"Beside {one.what}, another task: {'; '.join(said)}."] if said else []
    parts += [f"Alone, {one.what}: {_cost(r)} at {r.size:,} {one.counted}." for r in alone]
    return " ".join(parts)


def _alone_table(measured: list[Measured]) -> list[str]:
    lines = ["| step | size | seconds | CPU seconds | MiB |", "|---|---:|---:|---:|---:|"]
    for one in measured:
        for run in one.runs:
            name = run.task if run.side == HERE else run.side
            spent = statistics.median(run.seconds), statistics.median(run.cpu_seconds)
            cells = [name, f"{run.size:,} {one.counted}", *(f"{value:.3g}" for value in spent)]
            lines.append(f"| {' | '.join(cells)} | {statistics.median(run.mib):,.0f} |")
    return lines


def _commands(found: dict[str, Measured]) -> list[str]:
    return [
        f"- `{one.command} --write`, {one.date}, {one.machine}, {one.cores} cores, "
        f"load {one.load}. {_versions(one)}"
        for name in (*BESIDE, END_TO_END, *ALONE)
        if (one := found.get(name)) is not None
    ]


def _versions(one: Measured) -> str:
    by_side = {
        side: ", ".join(f"{name} {version}" for name, version in packages.items())
        for side, packages in one.versions.items()
    }
    if len(set(by_side.values())) == 1:
        return f"{next(iter(by_side.values()))}."
    return "; ".join(f"{side}: {packages}" for side, packages in by_side.items()) + "."


def _named(one: Measured, side: str) -> str:
    version = one.versions[side].get(side)
    return f"{side} {version}" if version else side


def _cost(run: Run) -> str:
    seconds, mib = statistics.median(run.seconds), statistics.median(run.mib)
    return f"{seconds:.2f} s, {mib:,.0f} MiB"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
