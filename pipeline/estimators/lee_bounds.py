"""Bounds on the effect among firms that would sell either way: the intensive margin.

Among firms with a positive outcome in the base year, changes of logs are seen only for those still
positive. If treatment moves that share in one direction only (monotonicity), the group with the
larger share contains the others' counterparts plus extra firms, and trimming its largest or its
smallest changes bounds the effect on firms that stay either way. Lee (2009),
doi:10.1111/j.1467-937X.2009.00536.x.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.answers import Answer
from pipeline.effects.estimated import Estimated, Seen
from pipeline.effects.sample import renormalised_weights
from pipeline.effects.stacks import Stacks
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT, Term
from pipeline.errors import IdentificationError, Reason
from pipeline.panel.panel_index import NO_ROW

SAMPLE = "base_exporters"
MONOTONICITY = Reason("stay_above_zero_either_way")


@dataclass(frozen=True)
class Bound:
    """Hold a bound while it is made: its value and each firm's influence on it, shape (F,)."""

    estimate: float
    influence: Floats


@dataclass(frozen=True)
class LeeBounds:
    """Hold both bounds, the mean trimming shares by group, and who stands behind them (n rows).

    `used` marks the units x event times with weight, shape (u, event times).
    """

    lower: Bound
    upper: Bound
    trimmed_treated: float
    trimmed_comparison: float
    used: Flags


@dataclass(frozen=True)
class _Group:
    """Hold one group at one event time: normalised weights, stayers, changes (n,), codes."""

    weight: Floats
    stays: Flags
    change: Floats
    stack: Codes
    firm: Codes
    n_firms: int

    @property
    def share(self) -> float:
        """Return the weighted share of stayers."""
        return float(self.weight @ self.stays)


def lee_bounds(stacks: Stacks, levels: Floats) -> LeeBounds | None:
    """Bound the effect on the log of a level, averaged equally over event times from entry on.

    `levels` is the outcome by PANEL row. Firms above zero in the base year are compared, whether or
    not their design matched them to each other. None where no event
    time has stayers in both groups.
    """
    values = np.where(stacks.panel_row == NO_ROW, np.nan, levels[stacks.panel_row])
    base = values[:, [stacks.reference_column]]
    logs = np.log(values, where=values > 0, out=np.full_like(values, np.nan))
    change = logs - logs[:, [stacks.reference_column]]
    return bounds_of_changes(stacks, change, np.isfinite(values) & (base > 0))


def bounds_of_changes(stacks: Stacks, change: Floats, known: Flags) -> LeeBounds | None:
    """Bound the effect on changes since the base year among firms that stay either way.

    `change` (u, event times) is missing for firms that do not stay, `known` marks where it is
    known whether they do. None where no event time has stayers in both groups.
    """
    weight = renormalised_weights(stacks, known)
    stack = stack_codes(stacks)
    cells = []
    used = np.zeros(weight.shape, dtype=np.bool_)
    for column in np.flatnonzero(stacks.event_times >= 0):
        treated, control = (
            _group(weight[:, column] * member, change[:, column], stack, stacks)
            for member in (stacks.treated, ~stacks.treated)
        )
        if treated is None or control is None or min(treated.share, control.share) <= 0:
            continue
        cells.append(_cell_bounds(treated, control))
        used[:, column] = weight[:, column] > 0
    if not cells:
        return None
    return LeeBounds(
        lower=mean_bound([cell.lower for cell in cells]),
        upper=mean_bound([cell.upper for cell in cells]),
        trimmed_treated=float(np.mean([cell.trimmed_treated for cell in cells])),
        trimmed_comparison=float(np.mean([cell.trimmed_comparison for cell in cells])),
        used=used,
    )


def _group(weight: Floats, change: Floats, stack: Codes, stacks: Stacks) -> _Group | None:
    member = weight > 0
    if not member.any():
        return None
    stays = np.isfinite(change[member])
    return _Group(
        weight[member] / weight.sum(),
        stays,
        np.where(stays, change[member], 0.0),
        stack[member],
        stacks.firm[member],
        stacks.n_firms,
    )


def _cell_bounds(treated: _Group, control: _Group) -> LeeBounds:
    """Trim the group with the larger share of stayers, from above and from below."""
    nothing = np.zeros((0, 0), dtype=np.bool_)
    if treated.share >= control.share:
        kept = control.share / treated.share
        other = _trimmed_mean(control, None, largest=True)
        low, high = (_trimmed_mean(treated, control, largest=side) for side in (True, False))
        return LeeBounds(difference(low, other), difference(high, other), 1 - kept, 0.0, nothing)
    kept = treated.share / control.share
    other = _trimmed_mean(treated, None, largest=True)
    low, high = (_trimmed_mean(control, treated, largest=side) for side in (False, True))
    return LeeBounds(difference(other, low), difference(other, high), 0.0, 1 - kept, nothing)


