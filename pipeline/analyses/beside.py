"""What specs add beside their rows: detectable effects, slopes, counts of rows unused."""

import numpy as np

from pipeline.datasets.fits import DETECTABLE, FITS, PRE_TREND_POWER
from pipeline.datasets.samples import BASELINES, SAMPLES
from pipeline.effects.answers import Answer
from pipeline.effects.collected import Collected
from pipeline.effects.description import baseline_means, mean_paths, sample_figures
from pipeline.effects.families import families_that
from pipeline.effects.populations import Population
from pipeline.effects.rows import Label, Row, fit_key
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study
from pipeline.effects.tasks import Task
from pipeline.effects.terms import Term
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.analytic import Inferred, infer
from pipeline.inference.detectable import (
    Baseline,
    Slopes,
    by_treated_clusters,
    detectable_row,
    slope_rows,
)
from pipeline.inference.inferences import Found
from pipeline.inference.pre_trends import PreTrends


def describe(collected: Collected, study: Study, sample: StackedSample, name: str) -> None:
    """Add what a design's sample of one outcome is, and its mean paths."""
    place = {"design": sample.stacks.design, "outcome": name}
    collected.add(SAMPLES, **place, **sample_figures(sample))
    if len(sample.y):
        outcome = study.outcomes[name]
        for treated, mean in baseline_means(sample, study.panel, outcome).items():
            collected.add(BASELINES, **place, treated=treated, mean=mean, unit=outcome.unit)
        collected.paths.append(mean_paths(sample, name))
        collected.members.add_path(Population(place["design"], name), sample)


def add_beside(
    collected: Collected, task: Task, label: Label, found: Found, test: PreTrends | None
) -> None:
    """Add what a spec's answer says beside its rows."""
    add_unused(collected, label, found.answer)
    for row in slopes(label, test) if test is not None else ():
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


def slopes(label: Label, test: PreTrends) -> list[Row]:
    """Return the slopes that the test, or a single year's, would have found."""
    leads, inferred = test.leads, test.inferred
    if leads.single is None or leads.single_years is None or inferred is None or not test.tested:
        return []
    tested = list(test.tested)
    known = np.nan if inferred.counts.too_few else 1.0
    jointly = Slopes(leads.years[tested], known * inferred.covariance[np.ix_(tested, tested)])
    if not leads.of_cells:
        return slope_rows(label, jointly, jointly, inferred.df)
    times = {leads.effects.terms[i].event_time for i in tested}
    single = infer(leads.single, label.cluster)
    own = [i for i, term in enumerate(leads.single.terms) if term.event_time in times]
    alone = Slopes(leads.single_years[own], single.covariance[np.ix_(own, own)])
    return slope_rows(label, jointly, alone, inferred.df)


def _add_detectable(collected: Collected, task: Task, label: Label, found: Found) -> None:
    """Add what the spec's average could have detected, and keep its influences by cluster.

    The minimum detectable effect is normal where the row has no degrees of freedom.
    """
    summary = _summary(found.rows)
    place = {"design": label.design, "outcome": label.outcome, "treated": True}
    unit = task.study.outcomes[label.outcome].unit
    baseline = Baseline(collected.figure(BASELINES, "mean", **place), unit)
    settings = task.study.estimate
    error, df = summary.get("std_error", np.nan), summary.get("df", np.nan)
    df = df if np.isfinite(df) else np.inf
    rows = [detectable_row(label, error, df, settings, baseline)]
    estimator = ESTIMATORS[task.spec.estimator]
    if estimator.plans and np.isfinite(summary.get("std_error", np.nan)):
        behind = _average(found.inferred, summary["term"])
        if behind is not None:
            inferred, influence = behind
            if estimator.joint and not task.in_ratios:
                collected.influences[label.design, label.estimator, label.outcome] = influence
            rows += by_treated_clusters(
                label,
                influence,
                _treated_clusters(inferred, len(influence)),
                settings,
                baseline,
                normal=not np.isfinite(inferred.df),
            )
    for row in rows:
        collected.add(DETECTABLE, **row)


def _summary(rows: list[Row]) -> Row:
    """Return the row of the average effect, or else of another overall average, if there is one."""
    averages = {row["term"]: row for row in reversed(rows) if row["band"] == "pointwise"}
    overall = families_that(lambda family: family.overall)
    return next((averages[name] for name in overall if name in averages), {})


def _average(found: list[Inferred], family: str) -> tuple[Inferred, np.ndarray] | None:
    """Return the result that has the average, and each cluster's influence on it."""
    for inferred in found:
        part = inferred.part(Term(family))
        if part is not None:
            return inferred, part
    return None


def _treated_clusters(inferred: Inferred, n_clusters: int) -> np.ndarray:
    """Mark the clusters (G,) with treated firms."""
    seen = inferred.estimated.seen
    treated = np.zeros(n_clusters, dtype=np.bool_)
    treated[inferred.clusters[0][seen.firm[seen.treated]]] = True
    return treated
