"""What a flat two-way figure averages, comparison by comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.datasets.fits import (
    DECOMPOSED_COHORTS,
    DECOMPOSED_KINDS,
    DECOMPOSITION,
    EVERY_KIND,
    FITS,
)
from pipeline.effects.answers import Task
from pipeline.effects.collected import Collected
from pipeline.effects.rows import Label, Row, fit_key, test_row
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.decomposition_names import GOODMAN_BACON
from pipeline.estimators.goodman_bacon import (
    TwoByTwo,
    balanced_part,
    goodman_bacon,
    share_by_kind,
    together,
)
from pipeline.estimators.twoway import FlatSample, flat_sample
from pipeline.panel.panel_index import n_groups


@dataclass(frozen=True)
class Decomposed:
    """Hold the row of TESTS and what a figure averages, without its key; empty where it cannot be.

    `comparisons` are rows of DECOMPOSITION, `kinds` of DECOMPOSED_KINDS, `cohorts` of
    DECOMPOSED_COHORTS, `whole` columns of FITS.
    """

    test: Row
    comparisons: Sequence[Row] = ()
    kinds: Sequence[Row] = ()
    cohorts: Sequence[Row] = ()
    whole: Mapping[str, float] = field(default_factory=dict)


def add_decomposition(collected: Collected, task: Task, label: Label) -> None:
    """Add what a flat two-way figure averages; of every firm-year of the panel, the reason."""
    if task.spec.firms == "panel":
        why = Reason("decomposed_in_risk_sets_only")
        collected.tests.append(test_row(label, GOODMAN_BACON, reason=why))
        return
    found = decompose(label, flat_sample(task.sample, task.study.panel))
    collected.tests.append(found.test)
    collected.add(FITS, **fit_key(label), **found.whole)
    for row in found.comparisons:
        collected.add(DECOMPOSITION, **fit_key(label), **row)
    for row in found.kinds:
        collected.add(DECOMPOSED_KINDS, **fit_key(label), **row)
    for row in found.cohorts:
        collected.add(DECOMPOSED_COHORTS, **fit_key(label), **row)


def decompose(label: Label, flat: FlatSample) -> Decomposed:
    """Return what a two-way figure averages, or the row of TESTS with the reason.

    The row's statistic is the weighted average of the comparisons: the two-way figure, of the
    balanced part of the panel where the whole is not balanced.
    """
    try:
        part, comparisons = _comparisons(flat)
    except IdentificationError as error:
        return Decomposed(test_row(label, GOODMAN_BACON, reason=error.reason))
    average = float(np.sum([part.weight * part.estimate for part in comparisons]))
    first, last = int(part.year.min()), int(part.year.max())
    already = sum(comparison.kind == "already" for comparison in comparisons)
    averaged = {"n": len(comparisons), "n_already": already}
    said = Reason("comparisons_averaged", averaged | {"first_year": first, "last_year": last})
    return Decomposed(
        test_row(label, GOODMAN_BACON, statistic=average, remarks=[said]),
        [vars(comparison) for comparison in comparisons],
        by_kind(comparisons),
        _cohorts(part),
        {
            "share_already_treated": share_by_kind(comparisons)["already"],
            "decomposed_first_year": first,
            "decomposed_last_year": last,
        },
    )


def by_kind(comparisons: Sequence[TwoByTwo]) -> list[Row]:
    """Return the rows of DECOMPOSED_KINDS: each kind that occurs, and all together."""
    parts: dict[str, list[TwoByTwo]] = {}
    for part in comparisons:
        parts.setdefault(part.kind, []).append(part)
    rows = []
    for kind, own in [*parts.items(), (EVERY_KIND, comparisons)]:
        n_comparisons, weight, estimate = together(own)
        figures = {"n_comparisons": n_comparisons, "weight": weight, "estimate": estimate}
        rows.append({"kind": kind, **figures})
    return rows


def _comparisons(flat: FlatSample) -> tuple[FlatSample, list[TwoByTwo]]:
    """Decompose the sample, or else its balanced part; return what was decomposed beside it."""
    try:
        return flat, goodman_bacon(flat)
    except IdentificationError:
        part = balanced_part(flat)
        return part, goodman_bacon(part)


def _cohorts(part: FlatSample) -> list[Row]:
    """Count the firms of each entry year that was decomposed, and of the never-treated."""
    group = np.where(part.cohort > part.year.max(), np.inf, part.cohort)
    return [
        {
            "cohort": None if np.isinf(cohort) else int(cohort),
            "n_firms": n_groups(part.firm[group == cohort]),
        }
        for cohort in np.unique(group)
    ]
