"""Every estimate that params ask for: spec x design x outcome."""

import numpy as np

from pipeline.effects.analyses import add_analyses
from pipeline.effects.bootstrap import Redo
from pipeline.effects.bootstrap_rows import bootstrap_rows
from pipeline.effects.clusters import Remade, cluster_codes, require_valid
from pipeline.effects.cohort_rows import cohort_results
from pipeline.effects.covariate_columns import refuse_large
from pipeline.effects.description import baseline_facts, outcome_paths, sample_facts
from pipeline.effects.group_time_rows import (
    group_time_pre_test,
    group_time_rows,
    group_time_slopes,
)
from pipeline.effects.group_time_study import spec_effects
from pipeline.effects.ledger import Ledger, Results
from pipeline.effects.lee_rows import lee_rows
from pipeline.effects.match_order import order_facts
from pipeline.effects.matched_difference import difference_results
from pipeline.effects.multiplicity import family_tests
from pipeline.effects.placebo_rows import placebo_row
from pipeline.effects.poisson_stacked import PoissonResults, poisson_results
from pipeline.effects.randomisation_rows import randomisation_rows
from pipeline.effects.romano_wolf import romano_wolf_tests
from pipeline.effects.rows import (
    Label,
    missing_row,
    summary_term,
)
from pipeline.effects.sample import StackedSample, check_comparable
from pipeline.effects.stacked import year_cells
from pipeline.effects.stacked_rows import add_stacked
from pipeline.effects.stacks import firm_covariates
from pipeline.effects.study import Study, asked, outcome_sample
from pipeline.effects.summaries import add_summary
from pipeline.effects.twoway import flat_sample
from pipeline.effects.twoway_rows import add_twoway
from pipeline.errors import IdentificationError
from pipeline.inference import n_groups
from pipeline.params.estimate import (
    CohortSpec,
    GroupTimeSpec,
    LeeBoundsSpec,
    Spec,
    StackedSpec,
)
from pipeline.progress import track
from pipeline.scale import on_scale

STACKED_ONLY = "effects in proportion to the level are estimated by the stacked estimator only"
LINEAR_ONLY = "not available for effects in proportion to the level: linear estimators only"
ONE_WAY_ONLY = (
    "effects in proportion to the level are clustered in one direction only: use cluster: "
    "assignment, firm or components"
)


def estimate_specs(study: Study, redo: Redo | None = None) -> Results:
    """Estimate every spec on its designs and outcomes; return the four results tables.

    What cannot be estimated is a row with the reason. `redo` is what it takes to make weights
    again, for the bootstrap and for other orders of matching. Raises IdentificationError where an
    outcome is never observed before entry, or a spec's inference is not valid for a design.
    """
    _check_inference(study, redo)
    ledger = Ledger()
    wanted = list(asked(study))
    for design, name, specs in track(wanted, "outcomes and designs", len(wanted)):
        if not study.outcomes[name].observed:
            _add_unobserved(ledger, study, specs, design, name)
            continue
        sample = outcome_sample(study, design, name)
        _describe(ledger, study, sample, name)
        for spec in specs:
            _add_spec(ledger, study, spec, sample, name)
    if redo is not None:
        difference_results(ledger, study, redo)
        ledger.estimates += bootstrap_rows(study, redo, ledger.estimates)
        ledger.estimates += randomisation_rows(study, redo, ledger.estimates)
        ledger.facts += order_facts(study, redo)
    ledger.tests += family_tests(ledger.estimates, study.outcomes)
    if study.estimate.romano_wolf is not None:
        ledger.tests += romano_wolf_tests(ledger, study.outcomes, study.estimate.romano_wolf)
    add_analyses(ledger, study, redo)
    return ledger.tables()


def _check_inference(study: Study, redo: Redo | None) -> None:
    """Refuse, before anything is estimated, inference that a design does not allow."""
    for spec in study.estimate.specs:
        if spec.estimator not in ("stacked", "matched_difference"):
            continue
        for design in spec.designs:
            require_valid(spec, study.stacks[design], redo.rule(design) if redo else Remade())


def _add_unobserved(
    ledger: Ledger, study: Study, specs: list[Spec], design: str, name: str
) -> None:
    reason = f"not observed: {study.outcomes[name].reason}"
    for spec in specs:
        _add_missing(ledger, _label(study, spec, design, name), spec, reason)


def _add_missing(ledger: Ledger, label: Label, spec: Spec, reason: str) -> None:
    """Add one row per term asked for, each with the reason."""
    ledger.estimates += [missing_row(label, summary_term(term), reason) for term in spec.terms]


def _describe(ledger: Ledger, study: Study, sample: StackedSample, name: str) -> None:
    design = sample.stacks.design
    ledger.add_facts(design, name, sample_facts(sample))
    if len(sample.y):
        ledger.add_facts(design, name, baseline_facts(sample, study.panel, study.outcomes[name]))
        ledger.paths.append(outcome_paths(sample, name))


