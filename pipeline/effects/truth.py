"""What each estimator would report if it saw the true effects: for simulated studies only."""

import numpy as np
import pandas as pd

from pipeline.effects.group_time_truth import true_group_time
from pipeline.effects.poisson_stacked import true_ratio_terms
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacked import stacked_coefficients, year_cells
from pipeline.effects.stacks import Floats
from pipeline.effects.study import Study, asked, outcome_sample, outcome_values, prepare_study
from pipeline.effects.twoway import flat_sample, true_event_mean, true_twoway
from pipeline.params.estimate import EstimateSection, Spec
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.treatment import TreatmentSection


def true_terms(
    panel: pd.DataFrame,
    untreated: pd.DataFrame,
    matches: pd.DataFrame,
    weights: pd.DataFrame,
    *,
    outcomes: OutcomesSection,
    treatment: TreatmentSection,
    estimate: EstimateSection,
) -> pd.DataFrame:
    """Return the true value of each summary term: outcome, design, estimator, term, truth.

    `untreated` has firm_id, year and, under PANEL's column names, the levels without programme.
    The true effect of a treated firm-year is T(observed) - T(untreated), zero before entry. The
    stacked estimators are applied to it, on their own rows and weights; for two-way it is
    averaged over treated firm-years. Missing where the effect of a row is not defined, as for
    the log of a value that would have been zero.
    """
    study = prepare_study(
        panel, matches, weights, outcomes=outcomes, treatment=treatment, estimate=estimate
    )
    keys = panel[["firm_id", "year"]]
    aligned = keys.merge(untreated, on=["firm_id", "year"], how="left", validate="1:1")
    rows = []
    for design, name, specs in asked(study):
        outcome = study.outcomes[name]
        if not outcome.observed or outcome.column not in aligned.columns:
            continue
        effect = outcome_values(panel, outcome) - outcome_values(aligned, outcome)
        sample = outcome_sample(study, design, name)
        for spec in specs if len(sample.y) else []:
            for term, truth in _terms(study, spec, sample, effect, name).items():
                rows.append((name, design, spec.name, term, truth))
    return pd.DataFrame(rows, columns=["outcome", "design", "estimator", "term", "truth"])


def _terms(
    study: Study, spec: Spec, sample: StackedSample, effect: Floats, name: str
) -> dict[str, float]:
    if study.outcomes[name].transform == "proportional":
        if spec.estimator != "stacked":
            return {}
        own = effect[sample.panel_row]
        return dict(pair for term in spec.terms for pair in true_ratio_terms(sample, own, term))
    if spec.estimator == "lee_bounds":
        return {}
    if spec.estimator == "group_time":
        whole_sets = study.estimate.missing == "drop_set"
        return {"att": true_group_time(spec, sample.stacks, study.panel, effect, whole_sets)}
    if spec.estimator != "stacked":
        flat = flat_sample(sample, study.panel)
        equally = spec.estimator != "twoway" and spec.average == "event"
        average = true_event_mean if equally else true_twoway
        return {"att": average(flat, effect[flat.panel_row])}
    after_entry = sample.treated & (sample.event_time >= 0)
    on_treated = np.where(after_entry, effect[sample.panel_row], 0.0)
    cells = year_cells(sample, study.panel, spec.year_effects_by)
    terms: dict[str, float] = {}
    for term in spec.terms:
        terms |= stacked_coefficients(sample, on_treated, term, cells)
    terms.pop("anticipation", None)
    return terms
