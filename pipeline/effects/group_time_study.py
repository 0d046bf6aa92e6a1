"""Group-time effects of one outcome under one of a study's designs, by the rules of a spec."""

from dataclasses import dataclass, replace

from pipeline.effects.group_time import GroupTime, GroupTimeRules, group_time_effects
from pipeline.effects.group_time_samples import cohort_samples, positive_weights
from pipeline.effects.stacks import Stacks, unit_covariates
from pipeline.effects.study import Study
from pipeline.params.estimate import GroupTimeSpec
from pipeline.scale import on_scale


@dataclass(frozen=True)
class Found:
    """Hold the effects, and the firms (once per stack) left out for want of a covariate."""

    effects: GroupTime
    n_without_covariates: int


def study_group_time(study: Study, spec: GroupTimeSpec, design: str, name: str) -> Found:
    """Estimate ATT(g, t) of an outcome; `difference` is a regression on nothing but a constant.

    Raises DataError where a covariate is constant or collinear, or a weight negative.
    """
    outcome, stacks = study.outcomes[name], _weighted(study, spec, study.stacks[design])
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
    rules = GroupTimeRules(method, spec.base, study.treatment.anticipation_years)
    return Found(group_time_effects(found.samples, rules), found.n_without_covariates)


def _weighted(study: Study, spec: GroupTimeSpec, stacks: Stacks) -> Stacks:
    """Return the stacks with the weights that a spec asks for beside those of the design."""
    if study.covariates is None or spec.weight_by is None:
        return stacks
    size = unit_covariates(stacks, study.panel, study.covariates, [spec.weight_by])[:, 0]
    return replace(stacks, weight=stacks.weight * positive_weights(size, spec.weight_by))
