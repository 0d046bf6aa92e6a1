"""What specs add beside their rows: detectable effects, influences, counts of rows unused."""

import numpy as np

from pipeline.effects.least_squares import Fit
from pipeline.effects.ledger import Ledger
from pipeline.effects.rows import Label, Row
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacks import Floats
from pipeline.effects.study import Study
from pipeline.estimators.stacked import treated_without_comparison, year_cells
from pipeline.inference.detectable import Baseline, by_treated_clusters, effect_facts
from pipeline.panel.panel_index import Codes
from pipeline.params.estimate import StackedSpec


def add_summary(
    ledger: Ledger,
    study: Study,
    label: Label,
    rows: list[Row],
    *,
    influence: Floats | None = None,
    treated_clusters: Codes | None = None,
    joint: bool = True,
) -> None:
    """Add what a spec's summary row could have detected, and keep its influences by cluster.

    The minimum detectable effect is normal where the row has no degrees of freedom. `influence`
    (G,) is by cluster code, `treated_clusters` the codes of clusters with treated firms. It enters
    tests over several outcomes unless `joint` is false.
    """
    summary = next((row for row in rows if row["term"] in ("att", "event_average")), {})
    baseline = Baseline(
        ledger.fact(label.design, label.outcome, "baseline_mean_treated"),
        study.outcomes[label.outcome].unit,
    )
    facts = effect_facts(label, summary, study.estimate, baseline)
    if influence is not None and np.isfinite(summary.get("std_error", np.nan)):
        if joint:
            ledger.influences[label.design, label.estimator, label.outcome] = influence
        if treated_clusters is not None:
            treated = np.zeros(len(influence), dtype=np.bool_)
            treated[treated_clusters] = True
            normal = not np.isfinite(summary.get("df", np.nan))
            facts += by_treated_clusters(
                label, influence, treated, study.estimate, baseline, normal=normal
            )
    ledger.add_facts(label.design, label.outcome, facts)


def add_not_compared(
    ledger: Ledger, study: Study, spec: StackedSpec, label: Label, sample: StackedSample
) -> None:
    """Count treated firms that year effects by a category leave without any comparison."""
    if spec.year_effects_by is not None:
        cells = year_cells(sample, study.panel, spec.year_effects_by)
        count = treated_without_comparison(sample, cells)
        fact = (f"n_treated_without_comparison[{spec.name}]", count, "firms")
        ledger.add_facts(label.design, label.outcome, [fact])


def add_singletons(ledger: Ledger, label: Label, fit: Fit) -> None:
    """Count the firm-years dropped because they were alone in an effect."""
    fact = (f"n_singletons[{label.estimator}]", fit.n_singletons, "firm-years")
    ledger.add_facts(label.design, label.outcome, [fact])
