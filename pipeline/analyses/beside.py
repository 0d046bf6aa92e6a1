"""What specs add beside their rows: detectable effects, slopes, counts of rows unused."""

import numpy as np

from pipeline.datasets.fits import DETECTABLE, FITS, PRE_TREND_POWER
from pipeline.datasets.samples import BASELINES, SAMPLES
from pipeline.effects.answers import Answer, Task
from pipeline.effects.collected import Collected
from pipeline.effects.comparison_mean import in_own_unit
from pipeline.effects.description import baseline_means, mean_paths, of_all, sample_figures
from pipeline.effects.families import families_that
from pipeline.effects.rows import Label, Row, fit_key
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study
from pipeline.effects.terms import Term
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.detectable import (
    Baseline,
    Slopes,
    by_treated_clusters,
    detectable_row,
    df_of,
    of_leads,
    slope_rows,
)
from pipeline.inference.inferences import Found
from pipeline.inference.pre_trends import PreTrends


def describe(collected: Collected, study: Study, sample: StackedSample, name: str) -> None:
    """Add what a design's sample of one outcome is, and its mean paths."""
    place = {"design": sample.stacks.design, "outcome": name}
    collected.add(SAMPLES, **place, **sample_figures(sample))
    if sample.observed.any():
        outcome = study.outcomes[name]
        means = {} if outcome.post_only else baseline_means(sample, study.panel, outcome)
        for treated, mean in means.items():
            described = {"mean": mean, "unit": outcome.unit, "of_all": of_all(sample, treated)}
            collected.add(BASELINES, **place, treated=treated, **described)
        paths = mean_paths(sample, name)
        own = in_own_unit(study.outcomes, name)
        collected.paths.append(paths.assign(mean=own * paths["mean"]))
        collected.members.add_path(place["design"], name, sample)


def add_beside(
    collected: Collected, task: Task, label: Label, found: Found, test: PreTrends | None
) -> None:
    """Add what a spec's answer says beside its rows."""
    add_unused(collected, label, found.answer)
    for row in slopes(collected, label, test) if test is not None else ():
        collected.add(PRE_TREND_POWER, **row)
    estimator = ESTIMATORS[task.spec.estimator]
    if estimator.beside is not None:
        estimator.beside(collected, task, label)
    if estimator.detectable:
        _add_detectable(collected, task, label, found)


def add_unused(collected: Collected, label: Label, answer: Answer) -> None:
    """Add the counts of what a fit could not use."""
    if answer.unused:
        collected.add(FITS, **fit_key(label), **answer.unused)


def slopes(collected: Collected, label: Label, test: PreTrends) -> list[Row]:
    """Return the slopes that the test, or a single year's, would have found."""
    leads, tested = test.leads, list(test.tested)
    if leads.single is None or leads.single_years is None or not tested:
        return []
    terms = [leads.effects.terms[i] for i in tested]
    jointly = Slopes(leads.years[tested], collected.covariance_of(label, terms))
    if not leads.of_cells:
        return slope_rows(label, jointly, jointly, test.df)
    times = {term.event_time for term in terms}
    own = [i for i, term in enumerate(leads.single.terms) if term.event_time in times]
    single = collected.covariance_of(label, [leads.single.terms[i] for i in own])
    return slope_rows(label, jointly, Slopes(leads.single_years[own], single), test.df)


def _add_detectable(collected: Collected, task: Task, label: Label, found: Found) -> None:
    """Add what the spec's average could have detected, and its leads.

    The minimum detectable effect is normal where the row has no degrees of freedom.
    """
    summary = _summary(found.rows)
    place = {"design": label.design, "outcome": label.outcome, "treated": True}
    outcome = task.study.outcomes[label.outcome]
    mean = collected.figure(BASELINES, "mean", **place)
    baseline = None if outcome.in_percent_of_mean else Baseline(mean, outcome.unit)
    settings = task.study.estimate
    error, df = summary.get("std_error", np.nan), df_of(summary)
    rows = [detectable_row(label, error, df, settings, baseline)]
    rows += of_leads(label, found.rows, settings, task.study.treatment.reference_event_time)
    estimator = ESTIMATORS[task.spec.estimator]
    if estimator.plans and np.isfinite(summary.get("std_error", np.nan)):
        kept = collected.kept_of(label, Term(summary["term"]))
        if kept is not None and kept.by_whole_clusters:
            average = kept.by_cluster.where([Term(summary["term"])])
            normal = not np.isfinite(df)
            rows += by_treated_clusters(label, average, settings, baseline, normal=normal)
    for row in rows:
        collected.add(DETECTABLE, **row)


def _summary(rows: list[Row]) -> Row:
    """Return the row of the average effect, or else of another overall average, if there is one."""
    averages = {row["term"]: row for row in reversed(rows) if row["band"] == "pointwise"}
    overall = families_that(lambda family: family.overall)
    return next((averages[name] for name in overall if name in averages), {})
