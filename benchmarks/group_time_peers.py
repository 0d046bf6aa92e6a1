"""Compare group-time effects with other packages in every option, and write the page of results.

    python -m benchmarks.group_time_peers --peer /path/to/python --page docs/group_time_peers.md

The peer interpreter has csdid, differences, diff-diff and moderndid. Every effect, average and
standard error of every run of the grid is compared.
"""

import argparse
import math
from collections import defaultdict
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from benchmarks.group_time_cells import BALANCED_LAST_EVENT_TIME, Options, grid, table
from benchmarks.group_time_reasons import reason
from benchmarks.side_by_side import printed_by
from pipeline.effects.estimated import joined
from pipeline.effects.event_averages import mean_from_entry, mean_or_why
from pipeline.effects.terms import EVENT_AVERAGE, Term
from pipeline.estimators.group_time.group_time import GroupTime, GroupTimeRules, group_time_effects
from pipeline.estimators.group_time.group_time_averages import (
    balanced_cells,
    cohort_averages,
    event_averages,
    mean_over_cohorts,
    simple_average,
    year_averages,
)
from pipeline.estimators.group_time.group_time_panel import (
    FirmsByYear,
    cohort_sample,
    compared_firms,
)
from pipeline.exhibits.numbers import term_key
from pipeline.inference.analytic import infer

PACKAGES = ("csdid", "differences", "diff_diff", "moderndid")
AGREED = 1e-6
START, END = "<!-- tables -->", "<!-- end of tables -->"

Pair = tuple[float, float]
Figures = dict[str, Pair]


@dataclass
class Gap:
    """Hold the largest relative differences, and how many figures were compared."""

    estimate: float = 0.0
    std_error: float = 0.0
    compared: int = 0
    beyond: int = 0

    def add(self, ours: tuple[float, float], theirs: tuple[float, float]) -> None:
        """Compare one figure; an effect's difference is relative to it, or to its error."""
        (b, s), (b2, s2) = ours, theirs
        gap, gap_error = abs(b - b2) / max(abs(b2), s2), abs(s - s2) / s2
        self.estimate, self.std_error = max(self.estimate, gap), max(self.std_error, gap_error)
        self.compared += 1
        self.beyond += max(gap, gap_error) > AGREED


def ours(run: Options) -> dict[Term, Pair]:
    """Return every effect and average of one run, and its standard error."""
    long = table(run.data)
    wide = long.pivot(index="firm", columns="year", values="y")
    own = long.drop_duplicates("firm").set_index("firm").loc[wide.index]
    first = own["first"].replace(0, np.inf).to_numpy(float)
    firms = FirmsByYear(
        years=wide.columns.to_numpy(np.int64),
        y=wide.to_numpy(),
        first_treated=first,
        exposed_from=first,
        cluster=own["cluster"].factorize()[0] if run.clustered else np.arange(len(own)),
    )
    columns = np.ones((len(own), 1))
    if run.method != "difference":
        columns = np.column_stack([columns, own["x1"]])
    weight = own["weight"].to_numpy() if run.weighted else np.ones(len(own))
    samples = []
    for cohort in firms.cohorts():
        rows = compared_firms(firms, cohort, run.control, run.gaps == "balanced")
        sample = cohort_sample(firms, cohort, rows, weight=weight[rows], columns=columns[rows])
        samples.append(sample)
    method = "outcome_regression" if run.method == "difference" else run.method
    every_row = run.gaps == "every_row"
    rules = GroupTimeRules(method, run.base, run.anticipation, every_row)
    return _figures(group_time_effects(samples, rules))


def _figures(effects: GroupTime) -> dict[Term, Pair]:
    cohorts, years = cohort_averages(effects), year_averages(effects)
    events = event_averages(effects)
    balanced = balanced_cells(effects, BALANCED_LAST_EVENT_TIME)
    averages = [effects.effects, cohorts, years, events]
    averages += [event_averages(effects, "event_balanced", balanced), simple_average(effects)]
    averages += [mean_over_cohorts(effects, cohorts), mean_from_entry(events, EVENT_AVERAGE)]
    averages += [mean_or_why(years, years.terms, Term("year_average"))]
    inferred = infer(joined(averages), "assignment")
    estimated = inferred.estimated
    pairs = zip(estimated.estimates.tolist(), inferred.std_errors.tolist(), strict=True)
    return dict(zip(estimated.terms, pairs, strict=True))


@dataclass
class Compared:
    """Hold gaps by option and value where definitions agree, by reason where they do not."""

    agreeing: dict[tuple[str, str], Gap]
    differing: dict[str, Gap]
    here_only: int


def compare(package: str, own: dict[str, dict[Term, Pair]], theirs: dict[str, Figures]) -> Compared:
    """Compare every figure that both report."""
    found = Compared(defaultdict(Gap), defaultdict(Gap), 0)
    for run in grid():
        for term, figure in own[run.name].items() if theirs.get(run.name) else ():
            other = theirs[run.name].get(term_key(term))
            if other is None or not all(map(math.isfinite, other)) or other[1] == 0:
                found.here_only += 1
                continue
            why = reason(package, run, term.family)
            if why:
                found.differing[why].add(figure, other)
                continue
            for option in fields(run):
                found.agreeing[option.name, str(getattr(run, option.name))].add(figure, other)
    return found


def lines(package: str, found: Compared) -> list[str]:
    """Return one package's tables as Markdown."""
    head = f"figures | largest difference of effects | of standard errors | beyond {AGREED:g} |"
    text = [f"## {package}", "", f"| option | value | {head}", "|---|---|---|---|---|---|"]
    order = {option.name: place for place, option in enumerate(fields(Options))}
    for (option, value), gap in sorted(
        found.agreeing.items(), key=lambda item: (order[item[0][0]], item[0][1])
    ):
        text.append(f"| {option} | {value} | {_figures_of(gap)}")
    if found.differing:
        text += ["", f"| where definitions differ | {head}", "|---|---|---|---|---|"]
        text += [f"| {why} | {_figures_of(gap)}" for why, gap in found.differing.items()]
    return [*text, "", f"Figures reported here only: {found.here_only:,}.", ""]


def _figures_of(gap: Gap) -> str:
    return f"{gap.compared:,} | {gap.estimate:.1e} | {gap.std_error:.1e} | {gap.beyond:,} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", required=True, help="interpreter that has the packages")
    parser.add_argument("--page", type=Path, help="page whose tables are written again")
    parser.add_argument("--packages", nargs="*", default=list(PACKAGES))
    options = parser.parse_args()
    own = {run.name: ours(run) for run in grid()}
    text: list[str] = []
    for package in options.packages:
        found = printed_by(options.peer, "benchmarks.group_time_packages", package)
        text += lines(package, compare(package, own, found["results"]))
        if found["failures"]:
            text += [f"Runs that {package} fails on: {len(found['failures'])}.", ""]
    tables = "\n".join(text)
    print(tables)
    if options.page:
        head, rest = options.page.read_text().split(START)
        tail = rest.split(END)[1]
        options.page.write_text(f"{head}{START}\n\n{tables}\n{END}{tail}")


if __name__ == "__main__":
    main()
