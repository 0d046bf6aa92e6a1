"""Every estimate that params ask for: spec x design x outcome."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.results import ESTIMATES, FACTS, OUTCOME_PATHS, TESTS
from pipeline.datasets.store import Dataset, conform, empty
from pipeline.effects.bootstrap import Redo
from pipeline.effects.bootstrap_rows import bootstrap_rows
from pipeline.effects.clusters import cluster_codes, require_valid
from pipeline.effects.cohort_rows import cohort_results
from pipeline.effects.description import (
    Fact,
    baseline_facts,
    facts_rows,
    outcome_paths,
    sample_facts,
)
from pipeline.effects.group_time import GroupTimeRules, group_time_effects
from pipeline.effects.group_time_rows import group_time_pre_test, group_time_rows
from pipeline.effects.group_time_samples import cohort_samples
from pipeline.effects.least_squares import Fit
from pipeline.effects.match_order import order_facts
from pipeline.effects.rows import (
    FOR_COMPARABILITY,
    Label,
    Row,
    average_rows,
    count_sample,
    event_average_rows,
    event_rows,
    missing_row,
    pre_trend_row,
)
from pipeline.effects.sample import StackedSample, check_comparable
from pipeline.effects.stacked import fit_stacked, year_cells
from pipeline.effects.stacks import firm_covariates
from pipeline.effects.study import Study, asked, outcome_sample
from pipeline.effects.twoway import fit_twoway, flat_sample
from pipeline.errors import IdentificationError
from pipeline.inference import minimum_detectable_effect, n_groups
from pipeline.params.estimate import CohortSpec, GroupTimeSpec, Spec, StackedSpec, TwowaySpec
from pipeline.scale import on_scale


@dataclass(frozen=True)
class Results:
    """Hold the tables ESTIMATES, TESTS, OUTCOME_PATHS and FACTS."""

    estimates: pd.DataFrame
    tests: pd.DataFrame
    paths: pd.DataFrame
    facts: pd.DataFrame


@dataclass
class Ledger:
    """Collect rows of the four results tables."""

    estimates: list[Row] = field(default_factory=list)
    tests: list[Row] = field(default_factory=list)
    paths: list[pd.DataFrame] = field(default_factory=list)
    facts: list[dict[str, Any]] = field(default_factory=list)

    def add_facts(self, design: str, outcome: str, facts: list[Fact]) -> None:
        """Add facts of one design and outcome."""
        self.facts += facts_rows(design, outcome, facts)

    def tables(self) -> Results:
        """Return the collected rows as declared tables."""
        return Results(
            estimates=_table(ESTIMATES, pd.DataFrame(self.estimates)),
            tests=_table(TESTS, pd.DataFrame(self.tests)),
            paths=_table(OUTCOME_PATHS, pd.concat([pd.DataFrame(), *self.paths])),
            facts=_table(FACTS, pd.DataFrame(self.facts)),
        )


def estimate_specs(study: Study, redo: Redo | None = None) -> Results:
    """Estimate every spec on its designs and outcomes; return the four results tables.

    What cannot be estimated is a row with the reason. `redo` is what it takes to make weights
    again, for the bootstrap and for other orders of matching. Raises IdentificationError where an
    outcome is never observed before entry, or a spec's inference is not valid for a design.
    """
    _check_inference(study, redo)
    ledger = Ledger()
    for design, name, specs in asked(study):
        if not study.outcomes[name].observed:
            _add_unobserved(ledger, study, specs, design, name)
            continue
        sample = outcome_sample(study, design, name)
        _describe(ledger, study, sample, name)
        for spec in specs:
            _add_spec(ledger, study, spec, sample, name)
    if redo is not None:
        ledger.estimates += bootstrap_rows(study, redo, ledger.estimates)
        ledger.facts += order_facts(study, redo)
    return ledger.tables()


def _check_inference(study: Study, redo: Redo | None) -> None:
    """Refuse, before anything is estimated, inference that a design does not allow."""
    for spec in study.estimate.specs:
        if spec.estimator != "stacked":
            continue
        for design in spec.designs:
            smooth = redo is not None and redo.is_smooth(design)
            require_valid(spec, study.stacks[design], smooth)


def _add_unobserved(
    ledger: Ledger, study: Study, specs: list[Spec], design: str, name: str
) -> None:
    reason = f"not observed: {study.outcomes[name].reason}"
    for spec in specs:
        _add_missing(ledger, _label(study, spec, design, name), spec, reason)


def _add_missing(ledger: Ledger, label: Label, spec: Spec, reason: str) -> None:
    """Add one row per term asked for, each with the reason."""
    ledger.estimates += [missing_row(label, _summary_term(term), reason) for term in spec.terms]


def _summary_term(term: str) -> str:
    """Return the row that stands for a family of terms: it carries the reason for all of them."""
    families = {"event", "event_balanced", "cohort", "year"}
    return f"{term}_average" if term in families else term


def _describe(ledger: Ledger, study: Study, sample: StackedSample, name: str) -> None:
    design = sample.stacks.design
    ledger.add_facts(design, name, sample_facts(sample))
    if len(sample.y):
        ledger.add_facts(design, name, baseline_facts(sample, study.panel, study.outcomes[name]))
        ledger.paths.append(outcome_paths(sample, name))


def _add_spec(ledger: Ledger, study: Study, spec: Spec, sample: StackedSample, name: str) -> None:
    label = _label(study, spec, sample.stacks.design, name)
    try:
        check_comparable(sample)
        if spec.estimator == "stacked":
            _add_stacked(ledger, study, spec, label, sample)
        elif spec.estimator == "twoway":
            _add_twoway(ledger, study, spec, label, sample)
        elif spec.estimator == "group_time":
            _add_group_time(ledger, study, spec, label, sample)
        else:
            _add_cohorts(ledger, study, spec, label, sample)
    except IdentificationError as reason:
        _add_missing(ledger, label, spec, str(reason))


def _add_stacked(
    ledger: Ledger, study: Study, spec: StackedSpec, label: Label, sample: StackedSample
) -> None:
    clusters = [code[sample.unit] for code in cluster_codes(sample.stacks, spec.cluster)]
    cells = year_cells(sample, study.panel, spec.year_effects_by)
    for term in spec.terms:
        by_event = term == "event" or spec.average == "event"
        try:
            fit = fit_stacked(sample, "event" if by_event else "att", cells, *clusters)
        except IdentificationError as reason:
            ledger.estimates.append(missing_row(label, _summary_term(term), str(reason)))
            continue
        counts = count_sample(fit.kept, sample.treated, sample.stacks.firm[sample.unit], *clusters)
        if term == "event":
            rows = event_rows(label, counts, fit, sample)
            matched = study.matched_on(label.design, label.outcome)
            ledger.tests.append(pre_trend_row(label, fit, sample.stacks.reference, matched))
        elif by_event:
            rows = event_average_rows(label, counts, fit, "att")
        else:
            rows = average_rows(label, counts, fit, None)
        ledger.estimates += rows
        if term == "att" or "att" not in spec.terms:
            _add_power(ledger, study, label, rows)
            _add_singletons(ledger, label, fit)


def _add_twoway(
    ledger: Ledger, study: Study, spec: TwowaySpec, label: Label, sample: StackedSample
) -> None:
    flat = flat_sample(sample, study.panel)
    clusters = flat.cluster if spec.cluster == "assignment" else flat.firm
    fit = fit_twoway(flat, clusters)
    counts = count_sample(fit.kept, flat.ever_treated, flat.firm, clusters)
    rows = average_rows(label, counts, fit, FOR_COMPARABILITY)
    ledger.estimates += rows
    _add_power(ledger, study, label, rows)
    _add_singletons(ledger, label, fit)


def _add_group_time(
    ledger: Ledger, study: Study, spec: GroupTimeSpec, label: Label, sample: StackedSample
) -> None:
    stacks, anticipation = sample.stacks, study.treatment.anticipation_years
    outcome = study.outcomes[label.outcome]
    adjusted = None
    if study.covariates is not None and spec.covariates:
        adjusted = study.covariates[["stack", "firm_id", *spec.covariates]]
    found = cohort_samples(
        stacks,
        on_scale(study.panel[outcome.column], outcome),
        study.panel,
        clusters=stacks.cluster if spec.cluster == "assignment" else stacks.firm,
        covariates=adjusted,
        whole_sets=study.estimate.missing == "drop_set",
    )
    method = "outcome_regression" if spec.method == "difference" else spec.method
    effects = group_time_effects(found.samples, GroupTimeRules(method, spec.base, anticipation))
    rows = group_time_rows(label, spec, effects)
    ledger.estimates += rows
    ledger.tests.append(group_time_pre_test(label, effects, anticipation))
    _add_power(ledger, study, label, rows)
    lost = (f"n_without_covariates[{spec.name}]", found.n_without_covariates, "firms")
    ledger.add_facts(label.design, label.outcome, [lost])


def _add_cohorts(
    ledger: Ledger, study: Study, spec: CohortSpec, label: Label, sample: StackedSample
) -> None:
    flat = flat_sample(sample, study.panel)
    covariates = None
    if spec.covariates:
        by_firm = firm_covariates(sample.stacks, study.panel, study.covariates, spec.covariates)
        known = np.asarray(np.isfinite(by_firm[flat.firm]).all(axis=1))
        lost = n_groups(flat.firm[~known])
        fact = (f"n_without_covariates[{spec.name}]", lost, "firms")
        ledger.add_facts(label.design, label.outcome, [fact])
        flat = flat.where(known)
        covariates = by_firm[flat.firm]
    found = cohort_results(label, spec, flat, sample.stacks.reference, covariates)
    ledger.estimates += found.estimates
    ledger.tests += found.tests
    _add_power(ledger, study, label, found.estimates)


def _add_power(ledger: Ledger, study: Study, label: Label, rows: list[Row]) -> None:
    """Add the minimum detectable effect of the spec's summary row; normal where it has no df."""
    summary = next((row for row in rows if row["term"] in ("att", "event_average")), {})
    error, df = summary.get("std_error", np.nan), summary.get("df", np.inf)
    settings = study.estimate
    effect = minimum_detectable_effect(error, df, settings.conf_level, settings.power)
    ledger.add_facts(
        label.design, label.outcome, [(f"mde[{label.estimator}]", effect, label.scale)]
    )


def _add_singletons(ledger: Ledger, label: Label, fit: Fit) -> None:
    fact = (f"n_singletons[{label.estimator}]", fit.n_singletons, "firm-years")
    ledger.add_facts(label.design, label.outcome, [fact])


def _label(study: Study, spec: Spec, design: str, name: str) -> Label:
    return Label(
        outcome=name,
        design=design,
        estimator=spec.name,
        estimand=study.estimand[design],
        scale=study.outcomes[name].scale,
        cluster=spec.cluster,
        conf_level=study.estimate.conf_level,
    )


def _table(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the declared table; columns that no row fills are missing."""
    if frame.empty:
        return empty(dataset)
    return conform(dataset, frame.reindex(columns=list(dataset.columns)))
