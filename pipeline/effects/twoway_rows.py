"""Results of a flat two-way spec: the figure, what it averages, and how much of that is wrong."""

import numpy as np

from pipeline.effects.bias_reduced_rows import twoway_bias_reduced_rows
from pipeline.effects.counts import count_sample
from pipeline.effects.description import Fact
from pipeline.effects.goodman_bacon import Comparison, goodman_bacon, share_by_kind
from pipeline.effects.ledger import Ledger
from pipeline.effects.rows import (
    FOR_COMPARABILITY,
    Label,
    Row,
    average_rows,
    test_row,
)
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study
from pipeline.effects.summaries import add_singletons, add_summary
from pipeline.effects.twoway import FlatSample, fit_twoway, flat_sample
from pipeline.errors import IdentificationError
from pipeline.params.estimate import TwowaySpec

GOODMAN_BACON = "goodman_bacon"


def add_twoway(
    ledger: Ledger, study: Study, spec: TwowaySpec, label: Label, sample: StackedSample
) -> None:
    """Add the row, decomposition and facts of a flat two-way spec."""
    flat = flat_sample(sample, study.panel)
    clusters = flat.cluster if spec.cluster == "assignment" else flat.firm
    fit = fit_twoway(flat, clusters)
    counts = count_sample(fit.kept, flat.ever_treated, flat.firm, clusters)
    rows = average_rows(label, counts, fit, FOR_COMPARABILITY)
    ledger.estimates += rows
    if spec.bias_reduced:
        ledger.estimates += twoway_bias_reduced_rows(rows, flat, clusters)
    influence = None if fit.influence is None else fit.influence[:, 0]
    treated = clusters[fit.kept & flat.ever_treated]
    add_summary(ledger, study, label, rows, influence=influence, treated_clusters=treated)
    add_singletons(ledger, label, fit)
    test, facts = _decomposition(label, flat)
    ledger.tests.append(test)
    ledger.add_facts(label.design, label.outcome, facts)


def _decomposition(label: Label, flat: FlatSample) -> tuple[Row, list[Fact]]:
    """Return the row of TESTS and the facts of every comparison, or the row with the reason.

    The row's statistic is the weighted average of the comparisons, the two-way figure itself.
    """
    try:
        comparisons = goodman_bacon(flat)
    except IdentificationError as reason:
        return test_row(label, GOODMAN_BACON, note=str(reason)), []
    shares = share_by_kind(comparisons)
    average = float(np.sum([part.weight * part.estimate for part in comparisons]))
    note = (
        f"weights of comparisons with never-treated {100 * shares['never']:.1f}, not yet treated "
        f"{100 * shares['not_yet']:.1f} and already treated {100 * shares['already']:.1f} percent"
    )
    facts = [fact for part in comparisons for fact in _facts(label, part)]
    facts.append((f"bacon_already_treated[{label.estimator}]", shares["already"], "share"))
    return test_row(label, GOODMAN_BACON, statistic=average, note=note), facts


def _facts(label: Label, part: Comparison) -> list[Fact]:
    of = f"[{label.estimator},{part.name}]"
    return [
        (f"bacon_weight{of}", part.weight, "share"),
        (f"bacon_estimate{of}", part.estimate, label.scale),
    ]
