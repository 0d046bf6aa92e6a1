"""Stacked difference-in-differences in ratios: Poisson on the stacked sample's rows and weights.

The same firm x stack and year x stack effects, so that for one entry year and balanced rows the
effect is the log of the ratio of ratios of weighted totals. Totals rest on the largest firms:
their shares, and the estimate without them, come with it.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.effects.description import Fact
from pipeline.effects.poisson import PoissonFit, fit_poisson
from pipeline.effects.rows import (
    Counts,
    Label,
    Row,
    average_rows,
    count_sample,
    event_rows,
    missing_row,
    pre_trend_row,
)
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacked import Term, stacked_design
from pipeline.effects.stacks import Codes, Flags, Floats
from pipeline.errors import SupportError
from pipeline.params.estimate import StackedSpec

PROPORTIONAL = "proportional effect on the level, by Poisson"
# Firms left out, by the `sample` that says so.
WITHOUT_LARGEST = {"without_largest_firm": 1, "without_largest_five": 5}


@dataclass(frozen=True)
class PoissonResults:
    """Hold rows of ESTIMATES and TESTS, and facts."""

    estimates: list[Row]
    tests: list[Row]
    facts: list[Fact]


def poisson_results(
    label: Label, spec: StackedSpec, sample: StackedSample, cells: Codes, clusters: Codes
) -> PoissonResults:
    """Estimate a spec's terms in ratios; `cells` and `clusters` have one code per row.

    What has no finite estimate is a row with the reason.
    """
    estimates: list[Row] = []
    tests: list[Row] = []
    facts = concentration_facts(sample)
    for term in spec.terms:
        try:
            found = _fit(sample, term, cells, clusters)
        except SupportError as error:
            name = "att" if term == "att" else "event_average"
            estimates.append(missing_row(label, name, str(error)))
            continue
        if term == "att":
            estimates += _average(label, sample, found, clusters)
            estimates += _without_largest(label, sample, cells, clusters)
            facts += _lost_facts(label, found)
        else:
            counts = _counts(sample, found, clusters)
            estimates += event_rows(label, counts, found.fit, sample)
            tests.append(pre_trend_row(label, found.fit, sample.stacks.reference))
    return PoissonResults(estimates, tests, facts)


def concentration_facts(sample: StackedSample) -> list[Fact]:
    """Return the shares of the largest firm and the largest five in each group's total."""
    facts: list[Fact] = []
    for group, member in (("treated", sample.treated), ("comparison", ~sample.treated)):
        shares = np.sort(_shares(sample, member))[::-1]
        facts.append((f"largest_firm_share_{group}", float(shares[:1].sum()), "share"))
        facts.append((f"largest_five_share_{group}", float(shares[:5].sum()), "share"))
    return facts


def true_ratio_terms(sample: StackedSample, effect: Floats, term: Term) -> list[tuple[str, float]]:
    """Return log ratios of treated totals with and without true effects in levels (n,).

    `att` over treated firm-years from entry on; with `event` also each event time and their mean.
    """
    after = sample.treated & (sample.event_time >= 0) & np.isfinite(effect)
    if term == "att":
        return [("att", _log_ratio(sample, effect, after))]
    times = [int(e) for e in np.unique(sample.event_time[after])]
    ratios = [_log_ratio(sample, effect, after & (sample.event_time == e)) for e in times]
    named = [(f"event[{e}]", ratio) for e, ratio in zip(times, ratios, strict=True)]
    return [*named, ("event_average", float(np.mean(ratios)) if ratios else float("nan"))]


def _fit(sample: StackedSample, term: Term, cells: Codes, clusters: Codes) -> PoissonFit:
    design = stacked_design(sample, term)
    return fit_poisson(
        sample.y,
        design.columns,
        design.names,
        first=sample.unit,
        second=cells,
        weight=sample.weight,
        clusters=clusters,
    )


def _average(label: Label, sample: StackedSample, found: PoissonFit, clusters: Codes) -> list[Row]:
    if not found.fit.estimable[0] and found.usable.n_separated:
        reason = (
            f"no finite effect: separation, with {found.usable.n_separated} firm-years in which "
            "only a total of zero can be fitted"
        )
        return [missing_row(label, "att", reason)]
    return average_rows(label, _counts(sample, found, clusters), found.fit, PROPORTIONAL)


def _without_largest(
    label: Label, sample: StackedSample, cells: Codes, clusters: Codes
) -> list[Row]:
    """Return the average effect without the firms with the largest shares of their group."""
    firm = sample.stacks.firm[sample.unit]
    largest = np.argsort(-_largest_share(sample), kind="stable")
    rows: list[Row] = []
    for name, n_firms in WITHOUT_LARGEST.items():
        kept = ~np.isin(firm, largest[:n_firms])
        part = _rows_of(sample, kept)
        try:
            found = _fit(part, "att", cells[kept], clusters[kept])
            rows += _average(label, part, found, clusters[kept])
        except SupportError as error:
            rows.append(missing_row(label, "att", str(error)))
        rows[-1] = rows[-1] | {"sample": name}
    return rows


def _rows_of(sample: StackedSample, kept: Flags) -> StackedSample:
    columns = ("unit", "event_time", "panel_row", "y", "weight")
    return replace(sample, **{name: getattr(sample, name)[kept] for name in columns})


def _largest_share(sample: StackedSample) -> Floats:
    """Return, by firm code, the larger of its shares in the treated and comparison totals."""
    return np.maximum(_shares(sample, sample.treated), _shares(sample, ~sample.treated))


def _shares(sample: StackedSample, member: Flags) -> Floats:
    """Return each firm's share in the weighted outcome total of a group, by firm code."""
    firm = sample.stacks.firm[sample.unit]
    mass = np.where(member, sample.weight * sample.y, 0.0)
    totals = np.bincount(firm, mass, int(sample.stacks.firm.max()) + 1).astype(np.float64)
    return totals / mass.sum() if mass.sum() > 0 else totals


def _counts(sample: StackedSample, found: PoissonFit, clusters: Codes) -> Counts:
    firm = sample.stacks.firm[sample.unit]
    return count_sample(found.fit.kept, sample.treated, firm, clusters)


def _lost_facts(label: Label, found: PoissonFit) -> list[Fact]:
    usable, name = found.usable, label.estimator
    return [
        (f"n_all_zero[{name}]", usable.n_all_zero, "firm-years"),
        (f"n_separated[{name}]", usable.n_separated, "firm-years"),
        (f"n_singletons[{name}]", usable.n_singletons, "firm-years"),
    ]


def _log_ratio(sample: StackedSample, effect: Floats, member: Flags) -> float:
    weight, y = sample.weight[member], sample.y[member]
    untreated = float((weight * (y - effect[member])).sum())
    return float(np.log((weight * y).sum() / untreated)) if untreated > 0 else float("nan")
