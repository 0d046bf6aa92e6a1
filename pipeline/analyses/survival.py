"""Survival after entry: matched differences in the share of firms that are still alive.

Treated and comparison firms are alive in base and entry year by construction, so that there is no
lead to look at: the difference rests on selection on observables alone. The stacked estimator on
an indicator that is 1 in the base year gives just the weighted difference at each event time.
"""

from dataclasses import replace

import numpy as np

from pipeline.analyses.exit_outcomes import AfterExit, add_exit_outcomes
from pipeline.analyses.exit_status import ExitStatus, exit_status
from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.datasets.samples import ATTRITION
from pipeline.effects.collected import Collected
from pipeline.effects.estimated import Estimated
from pipeline.effects.event_averages import mean_from_entry
from pipeline.effects.rows import Label, Row, analysis_label, effect_row, missing_row
from pipeline.effects.sample import StackedSample, check_comparable, sample_of_values
from pipeline.effects.stacks import Stacks
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT, event
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.stacked import event_effects, fit_cells
from pipeline.estimators.stacked_regressors import event_regressors
from pipeline.estimators.year_cells import year_cells
from pipeline.inference.analytic import infer
from pipeline.inference.counts import cluster_codes, count
from pipeline.inference.stored import kept_rows
from pipeline.params.analyses import Survival

NAME = "survival"
OUTCOME = "survival"
NO_LEADS = Reason("no_leads")


def add_survival(collected: Collected, study: Study, asked: Survival) -> None:
    """Add survival effects and attrition of every design, and what exit makes of outcomes.

    Raises DataError where firms have rows after their year of exit.
    """
    for design in asked.designs:
        stacks = study.stacks[design]
        status = exit_status(stacks, study.panel, asked.exit)
        first = next(iter(asked.outcomes))
        own = analysis_label(study, NAME, asked, design, first)
        label = replace(own, outcome=OUTCOME, scale="share")
        rows, shares = _effects(collected, study, label, stacks, status.alive)
        collected.estimates += rows
        for row in (*attrition(stacks, status), *shares):
            collected.add(ATTRITION, design=design, **row)
        after = AfterExit(study, stacks, status)
        for name in asked.outcomes:
            label = analysis_label(study, NAME, asked, design, name)
            add_exit_outcomes(collected, after, label, asked.limits.get(name))


def _effects(
    collected: Collected, study: Study, label: Label, stacks: Stacks, alive: Floats
) -> tuple[list[Row], list[Row]]:
    """Return effects by year since entry and their average, and the shares alive behind them."""
    times = stacks.event_times
    columns = np.flatnonzero((times == stacks.reference) | (times >= 1))
    sample = sample_of_values(_at(stacks, columns), alive[:, columns], study.estimate.missing)
    seen = sample.seen().at_any_time()
    at_entry = Reason("alive_by_construction")
    alive_then = count(seen, *cluster_codes(seen, label.cluster)).columns
    entry = effect_row(label, event(0), estimate=0.0, reason=at_entry) | alive_then
    try:
        events = _fit(study, sample)
    except IdentificationError as error:
        return [entry, missing_row(label, ATT, error.reason)], []
    mean = mean_from_entry(events, ATT)
    said = {term: (NO_LEADS, *why) for term, why in mean.remarks.items()}
    inferred = infer(replace(mean, remarks=said), label.cluster)
    average = kept_rows(collected, label, inferred)
    by_time = _by_time(collected, label, sample, events)
    return [entry, *by_time, *average], _shares(sample)


def _fit(study: Study, sample: StackedSample) -> Estimated:
    """Fit the matched differences; raise IdentificationError where nobody exits or is compared."""
    if not (sample.stacks.event_times >= 1).any():
        raise IdentificationError(Reason("window_ends_at_entry"))
    check_comparable(sample)
    if (sample.y == 1).all():
        raise IdentificationError(Reason("no_exit"))
    regressors = event_regressors(sample)
    cells = fit_cells(sample, regressors, year_cells(sample, study.panel, None))
    events = event_effects(cells, regressors)
    return replace(events, seen=events.seen.at_any_time())


def _at(stacks: Stacks, columns: Codes) -> Stacks:
    """Return the same units at some event times only."""
    return replace(
        stacks,
        event_times=stacks.event_times[columns],
        panel_row=stacks.panel_row[:, columns],
        covered=stacks.covered[:, columns],
    )


def _by_time(
    collected: Collected, label: Label, sample: StackedSample, events: Estimated
) -> list[Row]:
    """Return one row per event time, with the firms and clusters known at it."""
    rows: list[Row] = []
    whole, seen = infer(events, label.cluster), sample.seen()
    for time in (int(e) for e in sample.stacks.event_times if e >= 1):
        if event(time) not in events.terms:
            rows.append(missing_row(label, event(time), Reason("exit_not_known")))
            continue
        behind = count(seen.seen_at(time), *whole.clusters)
        counts = replace(behind, n_clusters=whole.counts.n_clusters)
        part = infer(events.where([event(time)]), label.cluster)
        rows += kept_rows(collected, label, replace(part, counts=counts))
    return rows


def _shares(sample: StackedSample) -> list[Row]:
    """Return the weighted shares alive by group and event time, on the estimator's rows."""
    rows = []
    for time in (int(e) for e in sample.stacks.event_times if e >= 1):
        for treated in (True, False):
            mass = sample.weight * ((sample.event_time == time) & (sample.treated == treated))
            if mass.any():
                share = float(mass @ sample.y / mass.sum())
                rows.append({"treated": treated, "event_time": time, "share_alive": share})
    return rows


def attrition(stacks: Stacks, status: ExitStatus) -> list[Row]:
    """Count the design's firms by group and event time: observed, in a gap, gone, not known.

    Firms count once per entry year that they serve; years after the panel's end are not counted.
    """
    fates: dict[str, Flags] = {
        "n_observed": status.observed,
        "n_gap": status.gap,
        "n_gone": status.gone,
        "n_not_known": ~status.known & ~status.observed & status.covered,
    }
    used = stacks.weight > 0
    return [
        {"treated": treated, "event_time": int(stacks.event_times[column])}
        | {
            fate: int((flags[:, column] & used & (stacks.treated == treated)).sum())
            for fate, flags in fates.items()
        }
        for column in np.flatnonzero(stacks.event_times >= stacks.reference)
        for treated in (True, False)
    ]
