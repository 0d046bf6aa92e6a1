"""What a flat two-way figure averages: 2x2 comparisons of entry years, and their weights.

Goodman-Bacon (2021), doi:10.1016/j.jeconom.2021.03.014, theorem 1: on a balanced panel with
weights constant by firm the two-way estimate is the average of all comparisons of a cohort that
changes treatment with a group that does not change meanwhile: firms never treated, not yet treated,
or already treated. The last subtract the earlier cohort's own change of effect.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.decomposition_names import Kind
from pipeline.estimators.twoway import FlatSample
from pipeline.panel.panel_index import n_groups

# Weights of one firm that differ by less than this share are the same but for rounding.
SAME_WEIGHT = 1e-9


@dataclass(frozen=True)
class TwoByTwo:
    """Hold one 2x2: the cohort that enters, its comparison's cohort (None: never), the weight."""

    cohort: int
    control: int | None
    kind: Kind
    weight: float
    estimate: float


@dataclass(frozen=True)
class _Group:
    """Hold one cohort: share of firms' weight, share of years treated, mean outcome by year."""

    cohort: int | None
    mass: float
    treated_share: float
    post: Flags
    means: Floats


def goodman_bacon(flat: FlatSample) -> list[TwoByTwo]:
    """Return every comparison of the two-way estimate; weights sum to 1.

    Raises IdentificationError where firms are not observed in every year, their weights vary over
    time, or effects begin before entry: the theorem then does not hold.
    """
    _require_theorem(flat)
    groups = _groups(flat)
    found = [part for group in groups for part in _comparisons(group, groups)]
    total = sum(part.weight for part in found)
    return [
        TwoByTwo(part.cohort, part.control, part.kind, part.weight / total, part.estimate)
        for part in found
    ]


def balanced_part(flat: FlatSample) -> FlatSample:
    """Return the firms seen in every year that all cohorts have, with their mean weights.

    Event windows end in other years for every cohort, and firms exit: this is the part of a panel
    on which the theorem holds. Raises IdentificationError where fewer than two years are shared, or
    no firm that enters is in all of them.
    """
    groups, cohort = np.unique(flat.cohort, return_inverse=True)
    years, column = np.unique(flat.year, return_inverse=True)
    seen = np.zeros((len(groups), len(years)), dtype=np.bool_)
    seen[cohort, column] = True
    common = np.asarray(seen.all(axis=0))
    n_years = int(common.sum())
    shared = flat.where(common[column])
    part = shared.where(np.bincount(shared.firm, minlength=1)[shared.firm] == n_years)
    # No year, no entrant: the comparison is then of nothing.
    first, last = years[common].min(initial=years[-1]), years[common].max(initial=years[0])
    if not ((part.cohort > first) & (part.cohort <= last)).any():
        found = {"n_years": len(years), "n_covered": n_years}
        raise IdentificationError(Reason("bacon_years_without_entrants", found))
    mean = np.bincount(part.firm, part.weight) / n_years
    return replace(part, weight=mean[part.firm])


def share_by_kind(comparisons: list[TwoByTwo]) -> dict[Kind, float]:
    """Return the weight of each kind of comparison."""
    shares: dict[Kind, float] = {"never": 0.0, "not_yet": 0.0, "already": 0.0}
    for part in comparisons:
        shares[part.kind] += part.weight
    return shares


def together(comparisons: Sequence[TwoByTwo]) -> tuple[int, float, float]:
    """Return how many comparisons there are, their weight, and their mean by weight."""
    weight = float(np.sum([part.weight for part in comparisons]))
    total = float(np.sum([part.weight * part.estimate for part in comparisons]))
    return len(comparisons), weight, total / weight if weight > 0 else float("nan")


def _require_theorem(flat: FlatSample) -> None:
    n_firms, n_years = n_groups(flat.firm), len(np.unique(flat.year))
    rows = np.bincount(flat.firm)
    short = int(np.count_nonzero((rows > 0) & (rows < n_years)))
    if short:
        found = {"n_short": short, "n_firms": n_firms, "n_years": n_years}
        raise IdentificationError(Reason("bacon_unbalanced", found))
    firm_mean = np.bincount(flat.firm, flat.weight)[flat.firm] / n_years
    if (np.abs(flat.weight - firm_mean) > SAME_WEIGHT * firm_mean).any():
        raise IdentificationError(Reason("bacon_weights_vary"))
    if flat.anticipated.any():
        raise IdentificationError(Reason("bacon_anticipation"))


def _groups(flat: FlatSample) -> list[_Group]:
    """Return the cohorts, earliest first, then the firms that no year finds treated."""
    years = np.unique(flat.year)
    treated_from = np.where(flat.cohort > years[-1], np.inf, np.maximum(flat.cohort, years[0]))
    column = np.searchsorted(years, flat.year)
    groups = []
    for start in np.unique(treated_from):
        rows = treated_from == start
        mass = np.bincount(column[rows], flat.weight[rows])
        means = np.bincount(column[rows], flat.weight[rows] * flat.y[rows]) / mass
        post = np.asarray(years >= start)
        cohort = int(start) if np.isfinite(start) else None
        groups.append(_Group(cohort, float(mass[0]), float(post.mean()), post, means))
    return groups


def _comparisons(group: _Group, groups: list[_Group]) -> Iterator[TwoByTwo]:
    """Yield the comparisons in which `group` is the one that enters."""
    share = group.treated_share
    if group.cohort is None or share == 1:
        return
    for other in groups:
        mass = group.mass * other.mass
        if other.cohort is None:
            yield _two_by_two(group, other, "never", mass * share * (1 - share))
        elif other.cohort > group.cohort:
            weight = (share - other.treated_share) * (1 - share)
            yield _two_by_two(group, other, "not_yet", mass * weight)
        elif other.cohort < group.cohort:
            weight = share * (other.treated_share - share)
            yield _two_by_two(group, other, "already", mass * weight)


def _two_by_two(group: _Group, other: _Group, kind: Kind, weight: float) -> TwoByTwo:
    """Compare changes over the years in which the other group's treatment does not change."""
    still = other.post if kind == "already" else ~other.post
    after, before = group.post & still, ~group.post & still
    change = [g.means[after].mean() - g.means[before].mean() for g in (group, other)]
    return TwoByTwo(group.cohort or 0, other.cohort, kind, weight, float(change[0] - change[1]))
