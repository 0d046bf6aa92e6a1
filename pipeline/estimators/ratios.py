"""Stacked difference-in-differences in ratios: Poisson on the stacked sample's rows and weights.

The same firm x stack and year x stack effects, so that for one entry year and balanced rows the
effect is the log of the ratio of ratios of weighted totals. An event time's effect is the mean of
these logs over entry years, as for other outcomes. Totals rest on the largest firms: their shares,
and the estimate without them, come with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.datasets.samples import CONCENTRATION
from pipeline.effects.answers import Answer, Leads, Task
from pipeline.effects.collected import Collected
from pipeline.effects.description import largest_shares
from pipeline.effects.estimated import Estimated, as_known, joined
from pipeline.effects.event_averages import mean_from_entry, means_by_event_time
from pipeline.effects.poisson import fit_poisson
from pipeline.effects.rows import Label
from pipeline.effects.sample import StackedSample
from pipeline.effects.separation import Usable, usable_rows
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT, EVENT_AVERAGE, Term, event
from pipeline.errors import Reason, SupportError
from pipeline.estimators.stacked import stacked_event_study
from pipeline.estimators.stacked_regressors import Regressors, event_regressors, pooled_regressors
from pipeline.estimators.year_cells import year_cells
from pipeline.params.estimate import StackedSpec

PROPORTIONAL = Reason("proportional")
LINEAR_ONLY = Reason("linear_only")
# Firms left out, by the `sample` that says so.
WITHOUT_LARGEST = {"without_largest_firm": 1, "without_largest_five": 5}


@dataclass(frozen=True)
class RatioSample:
    """Hold what Poisson regressions on one pattern of zeros share; `cells` has one code per row."""

    sample: StackedSample
    regressors: Regressors
    cells: Codes
    usable: Usable


@dataclass(frozen=True)
class Ratios:
    """Hold the coefficients of a regression, and those of its terms that have no finite value.

    A coefficient has none where the total of one of its entry years can only be fitted by zero.
    """

    cells: Estimated
    infinite: frozenset[Term]
    reason: Reason


def estimate_ratios(study: Study, spec: StackedSpec, sample: StackedSample) -> Answer:
    """Return every term that a spec asks for in ratios, and the average without the largest firms.

    What has no finite estimate has a reason.
    """
    rows = year_cells(sample, study.panel, spec.year_effects_by).codes
    answer = _answer(spec, sample, rows, spec.terms)
    if "att" not in spec.terms or not answer.unused:
        return replace(answer, unused={})
    return replace(answer, by_sample=_without_largest(spec, sample, rows))


def _answer(spec: StackedSpec, sample: StackedSample, rows: Codes, terms: Sequence[str]) -> Answer:
    answers: list[Answer] = []
    if "event" in terms or spec.average == "event":
        answers.append(_event_answer(spec, sample, rows, terms))
    if "att" in terms and spec.average == "pooled":
        answers.append(_pooled_answer(sample, rows))
    return Answer.of(answers)


def _event_answer(
    spec: StackedSpec, sample: StackedSample, rows: Codes, terms: Sequence[str]
) -> Answer:
    by_average = spec.average == "event" and "att" in terms
    asked = [ATT] * by_average + [EVENT_AVERAGE] * ("event" in terms)
    try:
        found = ratio_sample(sample, event_regressors(sample), rows)
        ratios = fit_ratios(found, sample.y)
    except SupportError as error:
        return Answer(reasons=dict.fromkeys(asked, error.reason))
    events = _events(sample, ratios, found.regressors)
    averages = [average_ratio(events, ratios, term) for term in asked]
    parts = [
        _proportional(part) if term == ATT else part
        for term, part in zip(asked, averages, strict=True)
    ]
    if "event" not in terms:
        return Answer([joined(parts)], unused=_unused(found.usable))
    leads = Leads.before(events, sample.stacks.reference, slopes=False)
    unused = _unused(found.usable) if by_average else {}
    return Answer([joined([*parts, events])], leads=leads, unused=unused)


def _pooled_answer(sample: StackedSample, rows: Codes) -> Answer:
    try:
        found = ratio_sample(sample, pooled_regressors(sample), rows)
        ratios = fit_ratios(found, sample.y)
    except SupportError as error:
        return Answer(reasons={ATT: error.reason})
    unused = _unused(found.usable)
    if ATT in ratios.infinite:
        return Answer(reasons={ATT: ratios.reason}, unused=unused)
    whole = ratios.cells
    cells = replace(whole, seen=replace(whole.seen, entry=None)).where([ATT])
    reasons = {term: why for term, why in whole.reasons.items() if term == ATT}
    return Answer([_proportional(replace(cells, reasons=reasons))], unused=unused)


def _proportional(average: Estimated) -> Estimated:
    said = {term: (PROPORTIONAL, *average.remarks.get(term, ())) for term in average.terms}
    return replace(average, remarks=said)


def _unused(usable: Usable) -> dict[str, float]:
    return {
        "n_all_zero": usable.n_all_zero,
        "n_separated": usable.n_separated,
        "n_singletons": usable.n_singletons,
    }


def ratio_sample(sample: StackedSample, regressors: Regressors, cells: Codes) -> RatioSample:
    """Find the rows that a Poisson regression can use; raises SupportError as `usable_rows`."""
    usable = usable_rows(sample.y, regressors.columns, sample.unit, cells)
    return RatioSample(sample, regressors, cells, usable)


def fit_ratios(found: RatioSample, y: Floats) -> Ratios:
    """Fit outcomes y (n,), zero where the sample's outcome is and only there.

    Raises SupportError where nothing is left, or the iterations do not converge.
    """
    sample, regressors = found.sample, found.regressors
    cells = fit_poisson(
        y,
        regressors.columns,
        regressors.terms,
        first=sample.unit,
        second=found.cells,
        weight=sample.weight,
        seen=sample.seen_by_row(),
        usable=found.usable,
    )
    touched = np.isin(found.cells, found.cells[found.usable.separated])
    moved = (regressors.columns[touched] != 0).any(axis=0)
    named = zip(regressors.terms, regressors.mass, moved, strict=True)
    infinite = {t for t, mass, is_moved in named if is_moved and mass > 0 and t in cells.reasons}
    lost = Reason("separation", {"n": found.usable.n_separated})
    return Ratios(cells, frozenset(t for t in infinite if t is not None), lost)


def average_ratio(events: Estimated, ratios: Ratios, term: Term) -> Estimated:
    """Return the mean log ratio over event times from entry on, or why it has no finite value."""
    return mean_from_entry(events, term, dict.fromkeys(ratios.infinite, ratios.reason))


def finite_events(ratios: Ratios, regressors: Regressors) -> Estimated:
    """Return the effects at the event times none of whose entry years is without finite value."""
    lost = {cell.event_time for cell in ratios.infinite}
    return means_by_event_time(ratios.cells, regressors.mass_of(ratios.cells.terms), lost)


def _events(sample: StackedSample, ratios: Ratios, regressors: Regressors) -> Estimated:
    """Return the event study; what has no finite value says why."""
    study = stacked_event_study(sample, ratios.cells, regressors)
    lost = {event(cell.event_time or 0): ratios.reason for cell in ratios.infinite}
    kept = study.where([term for term in study.terms if term not in lost])
    return replace(kept, zeros=study.zeros, reasons={**study.reasons, **lost})


def _without_largest(spec: StackedSpec, sample: StackedSample, rows: Codes) -> dict[str, Answer]:
    """Return the average effect without the firms that were the largest before entry."""
    largest = np.argsort(-_totals_before_entry(sample), kind="stable")
    found: dict[str, Answer] = {}
    for name, n_firms in WITHOUT_LARGEST.items():
        kept = ~np.isin(sample.stacks.firm, largest[:n_firms])
        part = replace(sample, weights=sample.weights * kept[:, None])
        try:
            _require_both_groups(part, n_firms)
            own = rows[kept[sample.unit]]
            found[name] = replace(_answer(spec, part, own, ["att"]), unused={})
        except SupportError as error:
            found[name] = Answer(reasons={ATT: error.reason})
    return found


def _require_both_groups(part: StackedSample, n_left_out: int) -> None:
    """Raise SupportError where leaving out firms leaves one group empty."""
    for group, member in (("treated", part.treated), ("comparison", ~part.treated)):
        if not member.any() and n_left_out == 1:
            raise SupportError(Reason("nobody_without_largest_firm", {"group": group}))
        if not member.any():
            left_out = {"group": group, "n": n_left_out}
            raise SupportError(Reason("nobody_without_largest_firms", left_out))


def add_concentration(collected: Collected, task: Task, label: Label) -> None:
    """Add, where the effect is in ratios, how much of each group's total its largest firms have."""
    if not task.in_ratios:
        return
    place = {"design": label.design, "outcome": label.outcome, "grouping": label.grouping}
    for treated, shares in concentration(task.sample).items():
        collected.add(CONCENTRATION, **place, treated=treated, **shares)


