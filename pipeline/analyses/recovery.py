"""Recovery: what each estimator should have found, where firms are simulated.

The truth of an estimate is the average true effect over the treated firm-years that the
estimator uses, under its own weights and on its own scale. The stacked estimator is linear in
the outcome, so applying it to the true effects gives exactly that.
"""

from collections.abc import Mapping

import pandas as pd

from pipeline.datasets.arrays import Floats
from pipeline.datasets.results import RECOVERY, TERM
from pipeline.datasets.store import empty
from pipeline.effects.answers import Task
from pipeline.effects.rows import ALL
from pipeline.effects.sample import check_comparable
from pipeline.effects.study import Study, asked, outcome_sample
from pipeline.effects.terms import Term
from pipeline.errors import IdentificationError
from pipeline.estimators.registry import ESTIMATORS
from pipeline.panel.scale import on_scale
from pipeline.params.inference_methods import primary_methods
from pipeline.params.outcomes import Outcome

RECOVERY_KEY = list(RECOVERY.key)


def recover(study: Study, truth: pd.DataFrame | None, estimates: pd.DataFrame) -> pd.DataFrame:
    """Return RECOVERY, the true effect beside every estimate; without a truth it has no rows.

    `truth` has firm_id, year and `<column>_untreated`, the outcome without any programme.
    """
    if truth is None:
        return empty(RECOVERY)
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
            terms = _true_terms(Task(study, spec, name, sample), effect)
            place = {"outcome": name, "design": design, "estimator": spec.name}
            rows += [place | term.columns | {"truth": value} for term, value in terms.items()]
    found = pd.DataFrame(rows, columns=[*RECOVERY_KEY, "truth"])
    found = found.astype({name: "Int64" for name in TERM[1:]})
    # a true effect of zero comes back as rounding around zero, whose digits the machine decides
    found["truth"] = found["truth"].astype("float64").round(12) + 0.0
    own = estimates["inference"].isin(primary_methods())
    plain = own & (estimates["band"] == "pointwise")
    plain &= (estimates["sample"] == ALL) & (estimates["subgroup"] == ALL)
    plain &= estimates["grouping"] == ALL
    estimated = estimates.loc[plain, [*RECOVERY_KEY, "estimate", "std_error"]]
    return found.merge(estimated, on=RECOVERY_KEY, how="inner", validate="one_to_one")


def _true_effects(panel: pd.DataFrame, aligned: pd.DataFrame, outcome: Outcome) -> Floats:
    """Return the true effect on the transformed outcome of each firm-year of PANEL."""
    column = str(outcome.column)
    untreated = on_scale(aligned[f"{column}_untreated"], outcome)
    return on_scale(panel[column], outcome) - untreated


def _true_terms(task: Task, effect: Floats) -> Mapping[Term, float]:
    """Return the true value of each term; none where the sample identifies no effect.

    Estimators without a truth have none, nor have effects in ratios but of the stacked one.
    """
    estimator = ESTIMATORS[task.spec.estimator]
    if estimator.truth is None or (task.in_ratios and estimator.in_ratios is None):
        return {}
    try:
        check_comparable(task.sample)
        return estimator.truth(task, effect)
    except IdentificationError:
        return {}
