"""Bounds on the effect among firms that would sell either way: the intensive margin.

Among firms with a positive outcome in the base year, changes of logs are seen only for those still
positive. If treatment moves that share in one direction only (monotonicity), the group with the
larger share contains the others' counterparts plus extra firms, and trimming its largest or its
smallest changes bounds the effect on firms that stay either way. Lee (2009),
doi:10.1111/j.1467-937X.2009.00536.x; interval of Imbens & Manski (2004),
doi:10.1111/j.1468-0262.2004.00555.x.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.effects.sample import renormalised_weights
from pipeline.effects.stacks import Flags, Floats, Stacks
from pipeline.panel.panel_index import NO_ROW, Codes


@dataclass(frozen=True)
class Bound:
    """Hold an estimate and each cluster's influence on it, shape (G,)."""

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
    cluster: Codes
    n_clusters: int

    @property
    def share(self) -> float:
        """Return the weighted share of stayers."""
        return float(self.weight @ self.stays)


def lee_bounds(stacks: Stacks, levels: Floats, clusters: Codes) -> LeeBounds | None:
    """Bound the effect on the log of a level, averaged equally over event times from entry on.

    `levels` is the outcome by PANEL row, `clusters` one code per unit. Firms above zero in the base
    year are compared, whether or not their design matched them to each other. None where no event
    time has stayers in both groups.
    """
    values = np.where(stacks.panel_row == NO_ROW, np.nan, levels[stacks.panel_row])
    base = values[:, [stacks.reference_column]]
    logs = np.log(values, where=values > 0, out=np.full_like(values, np.nan))
    change = logs - logs[:, [stacks.reference_column]]
    return bounds_of_changes(stacks, change, np.isfinite(values) & (base > 0), clusters)


def bounds_of_changes(
    stacks: Stacks, change: Floats, known: Flags, clusters: Codes
) -> LeeBounds | None:
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
            _group(weight[:, column] * member, change[:, column], stack, clusters)
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


def imbens_manski(lower: Bound, upper: Bound, conf_level: float) -> tuple[float, float]:
    """Return an interval that covers the effect, not the whole set, with the given probability.

    lower - c SE, upper + c SE, where Phi(c + width / max SE) - Phi(-c) = conf_level.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    errors = [float(np.sqrt(b.influence @ b.influence)) for b in (lower, upper)]
    if not max(errors) > 0:
        return float("nan"), float("nan")
    width = max(upper.estimate - lower.estimate, 0.0) / max(errors)
    critical = brentq(lambda c: norm.cdf(c + width) - norm.cdf(-c) - conf_level, 0, 10)
    return lower.estimate - critical * errors[0], upper.estimate + critical * errors[1]


def _group(weight: Floats, change: Floats, stack: Codes, clusters: Codes) -> _Group | None:
    member = weight > 0
    if not member.any():
        return None
    stays = np.isfinite(change[member])
    return _Group(
        weight[member] / weight.sum(),
        stays,
        np.where(stays, change[member], 0.0),
        stack[member],
        clusters[member],
        int(clusters.max()) + 1,
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
    and its influence (g - E g) / p + (y_p - mean) / p x that of p, each as `cluster_influences`.
    """
    sign = 1.0 if largest else -1.0
    change = sign * group.change
    mass = group.weight * group.stays / group.share
    kept = 1.0 if smaller is None else smaller.share / group.share
    marginal = _quantile(change[group.stays], mass[group.stays], kept)
    below = np.minimum(change - marginal, 0.0)
    mean_below = float(mass @ below)
    mean = marginal + mean_below / kept
    influence = _by_cluster(group, group.stays * (below - mean_below) / group.share / kept)
    if smaller is not None:
        of_share = _by_cluster(smaller, smaller.stays)
        of_share -= kept * _by_cluster(group, group.stays)
        influence += (marginal - mean) / kept / group.share * of_share
    return Bound(sign * mean, sign * influence)


def _quantile(values: Floats, mass: Floats, share: float) -> float:
    """Return the value at which the cumulated mass, summing to 1, reaches the share."""
    order = np.argsort(values, kind="stable")
    reached = np.searchsorted(np.cumsum(mass[order]), share * (1 - 1e-12))
    return float(values[order[min(int(reached), len(order) - 1)]])


def _by_cluster(group: _Group, values: NDArray[np.generic]) -> Floats:
    own = np.asarray(values, dtype=np.float64)
    return cluster_influences(group.weight, own, group.stack, group.cluster, group.n_clusters)


def stack_codes(stacks: Stacks) -> Codes:
    """Return the code of each unit's entry year, shape (u,)."""
    return np.asarray(np.unique(stacks.stack, return_inverse=True)[1], dtype=np.intp)


def cluster_influences(
    weight: Floats, values: Floats, stack: Codes, clusters: Codes, n_clusters: int
) -> Floats:
    """Return each cluster's influence (G,) on a weighted mean of values (n,), weights summing to 1.

    sum_i w_i (x_i - mean of x in i's entry year): entry years' shares are given, as in the stacked
    estimator, so that what a year did to all firms of an entry year, which cancels between treated
    and comparison firms, is no sampling error of either.
    """
    mass = np.bincount(stack, weight)
    of_stack = np.bincount(stack, weight * values) / np.where(mass > 0, mass, 1.0)
    left = weight * (values - of_stack[stack])
    return np.bincount(clusters, left, n_clusters).astype(np.float64)


def difference(first: Bound, second: Bound) -> Bound:
    """Return the first bound minus the second."""
    return Bound(first.estimate - second.estimate, first.influence - second.influence)


def mean_bound(bounds: list[Bound]) -> Bound:
    """Return the equal-weight mean of bounds."""
    estimate = float(np.mean([bound.estimate for bound in bounds]))
    return Bound(estimate, np.mean([bound.influence for bound in bounds], axis=0))
