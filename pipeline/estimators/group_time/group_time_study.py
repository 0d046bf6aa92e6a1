"""What a spec of group-time effects estimates from: a design's stacks, or every firm of PANEL."""

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.levels import ClusterLevels
from pipeline.effects.panel_firms import PanelFirms, panel_clusters, panel_firms
from pipeline.effects.sampling_weights import positive_weights, weighted_stacks
from pipeline.effects.stacks import Stacks
from pipeline.effects.study import Study
from pipeline.estimators.group_time.group_time import GroupTime, GroupTimeRules, group_time_effects
from pipeline.estimators.group_time.group_time_panel import (
    FirmsByYear,
    cohort_sample,
    compared_firms,
)
from pipeline.estimators.group_time.group_time_samples import (
    CohortSamples,
    CovariateRows,
    cohort_samples,
    firm_columns,
    in_treated_categories,
)
from pipeline.panel.panel_index import NO_ROW
from pipeline.params.group_time_spec import GroupTimeSpec
from pipeline.params.score import Covariate
from pipeline.selection.covariates import dated_covariates


def spec_effects(
    study: Study, spec: GroupTimeSpec, stacks: Stacks, values: Floats
) -> tuple[GroupTime, dict[str, int]]:
    """Return a spec's effects, and the firms (once per entry year) not used, as columns of FITS.

    `values` is the transformed outcome by PANEL row, or true effects in its place.
    """
    found = spec_samples(study, spec, stacks, values)
    method = "outcome_regression" if spec.method == "difference" else spec.method
    anticipation = study.treatment.anticipation_years
    rules = GroupTimeRules(method, spec.base, anticipation, spec.gaps == "every_row")
    effects = group_time_effects(found.samples, rules)
    levels = _levels(study, spec, stacks)
    seen = replace(effects.effects.seen, levels=levels.codes, names=levels.names)
    named = replace(effects, effects=replace(effects.effects, seen=seen))
    unused = {"n_without_covariates": found.n_without_covariates}
    if spec.untreated_categories == "leave_out":
        unused["n_in_untreated_categories"] = found.n_in_untreated_categories
    return named, unused


def spec_samples(
    study: Study, spec: GroupTimeSpec, stacks: Stacks, values: Floats
) -> CohortSamples:
    """Return each entry year's firms with a spec's weights; `values` as of `spec_effects`."""
    if spec.firms == "panel":
        return _panel_samples(study, spec, values)
    return _stack_samples(study, spec, stacks, values)


def _levels(study: Study, spec: GroupTimeSpec, stacks: Stacks) -> ClusterLevels:
    """Return further clusters, and all names, of PANEL's firms where every firm is compared."""
    if spec.firms != "panel":
        return ClusterLevels(dict(stacks.levels), dict(stacks.names))
    return panel_clusters(study, panel_firms(study))


def _stack_samples(
    study: Study, spec: GroupTimeSpec, stacks: Stacks, values: Floats
) -> CohortSamples:
    """Return each stack's firms with their matching weights; every firm once where none matched.

    WEIGHTS scales comparison firms of the unmatched design to the treated, which a weighted
    propensity score would take for sampling. Firms that do have sampling weights weigh these.
    """
    if stacks.design == "unmatched":
        own = np.ones(len(stacks.firm))
        if study.sampling is not None:
            own = study.sampling[stacks.firm_row]
        stacks = replace(stacks, weight=np.where(stacks.weight > 0, own, 0.0))
    stacks, lacking = weighted_stacks(study, spec, stacks)
    adjusted = None
    if study.covariates is not None and spec.covariates:
        adjusted = CovariateRows(study.covariates[spec.covariates], study.covariate_row)
    found = cohort_samples(
        stacks,
        values,
        study.panel,
        clusters=stacks.cluster,
        covariates=adjusted,
        whole_sets=study.estimate.missing == "drop_set",
        treated_categories=spec.untreated_categories == "leave_out",
    )
    return replace(found, n_without_covariates=found.n_without_covariates + int(lacking.sum()))