def concentration(sample: StackedSample) -> dict[bool, dict[str, float | str | None]]:
    """Return the shares of the largest firm and the largest five in each group's total."""
    return {
        treated: largest_shares(_shares(sample, sample.treated == treated))
        for treated in (True, False)
    }


def true_ratios(sample: StackedSample, effect: Floats, spec: StackedSpec) -> dict[Term, float]:
    """Return each term's log ratio of treated totals with and without true effects in levels (n,).

    Terms as in `stacked_terms`; missing where a total is not positive.
    """
    terms: dict[Term, float] = {}
    if "event" in spec.terms or spec.average == "event":
        regressors = event_regressors(sample)
        times = sorted({t.event_time for t in regressors.terms if t and t.event_time is not None})
        for time in times:
            own = np.array([t is not None and t.event_time == time for t in regressors.terms])
            terms[event(time)] = _mean_log_ratio(sample, effect, regressors, own)
        known = as_known({t: v for t, v in terms.items() if np.isfinite(v)}, sample.seen())
        terms[EVENT_AVERAGE] = terms[ATT] = mean_from_entry(known, ATT).estimate(ATT)
    if spec.average == "pooled":
        regressors = pooled_regressors(sample)
        own = np.array([term == ATT for term in regressors.terms])
        terms[ATT] = _mean_log_ratio(sample, effect, regressors, own)
    return terms


