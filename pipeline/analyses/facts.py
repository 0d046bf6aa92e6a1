"""What specs add beside their rows: detectable effects, slopes, counts of rows unused."""

import numpy as np

from pipeline.effects.answers import Answer
from pipeline.effects.collected import Collected
from pipeline.effects.description import Fact, baseline_facts, outcome_paths, sample_facts
from pipeline.effects.rows import Label, Row
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study
from pipeline.effects.tasks import Task
from pipeline.effects.terms import Term
from pipeline.estimators.decomposition import decomposition
from pipeline.estimators.ratios import concentration
from pipeline.estimators.registry import ESTIMATORS
from pipeline.estimators.twoway import flat_sample
from pipeline.inference.analytic import Inferred, infer
from pipeline.inference.detectable import (
    Baseline,
    Slopes,
    by_treated_clusters,
    effect_facts,
    slope_facts,
)
from pipeline.inference.inferences import Found
from pipeline.inference.pre_trends import PreTrends

_UNITS = {
    "n_singletons": "firm-years",
    "n_all_zero": "firm-years",
    "n_separated": "firm-years",
    "trimmed_treated": "share",
    "trimmed_comparison": "share",
}


def describe(collected: Collected, study: Study, sample: StackedSample, name: str) -> None:
    """Add what a design's sample of one outcome is, and its mean paths."""
    design = sample.stacks.design
    collected.add_facts(design, name, sample_facts(sample))
    if len(sample.y):
        baseline = baseline_facts(sample, study.panel, study.outcomes[name])
        collected.add_facts(design, name, baseline)
        collected.paths.append(outcome_paths(sample, name))


def add_beside(
    collected: Collected, task: Task, label: Label, found: Found, test: PreTrends | None
) -> None:
    """Add what a spec's answer says beside its rows."""
    design, outcome = label.design, label.outcome
    facts = unused_facts(label, found.answer)
    if test is not None:
        facts += _slopes(label, test)
    if task.in_ratios and task.spec.estimator == "stacked":
        facts += _concentration(task.sample)
    collected.add_facts(design, outcome, facts)
    if not ESTIMATORS[task.spec.estimator].inference & {"imbens_manski", "abadie_imbens"}:
        _add_detectable(collected, task, label, found)
    if task.spec.estimator == "twoway":
        row, comparisons = decomposition(label, flat_sample(task.sample, task.study.panel))
        collected.tests.append(row)
        collected.add_facts(design, outcome, comparisons)


def unused_facts(label: Label, answer: Answer) -> list[Fact]:
    """Return the counts of what a fit could not use."""
    return [
        (f"{name}[{label.estimator}]", value, _UNITS.get(name, "firms"))
        for name, value in answer.unused.items()
    ]


def _concentration(sample: StackedSample) -> list[Fact]:
    """Return the shares of the largest firms in each group's total."""
    groups = {True: "treated", False: "comparison"}
    return [
        (f"{name}_{groups[treated]}", share, "share")
        for treated, shares in concentration(sample).items()
        for name, share in shares.items()
    ]


def _slopes(label: Label, test: PreTrends) -> list[Fact]:
    """Return the slopes that the test, or a single year's, would have found."""
    leads, inferred = test.leads, test.inferred
    if leads.single is None or leads.single_years is None or inferred is None or not test.tested:
        return []
    tested = list(test.tested)
    known = np.nan if inferred.counts.too_few else 1.0
    jointly = Slopes(leads.years[tested], known * inferred.covariance[np.ix_(tested, tested)])
    if not leads.of_cells:
        return slope_facts(label, jointly, jointly, inferred.df)
    times = {leads.effects.terms[i].event_time for i in tested}
    single = infer(leads.single, label.cluster)
    own = [i for i, term in enumerate(leads.single.terms) if term.event_time in times]
    alone = Slopes(leads.single_years[own], single.covariance[np.ix_(own, own)])
    return slope_facts(label, jointly, alone, inferred.df)


def _add_detectable(collected: Collected, task: Task, label: Label, found: Found) -> None:
    """Add what the spec's average could have detected, and keep its influences by cluster.

    The minimum detectable effect is normal where the row has no degrees of freedom.
    """
    summary = _summary(found.rows)
    baseline = Baseline(
        collected.fact(label.design, label.outcome, "baseline_mean_treated"),
        task.study.outcomes[label.outcome].unit,
    )
    settings = task.study.estimate
    facts = effect_facts(label, summary, settings, baseline)
    estimator = ESTIMATORS[task.spec.estimator]
    if estimator.plans and np.isfinite(summary.get("std_error", np.nan)):
        behind = _average(found.inferred, summary["term"])
        if behind is not None:
            inferred, influence = behind
            if estimator.joint and not task.in_ratios:
                collected.influences[label.design, label.estimator, label.outcome] = influence
            facts += by_treated_clusters(
                label,
                influence,
                _treated_clusters(inferred, len(influence)),
                settings,
                baseline,
                normal=not np.isfinite(inferred.df),
            )
    collected.add_facts(label.design, label.outcome, facts)


def _summary(rows: list[Row]) -> Row:
    """Return the row of the average effect, or else of the mean over event times."""
    averages = {row["term"]: row for row in reversed(rows) if row["band"] == "pointwise"}
    return averages.get("att") or averages.get("event_average") or {}


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
