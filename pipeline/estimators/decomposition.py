"""What a flat two-way figure averages, as a row of TESTS and facts of every comparison."""

import numpy as np

from pipeline.effects.description import Fact
from pipeline.effects.rows import Label, Row, test_row
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.decomposition_names import GOODMAN_BACON
from pipeline.estimators.goodman_bacon import (
    Comparison,
    balanced_part,
    goodman_bacon,
    share_by_kind,
)
from pipeline.estimators.twoway import FlatSample
from pipeline.panel.panel_index import n_groups


def decomposition(label: Label, flat: FlatSample) -> tuple[Row, list[Fact]]:
    """Return the row of TESTS and the facts of every comparison, or the row with the reason.

    The row's statistic is the weighted average of the comparisons: the two-way figure, of the
    balanced part of the panel where the whole is not balanced.
    """
    try:
        part, comparisons = _comparisons(flat)
    except IdentificationError as error:
        return test_row(label, GOODMAN_BACON, reason=error.reason), []
    shares = share_by_kind(comparisons)
    average = float(np.sum([part.weight * part.estimate for part in comparisons]))
    averaged = {
        "n": len(comparisons),
        "n_already": sum(comparison.kind == "already" for comparison in comparisons),
        "first_year": int(part.year.min()),
        "last_year": int(part.year.max()),
    }
    facts = [fact for comparison in comparisons for fact in _facts(label, comparison)]
    facts += _sizes(label, part)
    facts += [
        (f"bacon_already_treated[{label.estimator}]", shares["already"], "share"),
        (f"bacon_first_year[{label.estimator}]", int(part.year.min()), "year"),
        (f"bacon_last_year[{label.estimator}]", int(part.year.max()), "year"),
    ]
    said = [Reason("comparisons_averaged", averaged)]
    return test_row(label, GOODMAN_BACON, statistic=average, remarks=said), facts


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
