"""Rows of the estimators on the flat panel that let effects differ by cohort."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.effects.counts import LONE_IN_COHORT, Counts, count_sample, entry_years_note
from pipeline.effects.covariate_columns import refuse_large
from pipeline.effects.ledger import Ledger
from pipeline.effects.normal_rows import Behind, normal_rows
from pipeline.effects.rows import (
    ALL_MATCHED_ON,
    NO_PRE_YEAR,
    REFERENCE,
    Label,
    Row,
    effect_row,
    fitted_rows,
    joint_test_row,
    missing_row,
    test_row,
)
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacks import Flags, Floats, firm_covariates
from pipeline.effects.study import Study
from pipeline.effects.summaries import add_summary
from pipeline.errors import IdentificationError
from pipeline.estimators.cohort_regression import (
    CohortFit,
    cohort_average,
    event_mean,
    fit_extended_twoway,
    fit_sun_abraham,
    interaction_sample,
)
from pipeline.estimators.group_time.group_time_averages import Average, equal_average
from pipeline.estimators.imputation import impute, imputed_average
from pipeline.estimators.twoway import FlatSample, flat_sample
from pipeline.inference.covariance import n_groups
from pipeline.panel.panel_index import Codes
from pipeline.params.estimate import CohortSpec

NOT_PREDICTED = "no treated firm-year has an untreated year of its firm to be predicted from"
NO_NEVER_TREATED = "the interaction-weighted estimator needs never-treated comparison firms"
AVERAGES = {
    "event": "equal-weight mean over event times from entry on",
    "simple": "mean over treated firm-years",
}


@dataclass(frozen=True)
class CohortResults:
    """Hold rows of ESTIMATES and TESTS."""

    estimates: list[Row]
    tests: list[Row]


def add_cohorts(
    ledger: Ledger, study: Study, spec: CohortSpec, label: Label, sample: StackedSample
) -> None:
    """Add every row, test and fact of a spec on one design and outcome."""
    flat, covariates = _with_covariates(ledger, study, spec, label, sample)
    matched = study.matched_on(label.design, label.outcome)
    found = cohort_results(label, spec, flat, sample.stacks.reference, covariates, matched=matched)
    ledger.estimates += found.estimates
    ledger.tests += found.tests
    add_summary(ledger, study, label, found.estimates)


def _with_covariates(
    ledger: Ledger, study: Study, spec: CohortSpec, label: Label, sample: StackedSample
) -> tuple[FlatSample, Floats | None]:
    """Return the flat panel of firms that have the spec's covariates, and these (n, k) by row.

    The firms that lack one are counted in FACTS; raises IdentificationError where all do.
    """
    flat = flat_sample(sample, study.panel)
    if study.covariates is None or not spec.covariates:
        return flat, None
    by_firm = firm_covariates(sample.stacks, study.panel, study.covariates, spec.covariates)
    for name, values in zip(spec.covariates, by_firm.T, strict=True):
        refuse_large(values, name)
    known = np.asarray(np.isfinite(by_firm[flat.firm]).all(axis=1))
    fact = (f"n_without_covariates[{spec.name}]", n_groups(flat.firm[~known]), "firms")
    ledger.add_facts(label.design, label.outcome, [fact])
    if not known.any():
        raise IdentificationError(f"no firm has all of the covariates {', '.join(spec.covariates)}")
    flat = flat.where(known)
    return flat, by_firm[flat.firm]


def cohort_results(
    label: Label,
    spec: CohortSpec,
    flat: FlatSample,
    reference: int,
    covariates: Floats | None,
    *,
    matched: frozenset[int],
) -> CohortResults:
    """Estimate one spec on the flat panel; `covariates` (n, k) by row, None for none.

    `matched` are the event times that the design matched on, which the pre-trend test leaves out.
    """
    flat = interaction_sample(flat) if spec.estimator == "sun_abraham" else flat
    clusters = flat.cluster if spec.cluster == "assignment" else flat.firm
    if spec.estimator == "imputation":
        return CohortResults(_imputation_rows(label, spec, flat, clusters), [])
    if spec.estimator == "sun_abraham":
        if not np.isinf(flat.cohort).any():
            return CohortResults(_missing_rows(label, spec, NO_NEVER_TREATED), [])
        found = fit_sun_abraham(flat, reference, clusters)
    else:
        found = fit_extended_twoway(flat, reference, clusters, covariates, spec.effects)
    counts = _counts(found.fit.kept, flat, clusters)
    rows = _regression_rows(label, spec, found, reference, counts)
    is_sun_abraham = spec.estimator == "sun_abraham"
    tests = [_pre_test(label, found, reference, matched, counts)] if is_sun_abraham else []
    return CohortResults(rows, tests)


def _missing_rows(label: Label, spec: CohortSpec, reason: str) -> list[Row]:
    terms = {"att": "att", "event": "event_average"}
    return [missing_row(label, terms[term], reason) for term in spec.terms]


def _regression_rows(
    label: Label, spec: CohortSpec, found: CohortFit, reference: int, counts: Counts
) -> list[Row]:
    rows: list[Row] = []
    if "att" in spec.terms:
        average = (
            event_mean(found)
            if spec.average == "event"
            else cohort_average(found, found.event_time >= 0)
        )
        rows += _rows(label, counts, [("att", None, AVERAGES[spec.average])], [average])
    if "event" in spec.terms:
        times = [int(e) for e in np.unique(found.event_time)]
        terms: list[tuple[str, int | None, str | None]] = [
            (f"event[{e}]", e, _years_note(counts, e)) for e in times
        ]
        averages = [cohort_average(found, found.event_time == e) for e in times]
        terms.append(("event_average", None, AVERAGES["event"]))
        rows += _rows(label, counts, terms, [*averages, event_mean(found)])
        rows.append(
            effect_row(
                label,
                f"event[{reference}]",
                event_time=reference,
                estimate=0.0,
                note=REFERENCE,
                **counts.columns,
            )
        )
    return rows


def _rows(
    label: Label,
    counts: Counts,
    terms: list[tuple[str, int | None, str | None]],
    averages: list[tuple[float, float]],
) -> list[Row]:
    """Return fitted rows, and rows with a reason where a cell had no estimate."""
    values = np.array(averages)
    known = np.isfinite(values[:, 0])
    chosen = [term for term, is_known in zip(terms, known, strict=True) if is_known]
    rows = fitted_rows(label, counts, chosen, values[known, 0], values[known, 1])
    reason = "an effect of a cohort in a year is collinear with the absorbed effects"
    return rows + [
        missing_row(label, term, reason, event_time)
        for (term, event_time, _), is_known in zip(terms, known, strict=True)
        if not is_known
    ]


def _pre_test(
    label: Label, found: CohortFit, reference: int, matched: frozenset[int], counts: Counts
) -> Row:
    """Test that all cohorts' effects before the reference year are zero, but for those matched on.

    Effects without a standard error of their own are left out, and counted.
    """
    leads = np.flatnonzero((found.event_time < reference) & found.fit.estimable[: len(found.mass)])
    free = leads[~np.isin(found.event_time[leads], list(matched))]
    if not len(free):
        return test_row(label, "pre_trends", note=ALL_MATCHED_ON if len(leads) else NO_PRE_YEAR)
    alone = np.array([_is_lone(counts, found, cell) for cell in free])
    tested = f"{(~alone).sum() or len(free)} effects of cohorts and years before entry"
    if alone.all():
        return test_row(label, "pre_trends", note=f"{tested}: {LONE_IN_COHORT}")
    tested += f", {alone.sum()} without a standard error left out" if alone.any() else ""
    left_out = len(leads) - len(free)
    tested += f", {left_out} matched on left out" if left_out else ""
    covariance = found.fit.covariance[np.ix_(free[~alone], free[~alone])]
    return joint_test_row(label, counts, tested, found.fit.estimates[free[~alone]], covariance)


def _is_lone(counts: Counts, found: CohortFit, cell: int) -> bool:
    """Say whether a cell's treated firms lie in one cluster, though others' do not."""
    years = counts.entry_years_at.get(int(found.event_time[cell]), {})
    return counts.too_few is None and years.get(int(found.cohort[cell]), False)


def _years_note(counts: Counts, event_time: int) -> str | None:
    return entry_years_note(counts.entry_years_at.get(event_time, {}), counts.n_entry_years)


def _counts(kept: Flags, flat: FlatSample, clusters: Codes) -> Counts:
    entry = np.where(flat.ever_treated, flat.cohort, 0).astype(np.int64)
    return count_sample(
        kept, flat.ever_treated, flat.firm, clusters, entry=entry, event_time=flat.year - entry
    )


def _imputation_rows(
    label: Label, spec: CohortSpec, flat: FlatSample, clusters: Codes
) -> list[Row]:
    imputed = impute(flat)
    usable = imputed.imputable
    if not usable.any():
        return _missing_rows(label, spec, NOT_PREDICTED)
    counts = _counts(imputed.untreated | usable, flat, clusters)
    event_time = np.where(usable, flat.year - flat.cohort, np.nan)
    averages = []
    for e in np.unique(event_time[usable]).astype(int).tolist():
        mass = np.where(event_time == e, flat.weight, 0.0)
        found = imputed_average(imputed, flat, mass / mass.sum(), clusters, f"event[{e}]")
        averages.append(replace(found, event_time=e, note=_years_note(counts, e)))
    mass = np.where(usable, flat.weight, 0.0)
    simple = imputed_average(imputed, flat, mass / mass.sum(), clusters, "att")
    event = equal_average(averages, "event_average")
    chosen = simple if spec.average == "simple" else event
    lost = int((flat.treated_post & ~usable).sum())
    note = AVERAGES[spec.average] + (f"; {lost} treated firm-years not predicted" if lost else "")
    parts = [Average("att", chosen.estimate, chosen.influence, note=note)]
    parts = parts * ("att" in spec.terms)
    if "event" in spec.terms:
        parts += [*averages, event]
    return normal_rows(label, Behind(counts, float(np.abs(flat.y).max())), parts)
