"""Rows of the estimators on the flat panel that let effects differ by cohort."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.effects.cohort_regression import (
    CohortFit,
    cohort_average,
    event_mean,
    fit_extended_twoway,
    fit_sun_abraham,
)
from pipeline.effects.counts import Counts, count_sample
from pipeline.effects.covariate_columns import refuse_large
from pipeline.effects.group_time_averages import Average, equal_average
from pipeline.effects.imputation import impute, imputed_average
from pipeline.effects.ledger import Ledger
from pipeline.effects.normal_rows import Behind, normal_rows
from pipeline.effects.rows import (
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
from pipeline.effects.stacks import Floats, firm_covariates
from pipeline.effects.study import Study
from pipeline.effects.summaries import add_summary
from pipeline.effects.twoway import FlatSample, flat_sample
from pipeline.errors import IdentificationError
from pipeline.inference import n_groups
from pipeline.panel_index import Codes
from pipeline.params.estimate import CohortSpec

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
    found = cohort_results(label, spec, flat, sample.stacks.reference, covariates)
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
) -> CohortResults:
    """Estimate one spec on the flat panel; `covariates` (n, k) by row, None for none."""
    clusters = flat.cluster if spec.cluster == "assignment" else flat.firm
    if spec.estimator == "imputation":
        return CohortResults(_imputation_rows(label, spec, flat, clusters), [])
    if spec.estimator == "sun_abraham":
        if not np.isinf(flat.cohort).any():
            return CohortResults(_missing_rows(label, spec, NO_NEVER_TREATED), [])
        found = fit_sun_abraham(flat, reference, clusters)
    else:
        found = fit_extended_twoway(flat, reference, clusters, covariates, spec.effects)
    counts = _counts(found, flat, clusters)
    rows = _regression_rows(label, spec, found, reference, counts)
    is_sun_abraham = spec.estimator == "sun_abraham"
    tests = [_pre_test(label, found, reference, counts)] if is_sun_abraham else []
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
        terms: list[tuple[str, int | None, str | None]] = [(f"event[{e}]", e, None) for e in times]
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


def _pre_test(label: Label, found: CohortFit, reference: int, counts: Counts) -> Row:
    """Test that all cohorts' effects before the reference year are zero."""
    leads = np.flatnonzero(found.event_time < reference)
    before = leads[found.fit.estimable[leads]]
    if not len(before):
        return test_row(label, "pre_trends", note=NO_PRE_YEAR)
    covariance = found.fit.covariance[np.ix_(before, before)]
    tested = f"{len(before)} effects of cohorts and years before entry"
    return joint_test_row(label, counts, tested, found.fit.estimates[before], covariance)


def _counts(found: CohortFit, flat: FlatSample, clusters: Codes) -> Counts:
    return count_sample(found.fit.kept, flat.ever_treated, flat.firm, clusters, entry=_entry(flat))


def _entry(flat: FlatSample) -> NDArray[np.int64]:
    """Return entry years, 0 for firms that never enter."""
    return np.where(np.isfinite(flat.cohort), flat.cohort, 0).astype(np.int64)


def _imputation_rows(
    label: Label, spec: CohortSpec, flat: FlatSample, clusters: Codes
) -> list[Row]:
    imputed = impute(flat)
    usable = imputed.imputable
    if not usable.any():
        reason = "no treated firm-year has an untreated year of its firm to be predicted from"
        return _missing_rows(label, spec, reason)
    event_time = np.where(usable, flat.year - flat.cohort, np.nan)
    averages = []
    for e in np.unique(event_time[usable]).astype(int):
        mass = np.where(event_time == e, flat.weight, 0.0)
        found = imputed_average(imputed, flat, mass / mass.sum(), clusters, f"event[{e}]")
        averages.append(Average(found.term, found.estimate, found.influence, event_time=int(e)))
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
    kept = imputed.untreated | usable
    counts = count_sample(kept, flat.ever_treated, flat.firm, clusters, entry=_entry(flat))
    return normal_rows(label, Behind(counts, float(np.abs(flat.y).max())), parts)
