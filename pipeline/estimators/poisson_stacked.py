"""Stacked difference-in-differences in ratios: Poisson on the stacked sample's rows and weights.

The same firm x stack and year x stack effects, so that for one entry year and balanced rows the
effect is the log of the ratio of ratios of weighted totals. An event time's effect is the mean of
these logs over entry years, as for other outcomes. Totals rest on the largest firms: their shares,
and the estimate without them, come with it.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.effects.counts import count_fit
from pipeline.effects.description import Fact
from pipeline.effects.least_squares import Fit, combined
from pipeline.effects.poisson import PoissonFit, fit_poisson
from pipeline.effects.rows import (
    Label,
    Row,
    average_rows,
    event_average_rows,
    event_rows,
    joined_notes,
    missing_row,
    pre_trend_row,
)
from pipeline.effects.sample import StackedSample
from pipeline.effects.separation import Usable
from pipeline.effects.stacks import Flags, Floats
from pipeline.errors import SupportError
from pipeline.estimators.stacked import (
    Term,
    average_influence,
    event_times,
    stacked_regressors,
    term_shares,
    with_event_average,
)
from pipeline.panel.panel_index import Codes
from pipeline.params.estimate import StackedSpec

PROPORTIONAL = "proportional effect on the level, by Poisson"
# Firms left out, by the `sample` that says so.
WITHOUT_LARGEST = {"without_largest_firm": 1, "without_largest_five": 5}


@dataclass(frozen=True)
class PoissonResults:
    """Hold rows of ESTIMATES and TESTS, and facts; of the average effect, clusters' influences.

    `influence` (G,) is by cluster code, `treated_clusters` the codes of those with treated firms;
    None without an average.
    """

    estimates: list[Row]
    tests: list[Row]
    facts: list[Fact]
    influence: Floats | None = None
    treated_clusters: Codes | None = None


@dataclass(frozen=True)
class _Ratios:
    """Hold the fit of a regression's terms, the rows left out, and the terms without finite value.

    A term has none where the total of one of its entry years can only be fitted by zero.
    """

    fit: Fit
    usable: Usable
    infinite: frozenset[str]

    @property
    def average_is_infinite(self) -> bool:
        """Say whether a term that the average effect takes up has no finite value."""
        if "att" in self.fit.names:
            return "att" in self.infinite
        return any(event_time >= 0 for event_time in event_times(tuple(self.infinite)))

    @property
    def reason(self) -> str:
        """Say why a term has no finite value."""
        return (
            f"no finite effect: separation, with {self.usable.n_separated} firm-years in which "
            "only a total of zero can be fitted"
        )


def poisson_results(
    label: Label,
    spec: StackedSpec,
    sample: StackedSample,
    *,
    cells: Codes,
    clusters: Codes,
    matched: frozenset[int],
) -> PoissonResults:
    """Estimate a spec's terms in ratios; `cells` and `clusters` have one code per row.

    `matched` are the event times that the design matched on. What has no finite estimate is a row
    with the reason.
    """
    estimates: list[Row] = []
    tests: list[Row] = []
    facts: list[Fact] = []
    influence: Floats | None = None
    treated: Codes | None = None
    for term in spec.terms:
        regression: Term = "att" if term == "att" and spec.average == "pooled" else "event"
        try:
            found = _fit(sample, regression, cells, clusters)
        except SupportError as error:
            name = "att" if term == "att" else "event_average"
            estimates.append(missing_row(label, name, str(error)))
            continue
        if term == "att":
            estimates += _average(label, sample, found, clusters)
            estimates += _without_largest(label, sample, regression, cells, clusters)
            facts += _lost_facts(label, found.usable)
            if not found.average_is_infinite:
                influence = average_influence(found.fit)
                treated = clusters[found.fit.kept & sample.treated]
        else:
            estimates += _events(label, sample, found, clusters)
            counts = count_fit(sample, found.fit, clusters)
            reference = sample.stacks.reference
            tests.append(pre_trend_row(label, counts, found.fit, reference, matched))
    return PoissonResults(estimates, tests, facts, influence, treated)


def concentration_facts(sample: StackedSample) -> list[Fact]:
    """Return the shares of the largest firm and the largest five in each group's total."""
    facts: list[Fact] = []
    for group, member in (("treated", sample.treated), ("comparison", ~sample.treated)):
        shares = np.sort(_shares(sample, member))[::-1]
        facts.append((f"largest_firm_share_{group}", float(shares[:1].sum()), "share"))
        facts.append((f"largest_five_share_{group}", float(shares[:5].sum()), "share"))
    return facts


