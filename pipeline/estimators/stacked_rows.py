"""Results of a stacked spec: its terms, and what it asks for beside analytic errors."""

from dataclasses import dataclass

import numpy as np

from pipeline.analyses.placebo_rows import placebo_row
from pipeline.effects.adjusted_sample import adjust, adjusted_sample
from pipeline.effects.clusters import cluster_codes
from pipeline.effects.counts import Counts, count_fit
from pipeline.effects.least_squares import Fit
from pipeline.effects.ledger import Ledger
from pipeline.effects.rows import (
    Label,
    Row,
    average_rows,
    event_average_rows,
    event_bin_row,
    event_rows,
    missing_row,
    pre_trend_row,
    summary_term,
    tested_leads,
)
from pipeline.effects.sample import StackedSample, check_comparable
from pipeline.effects.study import Study
from pipeline.effects.summaries import add_not_compared, add_singletons, add_summary
from pipeline.errors import IdentificationError
from pipeline.estimators.stacked import (
    Term,
    average_influence,
    event_times,
    fit_stacked,
    year_cells,
)
from pipeline.inference.bias_reduced_rows import stacked_bias_reduced_rows
from pipeline.inference.detectable import Leads, slope_facts
from pipeline.inference.event_bands import event_band_rows
from pipeline.inference.few_clusters import wild_bootstrap_row
from pipeline.panel.panel_index import Codes
from pipeline.params.estimate import StackedSpec


@dataclass(frozen=True)
class _Task:
    """Hold one spec on one sample; `cells` and `clusters` have one code per row."""

    spec: StackedSpec
    label: Label
    sample: StackedSample
    cells: Codes
    clusters: tuple[Codes, ...]

    def regression(self, term: str) -> Term:
        """Return the regression that a term comes from."""
        return "att" if term == "att" and self.spec.average == "pooled" else "event"

    def counts(self, fit: Fit) -> Counts:
        """Count what a fit rests on."""
        return count_fit(self.sample, fit, *self.clusters)

    def fit(self, term: str) -> Fit:
        """Fit the regression of a term."""
        return fit_stacked(self.sample, self.regression(term), self.cells, *self.clusters)


def add_stacked(
    ledger: Ledger, study: Study, spec: StackedSpec, label: Label, sample: StackedSample
) -> None:
    """Add every row, test and fact of a stacked spec on one design and outcome."""
    adjusted = adjust(ledger, study, spec, label, sample)
    add_not_compared(ledger, study, spec, label, adjusted)
    task = _task(study, spec, label, adjusted)
    for term in spec.terms:
        try:
            _add_term(ledger, study, task, term)
        except IdentificationError as reason:
            ledger.estimates.append(missing_row(label, summary_term(term), str(reason)))
    if spec.placebo_entry_years is not None:
        ledger.estimates.append(
            placebo_row(
                study,
                label,
                adjusted,
                spec.placebo_entry_years,
                lambda early: _average_row(_task(study, spec, label, early)),
            )
        )


def average_effect(study: Study, spec: StackedSpec, label: Label, sample: StackedSample) -> Row:
    """Return the analytic row of the average effect, term `att`."""
    adjusted, _ = adjusted_sample(study, spec, sample, label.outcome)
    check_comparable(adjusted)
    return _average_row(_task(study, spec, label, adjusted))


def _task(study: Study, spec: StackedSpec, label: Label, sample: StackedSample) -> _Task:
    clusters = tuple(code[sample.unit] for code in cluster_codes(sample.stacks, spec.cluster))
    cells = year_cells(sample, study.panel, spec.year_effects_by)
    return _Task(spec, label, sample, cells, clusters)


def _add_term(ledger: Ledger, study: Study, task: _Task, term: str) -> None:
    fit = task.fit(term)
    rows = _term_rows(task, fit, term)
    ledger.estimates += rows
    if term == "event":
        _add_pre_trends(ledger, study, task, fit)
        if task.spec.bands:
            ledger.estimates += event_band_rows(rows, fit)
    else:
        ledger.estimates += _wild_rows(task, rows[0])
    if task.spec.bias_reduced:
        ledger.estimates += stacked_bias_reduced_rows(
            rows,
            task.sample,
            task.regression(term),
            cells=task.cells,
            clusters=task.clusters[0],
        )
    if term == "att" or "att" not in task.spec.terms:
        treated = task.clusters[0][fit.kept & task.sample.treated]
        add_summary(
            ledger,
            study,
            task.label,
            rows,
            influence=average_influence(fit),
            treated_clusters=treated,
        )
        add_singletons(ledger, task.label, fit)


def _term_rows(task: _Task, fit: Fit, term: str) -> list[Row]:
    label, counts = task.label, task.counts(fit)
    if term == "event":
        bins = [
            event_bin_row(label, counts, fit, part.first_event_time, part.last_event_time)
            for part in task.spec.event_bins
        ]
        return event_rows(label, counts, fit, task.sample) + bins
    if task.regression(term) == "event":
        return event_average_rows(label, counts, fit, "att")
    return average_rows(label, counts, fit, None)


def _add_pre_trends(ledger: Ledger, study: Study, task: _Task, fit: Fit) -> None:
    label, reference = task.label, task.sample.stacks.reference
    matched, counts = study.matched_on(label.design, label.outcome), task.counts(fit)
    ledger.tests.append(pre_trend_row(label, counts, fit, reference, matched))
    leads = tested_leads(fit, counts, reference, matched)
    if len(leads):
        years = np.array(event_times(fit.names), dtype=np.float64)[leads] - reference
        known = np.nan if counts.too_few else 1.0
        tested = Leads(years, known * fit.covariance[np.ix_(leads, leads)])
        facts = slope_facts(label, tested, tested, fit.df)
        ledger.add_facts(label.design, label.outcome, facts)


def _wild_rows(task: _Task, average: Row) -> list[Row]:
    settings = task.spec.wild_bootstrap
    if settings is None:
        return []
    return [
        wild_bootstrap_row(
            average,
            task.sample,
            task.regression("att"),
            cells=task.cells,
            clusters=task.clusters[0],
            settings=settings,
        )
    ]


def _average_row(task: _Task) -> Row:
    return _term_rows(task, task.fit("att"), "att")[0]
