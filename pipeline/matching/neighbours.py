"""Nearest firms of each firm, in its own group and in the other, and what they say of it."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.matching.mahalanobis import Space, share_nearest
from pipeline.matching.sets import MatchedSets, join_sets, make_sets


@dataclass(frozen=True)
class ScoredFirms:
    """Hold n firms: outcome (n,), treated flags (n,), points (n, k), exact cells (n,) or None.

    Distances are Euclidean between points: a score as one column, or whitened covariates.
    `score` (n,) and `caliper`, in its units, rule out matches across groups; None means no caliper.
    """

    outcome: Floats
    treated: Flags
    points: Floats
    cells: Integers | None = None
    score: Floats | None = None
    caliper: float | None = None

    @property
    def open_space(self) -> Space:
        """Return the points without the caliper."""
        return Space(self.points, np.zeros(len(self.points)), np.inf)

    @property
    def match_space(self) -> Space:
        """Return the points with the caliper, if there is one."""
        if self.score is None or self.caliper is None:
            return self.open_space
        return Space(self.points, self.score, self.caliper)


def match_both_ways(firms: ScoredFirms, ratio: int, tolerance: float) -> MatchedSets:
    """Match every firm to its `ratio` nearest firms (ties too) of the other group."""
    one, zero = np.flatnonzero(firms.treated), np.flatnonzero(~firms.treated)
    return join_sets(
        [
            _nearest(firms, firms.match_space, own, other, number=ratio, tolerance=tolerance)
            for own, other in ((one, zero), (zero, one))
        ]
    )


def own_group(firms: ScoredFirms, number: int, tolerance: float) -> MatchedSets:
    """Return the `number` nearest firms (ties too) of each firm's own group, itself included."""
    groups = [np.flatnonzero(firms.treated), np.flatnonzero(~firms.treated)]
    return join_sets(
        [
            _nearest(firms, firms.open_space, own, own, number=number, tolerance=tolerance)
            for own in groups
        ]
    )


def near_group(firms: ScoredFirms, group: bool, number: int, tolerance: float) -> MatchedSets:
    """Return every firm's `number` nearest firms (ties too) of one group, itself included."""
    everyone = np.arange(len(firms.outcome))
    among = np.flatnonzero(firms.treated == group)
    return _nearest(firms, firms.open_space, everyone, among, number=number, tolerance=tolerance)


def without_self(sets: MatchedSets) -> MatchedSets:
    """Return sets without the firm itself; the others share its weight."""
    others = sets.treated != sets.control
    return make_sets(sets.treated[others], sets.control[others], sets.distance[others])


def neighbour_mean(values: Floats, sets: MatchedSets) -> Floats:
    """Return the weighted mean of `values` over each firm's set; 0 without one."""
    return np.bincount(
        sets.treated, sets.weight * values[sets.control], minlength=len(values)
    ).astype(np.float64)


def variance_within(values: Floats, sets: MatchedSets) -> Floats:
    """Return the variance (n-1) of `values` within each firm's set."""
    return covariance_within(values[:, None], values, sets)[:, 0]


def covariance_within(columns: Floats, values: Floats, sets: MatchedSets) -> Floats:
    """Return the covariance (n-1) of each column with `values` within each firm's set, (n, k)."""
    number = np.bincount(sets.treated, minlength=len(values))
    level = values[sets.control] - neighbour_mean(values, sets)[sets.treated]
    freedom = np.maximum(number - 1, 1)
    return np.column_stack(
        [
            np.bincount(sets.treated, column[sets.control] * level, minlength=len(values)) / freedom
            for column in columns.T
        ]
    )


def _nearest(
    firms: ScoredFirms,
    space: Space,
    own: Integers,
    among: Integers,
    *,
    number: int,
    tolerance: float,
) -> MatchedSets:
    """Return the nearest firms of each firm of `own` among `among`, within its cell."""
    cells = firms.cells
    if cells is None:
        return share_nearest(space, own, among, number, tolerance)
    return join_sets(
        [
            share_nearest(
                space, own[cells[own] == cell], among[cells[among] == cell], number, tolerance
            )
            for cell in np.unique(cells[own])
        ]
    )
