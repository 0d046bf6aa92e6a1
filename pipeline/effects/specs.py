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
from pipeline.effects.description import (
    Fact,
    baseline_facts,
    facts_rows,
    outcome_paths,
    sample_facts,
)
from pipeline.effects.least_squares import Fit
from pipeline.effects.match_order import order_facts
from pipeline.effects.rows import (
    FOR_COMPARABILITY,
    Counts,
    Label,
    Row,
    average_rows,
    event_rows,
    missing_row,
    pre_trend_row,
)
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacked import fit_stacked, year_cells
from pipeline.effects.stacks import Codes
from pipeline.effects.study import Study, asked, outcome_sample, prepare_study
from pipeline.effects.twoway import fit_twoway, flat_sample
from pipeline.inference import minimum_detectable_effect, n_groups
from pipeline.params.estimate import EstimateSection, Spec
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.treatment import TreatmentSection


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


def estimate_specs(
    panel: pd.DataFrame,
    matches: pd.DataFrame,
    weights: pd.DataFrame,
    *,
    outcomes: OutcomesSection,
    treatment: TreatmentSection,
    estimate: EstimateSection,
    redo: Redo | None = None,
) -> Results:
    """Estimate every spec on its designs and outcomes; return the four results tables.

    What cannot be estimated is a row with the reason. `redo` is what a bootstrap needs to make
    weights again. Raises ParamsError where a spec names a design or outcome that does not exist,
    IdentificationError where an outcome is never observed before entry, or where a spec's
    inference is not valid for one of its designs.
    """
    study = prepare_study(
        panel, matches, weights, outcomes=outcomes, treatment=treatment, estimate=estimate
    )
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
    terms = {"att": "att", "event": "event_average"}
    ledger.estimates += [missing_row(label, terms[term], reason) for term in spec.terms]


def _describe(ledger: Ledger, study: Study, sample: StackedSample, name: str) -> None:
    design = sample.stacks.design
    ledger.add_facts(design, name, sample_facts(sample))
    if len(sample.y):
        ledger.add_facts(design, name, baseline_facts(sample, study.panel, study.outcomes[name]))
        ledger.paths.append(outcome_paths(sample, name))


def _add_spec(ledger: Ledger, study: Study, spec: Spec, sample: StackedSample, name: str) -> None:
    label = _label(study, spec, sample.stacks.design, name)
    reason = _nothing_to_compare(sample)
    if reason:
        _add_missing(ledger, label, spec, reason)
    elif spec.estimator == "twoway":
        _add_twoway(ledger, study, label, sample)
    else:
        _add_stacked(ledger, study, spec, label, sample)


def _nothing_to_compare(sample: StackedSample) -> str | None:
    reference = sample.stacks.reference
    if not len(sample.y):
        return (
            f"no matched treated and comparison firms are observed together at event time "
            f"{reference} and in another year"
        )
    if not (sample.event_time >= 0).any():
        return "no matched treated and comparison firms are observed together after entry"
    return None


def _add_stacked(
    ledger: Ledger, study: Study, spec: Spec, label: Label, sample: StackedSample
) -> None:
    clusters, second = cluster_codes(sample.stacks, spec.cluster)
    cells = year_cells(sample, study.panel, spec.year_effects_by)
    rows: list[Row] = []
    for term in spec.terms:
        twice = None if second is None else second[sample.unit]
        fit = fit_stacked(sample, term, cells, clusters[sample.unit], twice)
        counts = _counts(
            fit, sample.treated, sample.stacks.firm[sample.unit], clusters[sample.unit]
        )
        if term == "att":
            rows += average_rows(label, counts, fit, None)
        else:
            rows += event_rows(label, counts, fit, sample)
            ledger.tests.append(pre_trend_row(label, fit, sample.stacks.reference))
    ledger.estimates += rows
    _add_power(ledger, study, label, fit, rows)


def _add_twoway(ledger: Ledger, study: Study, label: Label, sample: StackedSample) -> None:
    flat = flat_sample(sample, study.panel)
    clusters = flat.cluster if label.cluster == "assignment" else flat.firm
    fit = fit_twoway(flat, clusters)
    counts = _counts(fit, flat.ever_treated, flat.firm, clusters)
    rows = average_rows(label, counts, fit, FOR_COMPARABILITY)
    ledger.estimates += rows
    _add_power(ledger, study, label, fit, rows)


def _add_power(ledger: Ledger, study: Study, label: Label, fit: Fit, rows: list[Row]) -> None:
    """Add the minimum detectable effect of the spec's summary row, and its singletons."""
    summary = next((row for row in rows if row["term"] in ("att", "event_average")), None)
    error = summary.get("std_error", np.nan) if summary else np.nan
    settings = study.estimate
    effect = minimum_detectable_effect(error, fit.df, settings.conf_level, settings.power)
    ledger.add_facts(
        label.design,
        label.outcome,
        [
            (f"mde[{label.estimator}]", effect, label.scale),
            (f"n_singletons[{label.estimator}]", fit.n_singletons, "firm-years"),
        ],
    )


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


def _counts(fit: Fit, treated: np.ndarray, firm: Codes, cluster: Codes) -> Counts:
    treated, firm, cluster = treated[fit.kept], firm[fit.kept], cluster[fit.kept]
    return Counts(
        n_treated=n_groups(firm[treated]),
        n_control=n_groups(firm[~treated]),
        n_obs=fit.n_obs,
        n_clusters=fit.n_clusters,
        n_treated_clusters=n_groups(cluster[treated]),
    )


def _table(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the declared table; columns that no row fills are missing."""
    if frame.empty:
        return empty(dataset)
    return conform(dataset, frame.reindex(columns=list(dataset.columns)))
