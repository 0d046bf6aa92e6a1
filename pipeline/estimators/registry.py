"""Every estimator that params can name: a new one is a module and a row here.

A row says what the rest of the pipeline must know of an estimator; what a row leaves out is an
error, never a silent default.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.effects.adjusted_sample import adjusted_sample
from pipeline.effects.answers import Answer
from pipeline.effects.resolved import (
    Asked,
    Resolved,
    on_cells,
    on_changes,
    on_flat_panel,
    on_stacks,
)
from pipeline.effects.sample import check_comparable
from pipeline.effects.tasks import Task
from pipeline.effects.terms import ATT, Term
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.cohorts import estimate_cohorts, with_covariates
from pipeline.estimators.group_time.estimate import estimate_group_time
from pipeline.estimators.group_time.truth import true_group_time
from pipeline.estimators.lee_bounds import estimate_lee
from pipeline.estimators.ratios import estimate_ratios, true_ratios
from pipeline.estimators.stacked import (
    estimate_stacked,
    stacked_terms,
    treated_without_comparison,
    year_cells,
)
from pipeline.estimators.twoway import estimate_twoway, flat_sample, true_event_mean, true_twoway
from pipeline.params.estimate import (
    CohortSpec,
    GroupTimeSpec,
    LeeBoundsSpec,
    MatchedDifferenceSpec,
    StackedSpec,
    TwowaySpec,
)
from pipeline.params.spec_options import EstimatesAsked

STACKED_ONLY = Reason("ratios_by_stacked_only")

Estimate = Callable[[Task], Answer]
Resolve = Callable[[Asked], Resolved]
Truth = Callable[[Task, Floats], Mapping[Term, float]]


@dataclass(frozen=True)
class Estimator:
    """Hold what the pipeline must know of one estimator.

    `settings` is its class of specs, `words` the key of what exhibits say of it. `estimate`
    answers a task, `in_ratios` one whose outcome is in proportion to the level (None: no such
    effect), neither where it matches firms anew (None: see `estimators.matched_difference`).
    `resolved` tells what a spec's settings come to, for SPECS. `pools` says whether it takes
    each firm-year once, whatever entry year it is compared in, `pre_trends` whether its effects
    before entry are tested together. `truth` gives what it should find of true effects by PANEL
    row (None: it has no truth of its own). `inference` names what may stand beside its analytic
    errors, `plans` says whether detectable effects are told for other numbers of treated
    clusters, `joint` whether its averages enter tests over several outcomes.
    """

    settings: tuple[type[EstimatesAsked], ...]
    words: str
    estimate: Estimate | None
    in_ratios: Estimate | None
    resolved: Resolve
    pools: bool
    pre_trends: bool
    truth: Truth | None
    inference: frozenset[str]
    plans: bool
    joint: bool

    def answer(self, task: Task) -> Answer:
        """Answer a task; raise IdentificationError where nothing can be estimated."""
        estimate = self.in_ratios if task.in_ratios else self.estimate
        if estimate is None:
            raise IdentificationError(STACKED_ONLY)
        check_comparable(task.sample)
        return estimate(task)


def _adjusted(task: Task, estimate: Callable[..., Answer]) -> Answer:
    """Answer on the firms with the spec's covariates, and count those without."""
    study, spec = task.study, task.spec
    sample, lost = adjusted_sample(study, spec, task.sample, task.outcome)
    unused: dict[str, float] = {}
    if spec.covariates:
        unused["n_without_covariates"] = lost
        check_comparable(sample)
    if spec.year_effects_by is not None:
        cells = year_cells(sample, study.panel, spec.year_effects_by)
        unused["n_treated_without_comparison"] = treated_without_comparison(sample, cells)
    answer = estimate(study, spec, sample)
    return replace(answer, unused={**_singletons(answer), **answer.unused, **unused})


def _singletons(answer: Answer) -> dict[str, float]:
    """Count the firm-years that the first regression dropped because alone in an effect."""
    regressions = [r.regression for r in answer.results if r.regression is not None]
    return {"n_singletons": regressions[0].n_singletons} if regressions else {}


def _stacked(task: Task) -> Answer:
    return _adjusted(task, estimate_stacked)


def _ratios(task: Task) -> Answer:
    return _adjusted(task, estimate_ratios)


def _twoway(task: Task) -> Answer:
    answer = estimate_twoway(task.study, task.spec, task.sample)
    return replace(answer, unused=_singletons(answer))


def _cohorts(task: Task) -> Answer:
    answer = estimate_cohorts(task.study, task.spec, task.sample)
    lost = with_covariates(task.study, task.spec, task.sample)[2]
    return replace(answer, unused={"n_without_covariates": lost} if task.spec.covariates else {})


def _group_time(task: Task) -> Answer:
    answer, lost = estimate_group_time(task.study, task.spec, task.sample, task.outcome)
    return replace(answer, unused={"n_without_covariates": lost})


def _lee(task: Task) -> Answer:
    return estimate_lee(task.study, task.sample.stacks, task.outcome)


