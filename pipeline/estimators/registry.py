"""Every estimator that params can name: a new one is a module and a row here."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.effects.adjusted_sample import adjusted_sample
from pipeline.effects.answers import Answer, Task
from pipeline.effects.resolved import (
    Asked,
    Resolved,
    on_cells,
    on_changes,
    on_flat_panel,
    on_stacks,
)
from pipeline.effects.sample import StackedSample, check_comparable
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT, Term
from pipeline.estimators.cohorts import (
    estimate_extended_twoway,
    estimate_imputation,
    estimate_sun_abraham,
    extended_twoway_rules,
    imputation_rules,
    sun_abraham_rules,
    true_cohorts,
)
from pipeline.estimators.cross_section import (
    cross_section_rules,
    estimate_cross_section,
    true_cross_section,
)
from pipeline.estimators.decomposition import add_decomposition
from pipeline.estimators.estimator import Estimator, Redone
from pipeline.estimators.flat_panel import flat_of
from pipeline.estimators.group_time.estimate import estimate_group_time
from pipeline.estimators.group_time.truth import true_group_time
from pipeline.estimators.lee_bounds import estimate_lee
from pipeline.estimators.matched_difference import difference_task, estimate_differences
from pipeline.estimators.ratios import add_concentration, estimate_ratios, true_ratios
from pipeline.estimators.stacked import (
    estimate_stacked,
    stacked_terms,
    treated_without_comparison,
)
from pipeline.estimators.twoway import estimate_twoway, true_twoway
from pipeline.estimators.year_cells import year_cells
from pipeline.matching.redo import Redo
from pipeline.params.cohort_specs import ExtendedTwowaySpec, ImputationSpec, SunAbrahamSpec
from pipeline.params.cross_section_spec import CrossSectionSpec
from pipeline.params.estimate import (
    LeeBoundsSpec,
    MatchedDifferenceSpec,
    StackedSpec,
    TwowaySpec,
)
from pipeline.params.group_time_spec import GroupTimeSpec


def _adjusted(task: Task, estimate: Callable[..., Answer]) -> Answer:
    """Answer on the firms with the spec's covariates, and count those without."""
    study, spec = task.study, task.spec
    sample, lost = adjusted_sample(study, spec, task.sample, task.outcome)
    unused: dict[str, float] = {}
    if spec.covariates or spec.option("weight_by"):
        unused["n_without_covariates"] = lost
        check_comparable(sample)
    if spec.year_effects_by is not None:
        cells = year_cells(sample, study.panel, spec.year_effects_by)
        unused["n_treated_without_comparison"] = treated_without_comparison(sample, cells.codes)
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


def _stacked_again(task: Task) -> Answer:
    estimate = estimate_ratios if task.in_ratios else estimate_stacked
    return estimate(task.study, task.spec, task.sample)


def _stacked_terms(study: Study, spec: StackedSpec, sample: StackedSample) -> Mapping[Term, float]:
    cells = year_cells(sample, study.panel, spec.year_effects_by)
    return stacked_terms(sample, sample.y, spec, cells)


def _alike_when_stacked(spec: StackedSpec) -> tuple[str, ...] | None:
    """Return what year effects are by; covariates are each firm's own."""
    if spec.covariates:
        return None
    return () if spec.year_effects_by is None else (spec.year_effects_by,)


def _is_event_study(spec: StackedSpec) -> bool:
    """Say whether the average is of year effects by entry year, without covariates."""
    return spec.average == "event" and not spec.covariates and spec.year_effects_by is None


def _twoway(task: Task) -> Answer:
    flat, unused = flat_of(task)
    answer = estimate_twoway(task.spec, flat, task.sample.stacks.reference)
    return replace(answer, unused={**_singletons(answer), **unused})


def _group_time(task: Task) -> Answer:
    return estimate_group_time(task.study, task.spec, task.sample, task.outcome)


def _differences(
    study: Study, spec: MatchedDifferenceSpec, redo: Redo, design: str
) -> Callable[[str], Answer]:
    return partial(estimate_differences, difference_task(study, spec, redo, design))


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
    flat, _ = flat_of(task)
    return {ATT: true_twoway(replace(flat, ends=None), effect[flat.panel_row])}


def _true_group_time(task: Task, effect: Floats) -> Mapping[Term, float]:
    return {ATT: true_group_time(task.study, task.spec, task.sample.stacks, effect)}


def _stacked_rules(asked: Asked) -> Resolved:
    return on_stacks(asked, "poisson" if asked.in_ratios else "least_squares")


def _twoway_rules(asked: Asked) -> Resolved:
    found = on_flat_panel(asked, "least_squares", average="pooled", firm_effects="firm")
    if not asked.spec.bins:
        return found
    return replace(found, event_base="universal", end_bins=f"untested_{asked.spec.end_bins}")