def _add_spec(ledger: Ledger, study: Study, spec: Spec, sample: StackedSample, name: str) -> None:
    if spec.estimator == "matched_difference":
        return
    label = _label(study, spec, sample.stacks.design, name)
    try:
        check_comparable(sample)
        if spec.estimator == "lee_bounds":
            _add_lee_bounds(ledger, study, spec, label, sample)
        elif study.outcomes[name].transform == "proportional":
            _add_ratios(ledger, study, spec, label, sample)
        elif spec.estimator == "stacked":
            add_stacked(ledger, study, spec, label, sample)
        elif spec.estimator == "twoway":
            add_twoway(ledger, study, spec, label, sample)
        elif spec.estimator == "group_time":
            _add_group_time(ledger, study, spec, label, sample)
        else:
            _add_cohorts(ledger, study, spec, label, sample)
    except IdentificationError as reason:
        _add_missing(ledger, label, spec, str(reason))


def _add_ratios(
    ledger: Ledger, study: Study, spec: Spec, label: Label, sample: StackedSample
) -> None:
    if spec.estimator != "stacked":
        raise IdentificationError(STACKED_ONLY)
    found = _ratios(study, spec, label, sample)
    ledger.estimates += found.estimates
    ledger.tests += found.tests
    ledger.add_facts(label.design, label.outcome, found.facts)
    ledger.estimates += [
        missing_row(label, "att", LINEAR_ONLY) | {"inference": name}
        for name in spec.asked_beside_analytic
    ]
    if spec.placebo_entry_years is not None:
        alone = spec.model_copy(update={"terms": ["att"]})
        ledger.estimates.append(
            placebo_row(
                study,
                label,
                sample,
                spec.placebo_entry_years,
                lambda early: _ratios(study, alone, label, early).estimates[0],
            )
        )
    add_summary(ledger, study, label, found.estimates)


def _ratios(study: Study, spec: StackedSpec, label: Label, sample: StackedSample) -> PoissonResults:
    clusters = cluster_codes(sample.stacks, spec.cluster)
    if len(clusters) > 1:
        raise IdentificationError(ONE_WAY_ONLY)
    return poisson_results(
        label,
        spec,
        sample,
        cells=year_cells(sample, study.panel, spec.year_effects_by),
        clusters=clusters[0][sample.unit],
        matched=study.matched_on(label.design, label.outcome),
    )


def _add_group_time(
    ledger: Ledger, study: Study, spec: GroupTimeSpec, label: Label, sample: StackedSample
) -> None:
    outcome = study.outcomes[label.outcome]
    values = on_scale(study.panel[outcome.column], outcome)
    effects, n_without_covariates = spec_effects(study, spec, sample.stacks, values)
    rows = group_time_rows(label, spec, effects)
    ledger.estimates += rows
    before = study.treatment.anticipation_years, study.matched_on(label.design, label.outcome)
    ledger.tests.append(group_time_pre_test(label, effects, *before))
    add_summary(ledger, study, label, rows)
    lost = (f"n_without_covariates[{spec.name}]", n_without_covariates, "firms")
    slopes = group_time_slopes(label, effects, *before)
    ledger.add_facts(label.design, label.outcome, [lost, *slopes])


def _add_lee_bounds(
    ledger: Ledger, study: Study, spec: LeeBoundsSpec, label: Label, sample: StackedSample
) -> None:
    stacks, outcome = sample.stacks, study.outcomes[label.outcome]
    if not outcome.in_logs:
        reason = "bounds on the intensive margin need a log or proportional outcome"
        _add_missing(ledger, label, spec, reason)
        return
    levels = study.panel[outcome.column].to_numpy(dtype=np.float64, na_value=np.nan)
    clusters = stacks.cluster if spec.cluster == "assignment" else stacks.firm
    rows, facts = lee_rows(label, stacks, levels, clusters)
    ledger.estimates += rows
    ledger.add_facts(label.design, label.outcome, facts)


def _add_cohorts(
    ledger: Ledger, study: Study, spec: CohortSpec, label: Label, sample: StackedSample
) -> None:
    flat = flat_sample(sample, study.panel)
    covariates = None
    if study.covariates is not None and spec.covariates:
        by_firm = firm_covariates(sample.stacks, study.panel, study.covariates, spec.covariates)
        for name, values in zip(spec.covariates, by_firm.T, strict=True):
            refuse_large(values, name)
        known = np.asarray(np.isfinite(by_firm[flat.firm]).all(axis=1))
        lost = n_groups(flat.firm[~known])
        fact = (f"n_without_covariates[{spec.name}]", lost, "firms")
        ledger.add_facts(label.design, label.outcome, [fact])
        if not known.any():
            raise IdentificationError(
                f"no firm has all of the covariates {', '.join(spec.covariates)}"
            )
        flat = flat.where(known)
        covariates = by_firm[flat.firm]
    matched = study.matched_on(label.design, label.outcome)
    found = cohort_results(label, spec, flat, sample.stacks.reference, covariates, matched=matched)
    ledger.estimates += found.estimates
    ledger.tests += found.tests
    add_summary(ledger, study, label, found.estimates)


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