def _trimmed_mean(group: _Group, smaller: _Group | None, largest: bool) -> Bound:
    """Return the mean change of stayers after trimming the largest (or the smallest) changes.

    The share kept is p, the ratio of the groups' shares of stayers, 1 without `smaller`; a firm
    at the margin counts in part. With y_p the marginal change the mean is y_p + E[(y - y_p)-] / p,
    and its influence (g - E g) / p + (y_p - mean) / p x that of p, each as `firm_influences`.
    """
    sign = 1.0 if largest else -1.0
    change = sign * group.change
    mass = group.weight * group.stays / group.share
    kept = 1.0 if smaller is None else smaller.share / group.share
    marginal = _quantile(change[group.stays], mass[group.stays], kept)
    below = np.minimum(change - marginal, 0.0)
    mean_below = float(mass @ below)
    mean = marginal + mean_below / kept
    influence = _by_firm(group, group.stays * (below - mean_below) / group.share / kept)
    if smaller is not None:
        of_share = _by_firm(smaller, smaller.stays)
        of_share -= kept * _by_firm(group, group.stays)
        influence += (marginal - mean) / kept / group.share * of_share
    return Bound(sign * mean, sign * influence)


def _quantile(values: Floats, mass: Floats, share: float) -> float:
    """Return the value at which the cumulated mass, summing to 1, reaches the share."""
    order = np.argsort(values, kind="stable")
    reached = np.searchsorted(np.cumsum(mass[order]), share * (1 - 1e-12))
    return float(values[order[min(int(reached), len(order) - 1)]])


def _by_firm(group: _Group, values: NDArray[np.generic]) -> Floats:
    own = np.asarray(values, dtype=np.float64)
    return firm_influences(group.weight, own, group.stack, group.firm, group.n_firms)


def stack_codes(stacks: Stacks) -> Codes:
    """Return the code of each unit's entry year, shape (u,)."""
    return np.asarray(np.unique(stacks.stack, return_inverse=True)[1], dtype=np.intp)


def firm_influences(
    weight: Floats, values: Floats, stack: Codes, firm: Codes, n_firms: int
) -> Floats:
    """Return each firm's influence (F,) on a weighted mean of values (n,), weights summing to 1.

    sum_i w_i (x_i - mean of x in i's entry year): entry years' shares are given, as in the stacked
    estimator, so that what a year did to all firms of an entry year, which cancels between treated
    and comparison firms, is no sampling error of either.
    """
    mass = np.bincount(stack, weight)
    of_stack = np.bincount(stack, weight * values) / np.where(mass > 0, mass, 1.0)
    left = weight * (values - of_stack[stack])
    return np.bincount(firm, left, n_firms).astype(np.float64)


def difference(first: Bound, second: Bound) -> Bound:
    """Return the first bound minus the second."""
    return Bound(first.estimate - second.estimate, first.influence - second.influence)


def mean_bound(bounds: list[Bound]) -> Bound:
    """Return the equal-weight mean of bounds."""
    estimate = float(np.mean([bound.estimate for bound in bounds]))
    return Bound(estimate, np.mean([bound.influence for bound in bounds], axis=0))


def bounds_as_estimated(
    stacks: Stacks, stem: str, bounds: tuple[Bound, Bound], used: Flags, values: Floats
) -> Estimated:
    """Return the lower and the upper bound as terms `<stem>_lower` and `<stem>_upper`.

    `used` marks the units x event times with weight, `values` are all outcomes.
    """
    unit = np.nonzero(used)[0]
    return Estimated(
        terms=(Term(f"{stem}_lower"), Term(f"{stem}_upper")),
        estimates=np.array([bound.estimate for bound in bounds]),
        influence=np.column_stack([bound.influence for bound in bounds]),
        seen=Seen(
            firm=stacks.firm[unit],
            treated=stacks.treated[unit],
            entry=stacks.stack[unit],
            assignment=stacks.assignment,
            levels=stacks.levels,
        ),
        largest=float(np.fmax.reduce(np.abs(values), axis=None, initial=0.0)),
        loadings=np.eye(2),
    )


def estimate_lee(study: Study, stacks: Stacks, outcome: str) -> Answer:
    """Return both bounds on the effect among firms above zero at base, and the shares trimmed.

    Raises IdentificationError where the outcome is neither log nor proportional.
    """
    described = study.outcomes[outcome]
    if not described.in_logs:
        raise IdentificationError(Reason("lee_needs_logs"))
    levels = study.panel[described.column].to_numpy(dtype=np.float64, na_value=np.nan)
    found = lee_bounds(stacks, levels)
    if found is None:
        nobody = Answer(reasons={ATT: Reason("nobody_above_zero_twice")})
        return Answer(by_sample={SAMPLE: nobody})
    logs = np.log(levels[levels > 0])
    both = bounds_as_estimated(stacks, "att", (found.lower, found.upper), found.used, logs)
    return Answer(
        by_sample={SAMPLE: Answer([both], assumes={ATT: MONOTONICITY})}, unused=trimmed(found)
    )


def trimmed(found: LeeBounds) -> dict[str, float]:
    """Return the shares of both groups that the bounds trim."""
    return {
        "trimmed_treated": found.trimmed_treated,
        "trimmed_comparison": found.trimmed_comparison,
    }
