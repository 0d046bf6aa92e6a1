"""Recovery: what each estimator should have found, where firms are simulated.

The truth of an estimate is the average true effect over the treated firm-years that the
estimator uses, under its own weights and on its own scale. The stacked estimator is linear in
the outcome, so applying it to the true effects gives exactly that.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.effects.group_time_truth import true_group_time
from pipeline.effects.outcome import transform
from pipeline.effects.poisson_stacked import true_ratio_terms
from pipeline.effects.sample import StackedSample, stacked_sample
from pipeline.effects.stacked import stacked_coefficients, year_cells
from pipeline.effects.stacks import Floats, index_panel, join_stacks
from pipeline.effects.twoway import flat_sample, true_event_mean, true_twoway
from pipeline.params.estimate import EstimateSection, Spec
from pipeline.params.outcomes import Outcome, OutcomesSection
from pipeline.params.treatment import TreatmentSection

RECOVERY_KEY = ["outcome", "design", "estimator", "term"]


def recover(
    panel: pd.DataFrame,
    truth: pd.DataFrame,
    matches: pd.DataFrame,
    weights: pd.DataFrame,
    *,
    outcomes: OutcomesSection,
    treatment: TreatmentSection,
    estimate: EstimateSection,
    estimates: pd.DataFrame,
) -> pd.DataFrame:
    """Return the true effect beside every estimate: RECOVERY_KEY, truth, estimate, std_error.

    `truth` has firm_id, year and `<column>_untreated`, the outcome without any programme.
    """
    aligned = panel[["firm_id", "year"]].merge(truth, on=["firm_id", "year"], how="left")
    index = index_panel(panel)
    rows = []
    for design in dict.fromkeys(d for spec in estimate.specs for d in spec.designs):
        stacks = join_stacks(index, weights, matches, design, treatment)
        for name, outcome in _with_truth(outcomes, aligned):
            sample = stacked_sample(
                stacks, transform(panel[outcome.column], outcome.transform), estimate.missing
            )
            effect = true_effects(panel, aligned, outcome)
            for spec in estimate.specs:
                if design in spec.designs and (spec.outcomes == "all" or name in spec.outcomes):
                    if outcome.transform == "proportional":
                        terms = _true_ratios(spec, sample, effect)
                    else:
                        whole_sets = estimate.missing == "drop_set"
                        terms = _true_terms(spec, sample, panel, effect, whole_sets)
                    rows += [(name, design, spec.name, term, value) for term, value in terms]
    found = pd.DataFrame(rows, columns=[*RECOVERY_KEY, "truth"])
    plain = (estimates["inference"] == "analytic") & (estimates["band"] == "pointwise")
    plain &= estimates["sample"] == "all"
    estimated = estimates.loc[plain, [*RECOVERY_KEY, "estimate", "std_error"]]
    return found.merge(estimated, on=RECOVERY_KEY, how="inner", validate="one_to_one")


def true_effects(panel: pd.DataFrame, aligned: pd.DataFrame, outcome: Outcome) -> Floats:
    """Return the true effect on the transformed outcome of each firm-year of PANEL."""
    observed = transform(panel[outcome.column], outcome.transform)
    untreated = transform(aligned[f"{outcome.column}_untreated"], outcome.transform)
    return observed - untreated


def _with_truth(outcomes: OutcomesSection, truth: pd.DataFrame) -> Iterator[tuple[str, Outcome]]:
    for name, outcome in outcomes.root.items():
        if outcome.observed and f"{outcome.column}_untreated" in truth.columns:
            yield name, outcome


def _true_ratios(spec: Spec, sample: StackedSample, effect: Floats) -> list[tuple[str, float]]:
    if spec.estimator != "stacked":
        return []
    own = effect[sample.panel_row]
    return [pair for term in spec.terms for pair in true_ratio_terms(sample, own, term)]


def _true_terms(
    spec: Spec, sample: StackedSample, panel: pd.DataFrame, effect: Floats, whole_sets: bool
) -> list[tuple[str, float]]:
    if spec.estimator == "lee_bounds":
        return []
    if spec.estimator == "twoway":
        flat = flat_sample(sample, panel)
        return [("att", true_twoway(flat, effect[flat.panel_row]))]
    if spec.estimator == "group_time":
        return [("att", true_group_time(spec, sample.stacks, panel, effect, whole_sets))]
    if spec.estimator != "stacked":
        flat = flat_sample(sample, panel)
        average = true_event_mean if spec.average == "event" else true_twoway
        return [("att", average(flat, effect[flat.panel_row]))]
    after = sample.treated & (sample.event_time >= 0)
    own = np.where(after, effect[sample.panel_row], 0.0)
    cells = year_cells(sample, panel, spec.year_effects_by)
    return [
        (term, value)
        for kind in spec.terms
        for term, value in stacked_coefficients(sample, own, kind, cells).items()
    ]