def _mean_log_ratio(
    sample: StackedSample, effect: Floats, regressors: Regressors, own: Flags
) -> float:
    ratios = np.array([_log_ratio(sample, effect, c > 0) for c in regressors.columns[:, own].T])
    mass = regressors.mass[own]
    return float((ratios * mass)[mass > 0].sum() / mass.sum())


def _totals_before_entry(sample: StackedSample) -> Floats:
    """Return each firm's outcome total up to the reference year, by firm code.

    Of all that are compared, each firm and year once: neither weights, which are small where many
    firms are compared, nor what the programme did say who is large.
    """
    before = sample.event_time <= sample.stacks.reference
    _, once = np.unique(sample.panel_row[before], return_index=True)
    firm, y = sample.firm[before][once], sample.y[before][once]
    return np.bincount(firm, y, int(sample.stacks.firm.max()) + 1).astype(np.float64)


def _shares(sample: StackedSample, member: Flags) -> Floats:
    """Return each firm's share in the weighted outcome total of a group, by firm code."""
    firm = sample.firm
    mass = np.where(member, sample.weight * sample.y, 0.0)
    totals = np.bincount(firm, mass, int(sample.stacks.firm.max()) + 1).astype(np.float64)
    return totals / mass.sum() if mass.sum() > 0 else totals


def _log_ratio(sample: StackedSample, effect: Floats, member: Flags) -> float:
    weight, y = sample.weight[member], sample.y[member]
    total = float((weight * y).sum())
    untreated = float((weight * (y - effect[member])).sum())
    return float(np.log(total / untreated)) if min(total, untreated) > 0 else float("nan")
