"""Results of a stacked spec for a proportional outcome: effects in ratios, by Poisson."""

from pipeline.analyses.placebo_rows import placebo_row
from pipeline.effects.adjusted_sample import adjust
from pipeline.effects.clusters import cluster_codes
from pipeline.effects.ledger import Ledger
from pipeline.effects.rows import Label, missing_row
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study
from pipeline.effects.summaries import add_not_compared, add_summary
from pipeline.errors import IdentificationError
from pipeline.estimators.poisson_stacked import (
    PoissonResults,
    concentration_facts,
    poisson_results,
)
from pipeline.estimators.stacked import year_cells
from pipeline.params.estimate import StackedSpec

LINEAR_ONLY = "not available for effects in proportion to the level: linear estimators only"
ONE_WAY_ONLY = (
    "effects in proportion to the level are clustered in one direction only: use cluster: "
    "assignment, firm or components"
)


def add_ratios(
    ledger: Ledger, study: Study, spec: StackedSpec, label: Label, sample: StackedSample
) -> None:
    """Add every row, test and fact of a stacked spec in ratios; what is linear only says so."""
    ledger.add_facts(label.design, label.outcome, concentration_facts(sample))
    sample = adjust(ledger, study, spec, label, sample)
    add_not_compared(ledger, study, spec, label, sample)
    found = _ratios(study, spec, label, sample)
    ledger.estimates += found.estimates
    ledger.tests += found.tests
    ledger.add_facts(label.design, label.outcome, found.facts)
    ledger.estimates += [
        missing_row(label, "att", LINEAR_ONLY) | {"inference": name}
        for name in spec.asked_beside_analytic
    ]
    if spec.placebo_entry_years is not None:
        alone = spec.model_copy(update={"terms": ["att"]})
        ledger.estimates.append(
            placebo_row(
                study,
                label,
                sample,
                spec.placebo_entry_years,
                lambda early: _ratios(study, alone, label, early).estimates[0],
            )
        )
    add_summary(
        ledger,
        study,
        label,
        found.estimates,
        influence=found.influence,
        treated_clusters=found.treated_clusters,
        joint=False,
    )


def _ratios(study: Study, spec: StackedSpec, label: Label, sample: StackedSample) -> PoissonResults:
    clusters = cluster_codes(sample.stacks, spec.cluster)
    if len(clusters) > 1:
        raise IdentificationError(ONE_WAY_ONLY)
    return poisson_results(
        label,
        spec,
        sample,
        cells=year_cells(sample, study.panel, spec.year_effects_by),
        clusters=clusters[0][sample.unit],
        matched=study.matched_on(label.design, label.outcome),
    )