def _difference_rules(asked: Asked) -> Resolved:
    """Return the rules of changes among the firms that have them, matched once more."""
    changes = on_changes(asked, "matching")
    return replace(changes, gaps=("with_difference",), weights="matched_anew")


_FEW_CLUSTERS = frozenset({"bias_reduced", "wild_bootstrap", "cluster_bootstrap", "randomisation"})


ESTIMATORS: dict[str, Estimator] = {
    "stacked": Estimator(
        settings=StackedSpec,
        words="stacked",
        estimate=_stacked,
        in_ratios=_ratios,
        anew=None,
        redone=Redone(_stacked_again, _stacked_terms, _alike_when_stacked, _is_event_study),
        resolved=_stacked_rules,
        beside=add_concentration,
        changes=True,
        pools=False,
        pre_trends=True,
        truth=_true_stacked,
        inference=_FEW_CLUSTERS,
        detectable=True,
        plans=True,
        joint=True,
        in_stata=True,
    ),
    "twoway": Estimator(
        settings=TwowaySpec,
        words="twoway",
        estimate=_twoway,
        in_ratios=None,
        anew=None,
        redone=None,
        resolved=_twoway_rules,
        beside=add_decomposition,
        changes=True,
        pools=True,
        pre_trends=False,
        truth=_true_twoway,
        inference=frozenset({"bias_reduced"}),
        detectable=True,
        plans=True,
        joint=True,
        in_stata=False,
    ),
    "group_time": Estimator(
        settings=GroupTimeSpec,
        words="group_time",
        estimate=_group_time,
        in_ratios=None,
        anew=None,
        redone=None,
        resolved=on_cells,
        beside=None,
        changes=True,
        pools=False,
        pre_trends=True,
        truth=_true_group_time,
        inference=frozenset(),
        detectable=True,
        plans=True,
        joint=False,
        in_stata=True,
    ),
    "sun_abraham": Estimator(
        settings=SunAbrahamSpec,
        words="cohort",
        estimate=estimate_sun_abraham,
        in_ratios=None,
        anew=None,
        redone=None,
        resolved=sun_abraham_rules,
        beside=None,
        changes=True,
        pools=True,
        pre_trends=True,
        truth=true_cohorts,
        inference=frozenset(),
        detectable=True,
        plans=False,
        joint=False,
        in_stata=False,
    ),
    "extended_twoway": Estimator(
        settings=ExtendedTwowaySpec,
        words="cohort",
        estimate=estimate_extended_twoway,
        in_ratios=None,
        anew=None,
        redone=None,
        resolved=extended_twoway_rules,
        beside=None,
        changes=True,
        pools=True,
        pre_trends=False,
        truth=true_cohorts,
        inference=frozenset(),
        detectable=True,
        plans=False,
        joint=False,
        in_stata=False,
    ),
    "imputation": Estimator(
        settings=ImputationSpec,
        words="cohort",
        estimate=estimate_imputation,
        in_ratios=None,
        anew=None,
        redone=None,
        resolved=imputation_rules,
        beside=None,
        changes=True,
        pools=True,
        pre_trends=False,
        truth=true_cohorts,
        inference=frozenset(),
        detectable=True,
        plans=False,
        joint=False,
        in_stata=False,
    ),
    "cross_section": Estimator(
        settings=CrossSectionSpec,
        words="cross_section",
        estimate=estimate_cross_section,
        in_ratios=None,
        anew=None,
        redone=None,
        resolved=cross_section_rules,
        beside=None,
        changes=False,
        pools=False,
        pre_trends=False,
        truth=true_cross_section,
        inference=frozenset({"hc3"}),
        detectable=True,
        plans=False,
        joint=True,
        in_stata=False,
    ),
    "lee_bounds": Estimator(
        settings=LeeBoundsSpec,
        words=None,
        estimate=_lee,
        in_ratios=_lee,
        anew=None,
        redone=None,
        resolved=partial(on_changes, method="trimmed_means"),
        beside=None,
        changes=True,
        pools=False,
        pre_trends=False,
        truth=None,
        inference=frozenset({"imbens_manski"}),
        detectable=False,
        plans=False,
        joint=False,
        in_stata=False,
    ),
    "matched_difference": Estimator(
        settings=MatchedDifferenceSpec,
        words="matched_difference",
        estimate=None,
        in_ratios=None,
        anew=_differences,
        redone=None,
        resolved=_difference_rules,
        beside=None,
        changes=True,
        pools=False,
        pre_trends=False,
        truth=None,
        inference=frozenset({"abadie_imbens"}),
        detectable=True,
        plans=False,
        joint=False,
        in_stata=False,
    ),
}
