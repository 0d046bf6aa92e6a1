"""Recovery: what each estimator should have found, where firms are simulated.

The truth of an estimate is the average true effect over the treated firm-years that the
estimator uses, under its own weights and on its own scale. The stacked estimator is linear in
the outcome, so applying it to the true effects gives exactly that.
"""

import numpy as np
import pandas as pd

from pipeline.analyses.group_time_truth import true_group_time
from pipeline.effects.adjusted_sample import adjusted_sample
from pipeline.effects.sample import StackedSample, check_comparable
from pipeline.effects.stacks import Floats
from pipeline.effects.study import Study, asked, outcome_sample
from pipeline.errors import IdentificationError
from pipeline.estimators.poisson_stacked import true_ratios
from pipeline.estimators.stacked import stacked_terms, year_cells
from pipeline.estimators.twoway import flat_sample, true_event_mean, true_twoway
from pipeline.panel.scale import on_scale
from pipeline.params.estimate import LeeBoundsSpec, MatchedDifferenceSpec, Spec, StackedSpec
from pipeline.params.outcomes import Outcome

RECOVERY_KEY = ["outcome", "design", "estimator", "term"]


def recover(study: Study, truth: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Return the true effect beside every estimate: RECOVERY_KEY, truth, estimate, std_error.

    `truth` has firm_id, year and `<column>_untreated`, the outcome without any programme.
    """
    keys = study.panel[["firm_id", "year"]]
    aligned = keys.merge(truth, on=["firm_id", "year"], how="left")
    rows = []
    for design, name, specs in asked(study):
        outcome = study.outcomes[name]
        if not outcome.observed or f"{outcome.column}_untreated" not in aligned.columns:
            continue
        sample = outcome_sample(study, design, name)
        effect = _true_effects(study.panel, aligned, outcome)
        for spec in specs:
            terms = _true_terms(study, spec, sample, effect, name)
            rows += [(name, design, spec.name, term, value) for term, value in terms]
    found = pd.DataFrame(rows, columns=[*RECOVERY_KEY, "truth"])
    # a true effect of zero comes back as rounding around zero, whose digits the machine decides
    found["truth"] = found["truth"].round(12) + 0.0
    plain = (estimates["inference"] == "analytic") & (estimates["band"] == "pointwise")
    plain &= (estimates["sample"] == "all") & (estimates["subgroup"] == "all")
    estimated = estimates.loc[plain, [*RECOVERY_KEY, "estimate", "std_error"]]
    return found.merge(estimated, on=RECOVERY_KEY, how="inner", validate="one_to_one")


def _true_effects(panel: pd.DataFrame, aligned: pd.DataFrame, outcome: Outcome) -> Floats:
    """Return the true effect on the transformed outcome of each firm-year of PANEL."""
    column = str(outcome.column)
    untreated = on_scale(aligned[f"{column}_untreated"], outcome)
    return on_scale(panel[column], outcome) - untreated


def _true_terms(
    study: Study, spec: Spec, sample: StackedSample, effect: Floats, name: str
) -> list[tuple[str, float]]:
    """Return the true value of each term; none where the sample identifies no effect.

    Bounds have no truth of their own; effects in ratios are those of the stacked estimator;
    matching on one difference is not for assignment by cluster, which is what is simulated.
    """
    outcome = study.outcomes[name]
    try:
        check_comparable(sample)
        if spec.estimator == "stacked":
            adjusted, _ = adjusted_sample(study, spec, sample, name)
            return _true_stacked(spec, adjusted, study.panel, effect, outcome)
        if isinstance(spec, LeeBoundsSpec | MatchedDifferenceSpec):
            return []
        if outcome.transform == "proportional":
            return []
        if spec.estimator == "group_time":
            return [("att", true_group_time(study, spec, sample.stacks, effect))]
    except IdentificationError:
        return []
    flat = flat_sample(sample, study.panel)
    by_event = getattr(spec, "average", "simple") == "event"
    average = true_event_mean if by_event else true_twoway
    return [("att", average(flat, effect[flat.panel_row]))]


def _true_stacked(
    spec: StackedSpec, sample: StackedSample, panel: pd.DataFrame, effect: Floats, outcome: Outcome
) -> list[tuple[str, float]]:
    """Apply the estimator to the true effects, which are zero before entry."""
    after = sample.treated & (sample.event_time >= 0)
    own = np.where(after, effect[sample.panel_row], 0.0)
    cells = year_cells(sample, panel, spec.year_effects_by)
    if outcome.transform == "proportional":
        return _true_ratios(spec, sample, own)
    return list(stacked_terms(sample, own, spec, cells).items())


def _true_ratios(spec: StackedSpec, sample: StackedSample, own: Floats) -> list[tuple[str, float]]:
    terms: dict[str, float] = {}
    if "event" in spec.terms or spec.average == "event":
        terms |= true_ratios(sample, own, "event")
        terms["att"] = terms["event_average"]
    if spec.average == "pooled":
        terms |= true_ratios(sample, own, "att")
    return list(terms.items())
