"""Survival after entry: matched differences in the share of firms that are still alive.

Treated and comparison firms are alive in base and entry year by construction, so that there is no
lead to look at: the difference rests on selection on observables alone. The stacked estimator on
an indicator that is 1 in the base year gives just the weighted difference at each event time.
"""

from dataclasses import replace

import numpy as np

from pipeline.analyses.exit_outcomes import AfterExit, add_exit_outcomes
from pipeline.analyses.exit_status import ExitStatus, exit_status
from pipeline.effects.clusters import cluster_codes
from pipeline.effects.counts import count_sample
from pipeline.effects.description import Fact
from pipeline.effects.labels import analysis_label
from pipeline.effects.least_squares import Fit
from pipeline.effects.ledger import Ledger
from pipeline.effects.rows import (
    Label,
    Row,
    effect_row,
    event_average_rows,
    fitted_rows,
    joined_notes,
    missing_row,
)
from pipeline.effects.sample import StackedSample, check_comparable, sample_of_values
from pipeline.effects.stacks import Flags, Floats, Stacks
from pipeline.effects.study import Study
from pipeline.errors import IdentificationError
from pipeline.estimators.stacked import event_times, fit_stacked, year_cells
from pipeline.inference.covariance import n_groups
from pipeline.panel.panel_index import Codes
from pipeline.params.analyses import Survival

NAME = "survival"
OUTCOME = "survival"
AT_ENTRY = "alive in base and entry year by construction"
NO_LEADS = "selection on observables: no lead can be seen"
NOT_KNOWN = "no entry year has this event time in years in which exit is known"
NO_EXIT = "no firm of the design exits in the years compared"


def add_survival(ledger: Ledger, study: Study, asked: Survival) -> None:
    """Add survival effects and attrition of every design, and what exit makes of outcomes.

    Raises DataError where firms have rows after their year of exit.
    """
    for design in asked.designs:
        stacks = study.stacks[design]
        status = exit_status(stacks, study.panel, asked.exit)
        clusters = cluster_codes(stacks, asked.cluster)[0]
        first = next(iter(asked.outcomes))
        own = analysis_label(study, NAME, asked, design, first)
        label = replace(own, outcome=OUTCOME, scale="share")
        rows, facts = _effects(study, label, stacks, status.alive, clusters)
        ledger.estimates += rows
        ledger.add_facts(design, OUTCOME, [*facts, *attrition(stacks, status)])
        after = AfterExit(study, stacks, status, clusters)
        for name in asked.outcomes:
            label = analysis_label(study, NAME, asked, design, name)
            add_exit_outcomes(ledger, after, label, asked.limits.get(name))


def _effects(
    study: Study, label: Label, stacks: Stacks, alive: Floats, clusters: Codes
) -> tuple[list[Row], list[Fact]]:
    """Return effects by year since entry and their average, and the shares alive behind them."""
    times = stacks.event_times
    columns = np.flatnonzero((times == stacks.reference) | (times >= 1))
    sample = sample_of_values(_at(stacks, columns), alive[:, columns], study.estimate.missing)
    firm, of_row = stacks.firm[sample.unit], clusters[sample.unit]
    every = np.ones(len(sample.y), dtype=np.bool_)
    alive_then = count_sample(every, sample.treated, firm, of_row).columns
    entry = effect_row(label, "event[0]", event_time=0, estimate=0.0, note=AT_ENTRY, **alive_then)
    try:
        fit = _fit(study, sample, clusters)
    except IdentificationError as reason:
        return [entry, missing_row(label, "att", str(reason))], []
    counts = count_sample(fit.kept, sample.treated, firm, of_row, entry=sample.stack)
    average = [
        row | {"note": joined_notes(NO_LEADS, row["note"])}
        for row in event_average_rows(label, counts, fit, "att")
    ]
    return [entry, *_by_time(label, sample, fit, clusters), *average], _shares(sample)


def _fit(study: Study, sample: StackedSample, clusters: Codes) -> Fit:
    """Fit the matched differences; raise IdentificationError where nobody exits or is compared."""
    if not (sample.stacks.event_times >= 1).any():
        raise IdentificationError("the window ends in the entry year, before anyone can be gone")
    check_comparable(sample)
    if (sample.y == 1).all():
        raise IdentificationError(NO_EXIT)
    cells = year_cells(sample, study.panel, None)
    return fit_stacked(sample, "event", cells, clusters[sample.unit])


def _at(stacks: Stacks, columns: Codes) -> Stacks:
    """Return the same units at some event times only."""
    return replace(
        stacks,
        event_times=stacks.event_times[columns],
        panel_row=stacks.panel_row[:, columns],
        covered=stacks.covered[:, columns],
    )


def _by_time(label: Label, sample: StackedSample, fit: Fit, clusters: Codes) -> list[Row]:
    """Return one row per event time, with the firms and clusters known at it."""
    rows: list[Row] = []
    times = dict(zip(event_times(fit.names), range(len(fit.names)), strict=True))
    for time in (int(e) for e in sample.stacks.event_times if e >= 1):
        term, position = f"event[{time}]", times.get(time)
        if position is None or not fit.estimable[position]:
            rows.append(missing_row(label, term, NOT_KNOWN, time))
            continue
        here = fit.kept & (sample.event_time == time)
        firm, of_row = sample.stacks.firm[sample.unit], clusters[sample.unit]
        counts = count_sample(here, sample.treated, firm, of_row, entry=sample.stack)
        behind = replace(counts, n_clusters=n_groups(of_row[fit.kept]))
        rows += fitted_rows(
            label,
            behind,
            [(term, time, None)],
            fit.estimates[[position]],
            np.sqrt(fit.covariance[[position], [position]]),
        )
    return rows


def _shares(sample: StackedSample) -> list[Fact]:
    """Return the weighted shares alive by group and event time, on the estimator's rows."""
    facts: list[Fact] = []
    for time in (int(e) for e in sample.stacks.event_times if e >= 1):
        here = sample.event_time == time
        for group, member in (("treated", sample.treated), ("comparison", ~sample.treated)):
            mass = sample.weight * (here & member)
            if mass.any():
                share = float(mass @ sample.y / mass.sum())
                facts.append((f"share_alive_{group}[{time}]", share, "share"))
    return facts


def attrition(stacks: Stacks, status: ExitStatus) -> list[Fact]:
    """Count the design's firms by group and event time: observed, in a gap, gone, not known.

    Firms count once per entry year that they serve; years after the panel's end are not counted.
    """
    fates: dict[str, Flags] = {
        "observed": status.observed,
        "gap": status.gap,
        "gone": status.gone,
        "not_known": ~status.known & ~status.observed & status.covered,
    }
    facts: list[Fact] = []
    used = stacks.weight > 0
    for column in np.flatnonzero(stacks.event_times >= stacks.reference):
        for group, member in (("treated", stacks.treated), ("comparison", ~stacks.treated)):
            for fate, flags in fates.items():
                count = float((flags[:, column] & used & member).sum())
                time = stacks.event_times[column]
                facts.append((f"n_{fate}_{group}[{time}]", count, "firms"))
    return facts