def _panel_samples(study: Study, spec: GroupTimeSpec, values: Floats) -> CohortSamples:
    """Return each cohort against every firm of PANEL, over the event window.

    Firms need not be active in the base year and at entry. Cohorts without a year before entry and
    anticipation have nothing to compare with and are left out, as R's did does.
    """
    index = study.index
    everyone = panel_firms(study)
    firms = _firms_by_year(study, everyone, values)
    samples, lost, untreated = [], 0, 0
    for cohort in firms.cohorts():
        if cohort <= firms.years[0] + study.treatment.anticipation_years:
            continue
        members = compared_firms(firms, cohort, study.treatment.comparison, spec.gaps == "balanced")
        dated = np.minimum(firms.first_treated[members], cohort)
        own = _own_covariates(study, spec, index.firms[members], dated)
        adjusted = own[spec.covariates]
        if spec.untreated_categories == "leave_out":
            treated = firms.first_treated[members] == cohort
            shared, adjusted = in_treated_categories(adjusted, treated)
            untreated += int((~shared).sum())
            members, own = members[shared], own[shared]
        columns = firm_columns(adjusted, cohort, "among_every_firm")
        weight, known = _firm_weights(study, spec, everyone.row[members], own)
        complete = known & np.isfinite(columns).all(axis=1)
        lost += int((~complete).sum())
        kept = complete & (weight > 0)
        samples.append(
            cohort_sample(
                firms,
                cohort,
                members[kept],
                weight=weight[kept],
                columns=columns[kept],
                within=_in_window(study, firms, cohort),
            )
        )
    return CohortSamples(samples, lost, untreated)


def _firm_weights(
    study: Study, spec: GroupTimeSpec, row: Codes, own: pd.DataFrame
) -> tuple[Floats, Flags]:
    """Return weights of firms (n,), at PANEL rows `row`, by sampling or size; who has a size."""
    known = np.ones(len(row), dtype=np.bool_)
    if spec.weight_by is not None:
        size = own[spec.weight_by].to_numpy(np.float64)
        return positive_weights(size, spec.weight_by), ~np.isnan(size)
    return (np.ones(len(row)) if study.sampling is None else study.sampling[row]), known


def _firms_by_year(study: Study, firms: PanelFirms, values: Floats) -> FirmsByYear:
    """Return outcomes, entry and cluster of PANEL's firms."""
    index = study.index
    rows = index.row[:, firms.covered]
    return FirmsByYear(
        years=(index.first_year + np.arange(len(firms.covered)))[firms.covered],
        y=np.where(rows == NO_ROW, np.nan, values[rows]),
        first_treated=firms.cohort,
        exposed_from=firms.exposed_from,
        cluster=pd.factorize(study.panel["cluster"].iloc[firms.row])[0],
    )


def _own_covariates(
    study: Study, spec: GroupTimeSpec, firm_id: pd.Index, entry: Floats
) -> pd.DataFrame:
    """Return the spec's covariates of firms (m,), dated before an entry year (m,) each.

    That is the cohort's, or the firm's own where it enters before the cohort.
    """
    names = list(dict.fromkeys([*spec.covariates, *([spec.weight_by] if spec.weight_by else [])]))
    if not names:
        return pd.DataFrame(index=range(len(firm_id)))
    keys = pd.DataFrame({"stack": entry.astype(np.int64), "firm_id": firm_id})
    return dated_covariates(study.panel, keys, _definitions(study, names), study.index)[names]


def _definitions(study: Study, names: list[str]) -> dict[str, Covariate]:
    """Return the definitions of covariates, and of the factors of products."""
    assert study.score is not None, "stages give score.covariates"
    known = study.score.covariates
    needed = [factor for name in names for factor in (known[name].product_of or [])]
    return {name: known[name] for name in dict.fromkeys([*names, *needed])}


def _in_window(study: Study, firms: FirmsByYear, cohort: int) -> np.ndarray:
    window = study.treatment.window
    event_time = firms.years - cohort
    return (event_time >= window.first_event_time) & (event_time <= window.last_event_time)
