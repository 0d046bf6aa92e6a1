"""Results of a flat two-way spec: the figure, what it averages, and how much of that is wrong."""

import numpy as np

from pipeline.effects.counts import count_sample
from pipeline.effects.description import Fact
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
from pipeline.errors import IdentificationError
from pipeline.estimators.decomposition_names import GOODMAN_BACON
from pipeline.estimators.goodman_bacon import (
    Comparison,
    balanced_part,
    goodman_bacon,
    share_by_kind,
)
from pipeline.estimators.twoway import FlatSample, fit_twoway, flat_sample
from pipeline.inference.bias_reduced_rows import twoway_bias_reduced_rows
from pipeline.inference.covariance import n_groups
from pipeline.params.estimate import TwowaySpec


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

    The row's statistic is the weighted average of the comparisons: the two-way figure, of the
    balanced part of the panel where the whole is not balanced.
    """
    try:
        part, comparisons = _comparisons(flat)
    except IdentificationError as reason:
        return test_row(label, GOODMAN_BACON, note=str(reason)), []
    shares = share_by_kind(comparisons)
    average = float(np.sum([part.weight * part.estimate for part in comparisons]))
    years = f"{int(part.year.min())}-{int(part.year.max())}"
    already = sum(comparison.kind == "already" for comparison in comparisons)
    note = (
        f"mean of {len(comparisons)} comparisons, {already} with already treated firms, of firms "
        f"in all years {years}"
    )
    facts = [fact for comparison in comparisons for fact in _facts(label, comparison)]
    facts += _sizes(label, part)
    facts += [
        (f"bacon_already_treated[{label.estimator}]", shares["already"], "share"),
        (f"bacon_first_year[{label.estimator}]", int(part.year.min()), "year"),
        (f"bacon_last_year[{label.estimator}]", int(part.year.max()), "year"),
    ]
    return test_row(label, GOODMAN_BACON, statistic=average, note=note), facts


def _comparisons(flat: FlatSample) -> tuple[FlatSample, list[Comparison]]:
    """Decompose the sample, or else its balanced part; return what was decomposed beside it."""
    try:
        return flat, goodman_bacon(flat)
    except IdentificationError:
        part = balanced_part(flat)
        return part, goodman_bacon(part)


def _sizes(label: Label, part: FlatSample) -> list[Fact]:
    """Count the firms of each entry year that was decomposed, and of the never-treated."""
    last = part.year.max()
    group = np.where(part.cohort > last, np.inf, part.cohort)
    return [
        (
            f"bacon_firms[{label.estimator},{'never' if np.isinf(cohort) else int(cohort)}]",
            n_groups(part.firm[group == cohort]),
            "firms",
        )
        for cohort in np.unique(group)
    ]


def _facts(label: Label, part: Comparison) -> list[Fact]:
    of = f"[{label.estimator},{part.name}]"
    return [
        (f"bacon_weight{of}", part.weight, "share"),
        (f"bacon_estimate{of}", part.estimate, label.scale),
    ]
