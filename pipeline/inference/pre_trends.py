"""The joint test that effects before entry are zero, and the leads that it tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.effects.adjusted_changes import NO_COVARIATES, AdjustedFor, Change
from pipeline.effects.answers import Leads
from pipeline.effects.estimated import Estimated
from pipeline.effects.rows import Label, Row, test_row
from pipeline.errors import Reason
from pipeline.inference.analytic import Inferred, infer
from pipeline.inference.counts import LONE_IN_COHORTS
from pipeline.inference.covariance import WaldTest, chi_squared_test, wald_test

TEST = "pre_trends"


@dataclass(frozen=True)
class PreTrends:
    """Hold the row of TESTS and, where leads were tested, their positions and covariances.

    `inferred` is that of the leads and, of cells, that of single event times.
    """

    row: Row
    leads: Leads
    inferred: tuple[Inferred, ...] = ()
    tested: tuple[int, ...] = ()

    @property
    def df(self) -> float:
        """Return the degrees of freedom of tests of the leads."""
        return self.inferred[0].df


def pre_trend_test(
    label: Label,
    leads: Leads,
    matched: frozenset[int],
    reference: int,
    known: Sequence[Inferred] = (),
    *,
    adjusted: AdjustedFor = NO_COVARIATES,
) -> PreTrends:
    """Return the joint test of leads: F of a regression, else chi-squared, or why there is none.

    Leads among the `known` results have the covariance that they have there.
    Leads that compare years which the design `matched` on, or one of them with the `reference`, are
    alike by construction and left out; so are those that the spec's own covariates fit, alone or
    with later leads (`adjusted`), and those without a standard error of their own, unless none has.
    """
    every = range(len(leads.effects.terms))
    alike = [i for i in every if _is_alike(leads, i, matched, reference)]
    fitted = _fitted(leads, [i for i in every if i not in alike], adjusted)
    free = [i for i in every if i not in alike and i not in fitted]
    if not free:
        none = "earlier_years_in_one_bin" if leads.binned else "no_pre_year"
        why = Reason("all_adjusted_for" if fitted else "all_matched_on" if alike else none)
        return PreTrends(test_row(label, TEST, reason=why), leads)
    inferred = _inferred(leads.effects, label, known)
    single = leads.single if leads.of_cells else None
    every_lead = (inferred, *([] if single is None else [_inferred(single, label, known)]))
    alone = [i for i in free if _is_alone(leads, inferred, i)]
    tested = [i for i in free if i not in alone]
    said = _left_out(leads, alike, fitted, alone if tested else [])
    if not tested:
        row = _untested(label, leads, free, _why_alone(inferred, free[0]), said)
        return PreTrends(row, leads, every_lead)
    errors = inferred.std_errors[tested]
    reasons = (inferred.counts.why_none(float(error), inferred.if_negative) for error in errors)
    if (why_none := next((why for why in reasons if why is not None), None)) is not None:
        row = _untested(label, leads, tested, why_none, said)
        return PreTrends(row, leads, every_lead, tuple(tested))
    row = _tested(label, leads, inferred, tested, said)
    return PreTrends(row, leads, every_lead, tuple(tested))


def _inferred(leads: Estimated, label: Label, known: Sequence[Inferred]) -> Inferred:
    """Return leads with their covariance, that of a result that has them all if there is one."""
    for inferred in known:
        if set(leads.terms) <= set(inferred.estimated.terms):
            return inferred.where(leads.terms)
    return infer(leads, label.cluster)


def _is_alike(leads: Leads, position: int, matched: frozenset[int], reference: int) -> bool:
    time, base = _years_of(leads, position)
    return time in matched and base in (matched | {reference})


def _years_of(leads: Leads, position: int) -> tuple[int, int]:
    """Return the event time of a lead, and that of its base."""
    time = leads.effects.terms[position].event_time
    assert time is not None, "leads have event times"
    return time, time - int(leads.years[position])


def _fitted(leads: Leads, positions: list[int], adjusted: AdjustedFor) -> list[int]:
    """Return the leads that covariates add up to, with leads of the cohort nearer to entry.

    These would make the covariance singular: growth over two years adjusted for, the changes in
    both are each other's negative.
    """
    fitted, free = [], dict[int | None, list[Change]]()
    for position in sorted(positions, key=lambda i: -_years_of(leads, i)[0]):
        own = free.setdefault(leads.effects.terms[position].cohort, [])
        if adjusted.spans(_years_of(leads, position), own):
            fitted.append(position)
        else:
            own.append(_years_of(leads, position))
    return sorted(fitted)


def _is_alone(leads: Leads, inferred: Inferred, position: int) -> bool:
    """Say whether a lead has no standard error although others' clusters give one.

    So is one that is zero without any variation, as where covariates fit a change of the outcome.
    """
    if inferred.estimated.regression is None:
        return inferred.reasons[position] is not None
    if inferred.counts.too_few is not None:
        return False
    if _is_fitted(inferred, position):
        return True
    term = leads.effects.terms[position]
    if term.cohort is None or term.event_time is None:
        return inferred.counts_at(term).too_few is not None
    return inferred.counts.entry_years_at.get(term.event_time, {}).get(term.cohort, False)


def _is_fitted(inferred: Inferred, position: int) -> bool:
    """Say whether a lead is a zero with a zero variance, up to rounding."""
    return not inferred.estimated.estimates[position] and not inferred.std_errors[position]


def _why_alone(inferred: Inferred, position: int) -> Reason:
    if _is_fitted(inferred, position):
        return Reason("no_variation")
    if inferred.estimated.regression is not None:
        return LONE_IN_COHORTS
    return inferred.reasons[position] or LONE_IN_COHORTS


def _tested(
    label: Label, leads: Leads, inferred: Inferred, tested: list[int], said: list[Reason]
) -> Row:
    test = _test(inferred, tested)
    if not np.isnan(test.statistic):
        remarks = [_named(leads, tested, "tested"), *said]
        return test_row(label, TEST, remarks=remarks, **vars(test))
    found = {"n_clusters": inferred.counts.n_clusters, "n_coefficients": test.df}
    why = Reason("no_joint_test", found)
    return _untested(label, leads, tested, why, said) | vars(test)


def _test(inferred: Inferred, tested: list[int]) -> WaldTest:
    estimates = inferred.estimated.estimates[tested]
    covariance = inferred.covariance[np.ix_(tested, tested)]
    if inferred.estimated.regression is None:
        return chi_squared_test(estimates, covariance)
    return wald_test(estimates, covariance, inferred.counts.n_clusters - 1)


def _untested(
    label: Label, leads: Leads, positions: list[int], why: Reason, said: list[Reason]
) -> Row:
    reason = _named(leads, positions, "untested", reason=why)
    return test_row(label, TEST, reason=reason, remarks=said)


def _left_out(leads: Leads, alike: list[int], fitted: list[int], alone: list[int]) -> list[Reason]:
    """Name the leads that the test leaves out, and why."""
    parts = (
        ("matched_on_left_out", alike),
        ("adjusted_for_left_out", fitted),
        ("without_error_left_out", alone),
    )
    if leads.of_cells:
        return [Reason(f"cells_{code}", {"n": len(out)}) for code, out in parts if out]
    return [Reason(f"times_{code}", {"times": _times(leads, out)}) for code, out in parts if out]


def _named(leads: Leads, positions: list[int], code: str, **fields: Any) -> Reason:
    if leads.of_cells:
        return Reason(f"cells_{code}", {"n": len(positions), **fields})
    return Reason(f"event_times_{code}", {"times": _times(leads, positions), **fields})


def _times(leads: Leads, positions: list[int]) -> list[int]:
    return [leads.effects.terms[i].event_time or 0 for i in positions]