def _true_stacked(task: Task, effect: Floats) -> Mapping[Term, float]:
    """Apply the estimator to the true effects, which are zero before entry."""
    study, spec = task.study, task.spec
    sample, _ = adjusted_sample(study, spec, task.sample, task.outcome)
    after = sample.treated & (sample.event_time >= 0)
    own = np.where(after, effect[sample.panel_row], 0.0)
    if task.in_ratios:
        return true_ratios(sample, own, spec)
    return stacked_terms(sample, own, spec, year_cells(sample, study.panel, spec.year_effects_by))


def _true_twoway(task: Task, effect: Floats) -> Mapping[Term, float]:
    """Average the true effects over treated firm-years."""
    flat = flat_sample(task.sample, task.study.panel)
    return {ATT: true_twoway(flat, effect[flat.panel_row])}


def _true_cohorts(task: Task, effect: Floats) -> Mapping[Term, float]:
    """Average the true effects over treated firm-years, or over event times."""
    if task.spec.average == "simple":
        return _true_twoway(task, effect)
    flat = flat_sample(task.sample, task.study.panel)
    return {ATT: true_event_mean(flat, effect[flat.panel_row])}


def _true_group_time(task: Task, effect: Floats) -> Mapping[Term, float]:
    return {ATT: true_group_time(task.study, task.spec, task.sample.stacks, effect)}


def _stacked_rules(asked: Asked) -> Resolved:
    return on_stacks(asked, "poisson" if asked.in_ratios else "least_squares")


def _twoway_rules(asked: Asked) -> Resolved:
    return on_flat_panel(asked, "least_squares", average="pooled", firm_effects="firm")


def _cohort_rules(asked: Asked, method: str = "least_squares") -> Resolved:
    return on_flat_panel(asked, method, asked.spec.average, asked.spec.effects)


def _imputation_rules(asked: Asked) -> Resolved:
    return _cohort_rules(asked, "imputation")


def _sun_abraham_rules(asked: Asked) -> Resolved:
    """Return the rules of the flat panel, but that cells are against the reference year."""
    flat = replace(_cohort_rules(asked), base="reference_year")
    return replace(flat, event_base="universal") if "event" in asked.spec.terms else flat


def _lee_rules(asked: Asked) -> Resolved:
    return on_changes(asked, "trimmed_means")


def _difference_rules(asked: Asked) -> Resolved:
    """Return the rules of changes among the firms that have them, matched once more."""
    changes = on_changes(asked, "matching")
    return replace(changes, gaps="with_difference", weights="matched_anew")


_FEW_CLUSTERS = frozenset({"bias_reduced", "wild_bootstrap", "cluster_bootstrap", "randomisation"})


def _row(settings: type[EstimatesAsked], words: str, **traits: Any) -> Estimator:
    return Estimator(settings=(settings,), words=words, **traits)


ESTIMATORS: dict[str, Estimator] = {
    "stacked": _row(
        StackedSpec,
        "stacked",
        estimate=_stacked,
        in_ratios=_ratios,
        resolved=_stacked_rules,
        pools=False,
        pre_trends=True,
        truth=_true_stacked,
        inference=_FEW_CLUSTERS,
        plans=True,
        joint=True,
    ),
    "twoway": _row(
        TwowaySpec,
        "twoway",
        estimate=_twoway,
        in_ratios=None,
        resolved=_twoway_rules,
        pools=True,
        pre_trends=False,
        truth=_true_twoway,
        inference=frozenset({"bias_reduced"}),
        plans=True,
        joint=True,
    ),
    "group_time": _row(
        GroupTimeSpec,
        "group_time",
        estimate=_group_time,
        in_ratios=None,
        resolved=on_cells,
        pools=False,
        pre_trends=True,
        truth=_true_group_time,
        inference=frozenset(),
        plans=True,
        joint=False,
    ),
    **{
        name: _row(
            CohortSpec,
            "cohort",
            estimate=_cohorts,
            in_ratios=None,
            resolved=rules,
            pools=True,
            pre_trends=name == "sun_abraham",
            truth=_true_cohorts,
            inference=frozenset(),
            plans=False,
            joint=False,
        )
        for name, rules in (
            ("sun_abraham", _sun_abraham_rules),
            ("extended_twoway", _cohort_rules),
            ("imputation", _imputation_rules),
        )
    },
    "lee_bounds": _row(
        LeeBoundsSpec,
        "lee_bounds",
        estimate=_lee,
        in_ratios=_lee,
        resolved=_lee_rules,
        pools=False,
        pre_trends=False,
        truth=None,
        inference=frozenset({"imbens_manski"}),
        plans=False,
        joint=False,
    ),
    "matched_difference": _row(
        MatchedDifferenceSpec,
        "matched_difference",
        estimate=None,
        in_ratios=None,
        resolved=_difference_rules,
        pools=False,
        pre_trends=False,
        truth=None,
        inference=frozenset({"abadie_imbens"}),
        plans=False,
        joint=False,
    ),
}