def true_ratios(sample: StackedSample, effect: Floats, term: Term) -> dict[str, float]:
    """Return each term's log ratio of treated totals with and without true effects in levels (n,).

    Terms as in `stacked_coefficients`; missing where a total is not positive.
    """
    regressors = stacked_regressors(sample, term)
    ratios = np.array([_log_ratio(sample, effect, column > 0) for column in regressors.columns.T])
    mass = regressors.weight
    values = (np.where(mass > 0, ratios[:, None], 0.0) * mass).sum(axis=0) / mass.sum(axis=0)
    return with_event_average(regressors.names, values)


def _fit(sample: StackedSample, term: Term, cells: Codes, clusters: Codes) -> _Ratios:
    regressors = stacked_regressors(sample, term)
    found = fit_poisson(
        sample.y,
        regressors.columns,
        (),
        first=sample.unit,
        second=cells,
        weight=sample.weight,
        clusters=clusters,
    )
    shares = term_shares(regressors.weight, found.fit.estimable)
    separated = _separated(regressors.columns, cells, found)
    infinite = np.asarray((regressors.weight[separated] > 0).any(axis=0))
    shares[:, infinite] = np.nan
    names = regressors.names
    return _Ratios(
        combined(found.fit, names, shares),
        found.usable,
        frozenset(name for name, lost in zip(names, infinite, strict=True) if lost),
    )


def _separated(columns: Floats, cells: Codes, found: PoissonFit) -> Flags:
    """Mark the regressors (k,) that separated rows of their own cells leave unidentified."""
    touched = np.isin(cells, cells[found.usable.separated])
    return np.asarray(~found.fit.estimable & (columns[touched] != 0).any(axis=0))


def _average(label: Label, sample: StackedSample, found: _Ratios, clusters: Codes) -> list[Row]:
    if found.average_is_infinite:
        return [missing_row(label, "att", found.reason)]
    counts = count_fit(sample, found.fit, clusters)
    if found.fit.names[0] == "att":
        rows = average_rows(label, counts, found.fit, None)
    else:
        rows = event_average_rows(label, counts, found.fit, "att")
    return [row | {"note": joined_notes(PROPORTIONAL, row["note"])} for row in rows]


def _events(label: Label, sample: StackedSample, found: _Ratios, clusters: Codes) -> list[Row]:
    """Return the rows of the event study; what has no finite value says why."""
    lost = found.infinite | ({"event_average"} if found.average_is_infinite else set())
    rows = event_rows(label, count_fit(sample, found.fit, clusters), found.fit, sample)
    return [
        missing_row(label, row["term"], found.reason, row.get("event_time"))
        if row["term"] in lost
        else row
        for row in rows
    ]


def _without_largest(
    label: Label, sample: StackedSample, term: Term, cells: Codes, clusters: Codes
) -> list[Row]:
    """Return the average effect without the firms with the largest shares of their group."""
    firm = sample.stacks.firm[sample.unit]
    largest = np.argsort(-_largest_share(sample), kind="stable")
    rows: list[Row] = []
    for name, n_firms in WITHOUT_LARGEST.items():
        kept = ~np.isin(firm, largest[:n_firms])
        part = _rows_of(sample, kept)
        try:
            _require_both_groups(part, n_firms)
            found = _fit(part, term, cells[kept], clusters[kept])
            rows += _average(label, part, found, clusters[kept])
        except SupportError as error:
            rows.append(missing_row(label, "att", str(error)))
        rows[-1] = rows[-1] | {"sample": name}
    return rows


def _require_both_groups(part: StackedSample, n_left_out: int) -> None:
    """Raise SupportError where leaving out firms leaves one group empty."""
    for group, member in (("treated", part.treated), ("comparison", ~part.treated)):
        if not member.any():
            left_out = "firm" if n_left_out == 1 else f"{n_left_out} firms"
            raise SupportError(f"no {group} firm is left without the largest {left_out}")


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


def _lost_facts(label: Label, usable: Usable) -> list[Fact]:
    return [
        (f"n_all_zero[{label.estimator}]", usable.n_all_zero, "firm-years"),
        (f"n_separated[{label.estimator}]", usable.n_separated, "firm-years"),
        (f"n_singletons[{label.estimator}]", usable.n_singletons, "firm-years"),
    ]


def _log_ratio(sample: StackedSample, effect: Floats, member: Flags) -> float:
    weight, y = sample.weight[member], sample.y[member]
    total = float((weight * y).sum())
    untreated = float((weight * (y - effect[member])).sum())
    return float(np.log(total / untreated)) if min(total, untreated) > 0 else float("nan")
