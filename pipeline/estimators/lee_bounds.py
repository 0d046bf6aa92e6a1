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
from pipeline.effects.estimated import Estimated
from pipeline.effects.sample import renormalised_weights
from pipeline.effects.stacks import Stacks
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT, Term, event
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.group_means import (
    COMPARISON_HIGHEST,
    COMPARISON_LOWEST,
    TREATED_HIGHEST,
    TREATED_LOWEST,
    bounds_of,
    firm_influences,
    no_means,
    one_mean,
    stack_codes,
)
from pipeline.panel.panel_index import NO_ROW

SAMPLE = "base_exporters"
MONOTONICITY = Reason("stay_above_zero_either_way")


@dataclass(frozen=True)
class LeeBounds:
    """Hold both bounds, and the mean shares of each group's stayers that they trim."""

    both: Estimated
    trimmed_treated: float
    trimmed_comparison: float


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
    known = np.isfinite(values) & (base > 0)
    return bounds_of_changes(stacks, change, known, np.log(levels[levels > 0]), ATT)


def bounds_of_changes(
    stacks: Stacks, change: Floats, known: Flags, values: Floats, term: Term
) -> LeeBounds | None:
    """Bound the effect on changes since the base year among firms that stay either way.

    `change` (u, event times) is missing for firms that do not stay, `known` marks where it is
    known whether they do, `values` are all outcomes. None where no event time has stayers in both
    groups.
    """
    weight = renormalised_weights(stacks, known)
    stack = stack_codes(stacks)
    used = np.zeros(weight.shape, dtype=np.bool_)
    pairs: dict[int, tuple[_Group, _Group]] = {}
    for column in np.flatnonzero(stacks.event_times >= 0):
        treated, control = (
            _group(weight[:, column] * member, change[:, column], stack, stacks)
            for member in (stacks.treated, ~stacks.treated)
        )
        if treated is None or control is None or min(treated.share, control.share) <= 0:
            continue
        pairs[int(stacks.event_times[column])] = treated, control
        used[:, column] = weight[:, column] > 0
    if not pairs:
        return None
    of = no_means(stacks, used, values)
    means = [mean for time, pair in pairs.items() for mean in _means_at(of, time, *pair)]
    trimmed = np.mean([_trimmed_shares(*pair) for pair in pairs.values()], axis=0)
    return LeeBounds(bounds_of(means, term), *trimmed.tolist())


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


def _trimmed_shares(treated: _Group, control: _Group) -> tuple[float, float]:
    """Return the shares of treated and of comparison stayers to trim, one of them zero."""
    ratio = control.share / treated.share
    return max(1 - ratio, 0.0), max(1 - 1 / ratio, 0.0)


def _means_at(of: Estimated, time: int, treated: _Group, control: _Group) -> list[Estimated]:
    """Return each group's lowest and highest mean, the group with more stayers trimmed."""
    trims_treated = treated.share >= control.share
    means = []
    for lowest, highest, group, smaller in (
        (TREATED_LOWEST, TREATED_HIGHEST, treated, control if trims_treated else None),
        (COMPARISON_LOWEST, COMPARISON_HIGHEST, control, None if trims_treated else treated),
    ):
        for family, largest in ((lowest, True), (highest, False)):
            mean, influence = _trimmed_mean(group, smaller, largest)
            means.append(one_mean(of, event(time, family), mean, influence))
    return means


def _trimmed_mean(group: _Group, smaller: _Group | None, largest: bool) -> tuple[float, Floats]:
    """Return the mean change of stayers without the largest (or smallest) ones, and influences.

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
    return sign * mean, sign * influence


def _quantile(values: Floats, mass: Floats, share: float) -> float:
    """Return the value at which the cumulated mass, summing to 1, reaches the share."""
    order = np.argsort(values, kind="stable")
    reached = np.searchsorted(np.cumsum(mass[order]), share * (1 - 1e-12))
    return float(values[order[min(int(reached), len(order) - 1)]])


def _by_firm(group: _Group, values: NDArray[np.generic]) -> Floats:
    own = np.asarray(values, dtype=np.float64)
    return firm_influences(group.weight, own, group.stack, group.firm, group.n_firms)


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
    return Answer(
        by_sample={SAMPLE: Answer([found.both], assumes={ATT: MONOTONICITY})},
        unused=trimmed(found),
    )


def trimmed(found: LeeBounds) -> dict[str, float]:
    """Return the shares of both groups that the bounds trim."""
    return {
        "trimmed_treated": found.trimmed_treated,
        "trimmed_comparison": found.trimmed_comparison,
    }
