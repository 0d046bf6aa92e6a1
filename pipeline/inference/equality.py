"""Whether groups' effects are equal, and how far apart they must be for the design to tell.

All effects are functions of the same clusters: their covariance is the sum over clusters of
products of influences, and a difference is a contrast of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.estimated import Estimated, combined, joined
from pipeline.effects.rows import Label, Row, fit_key, test_row
from pipeline.effects.terms import ATT
from pipeline.errors import Reason
from pipeline.inference.covariance import is_invertible, minimum_detectable_effect, wald_test
from pipeline.params.estimate import EstimateSection

TEST = "equality"
ONE_GROUP = Reason("fewer_than_two_groups")


@dataclass(frozen=True)
class Joint:
    """Hold the effects on groups with their covariance, and the clusters with rows behind each."""

    effects: Estimated
    clusters: tuple[Codes, ...]

    @classmethod
    def of(cls, effects: Sequence[Estimated]) -> "Joint":
        """Join one or more effects by the clusters that they have in common."""
        both = joined(effects)
        assert both.influence is not None, "effects are kept by cluster"
        covariance = both.influence.T @ both.influence
        known = replace(both, influence=None, covariance=covariance)
        return cls(known, tuple(effect.seen.firm for effect in effects))

    def differences(self, pairs: Sequence[tuple[int, int]]) -> tuple[Floats, Floats]:
        """Return the second effect of each of m pairs less the first, and their covariance."""
        weights = np.zeros((len(self.clusters), len(pairs)))
        for column, (first, second) in enumerate(pairs):
            weights[[first, second], column] = -1.0, 1.0
        found = combined(self.effects, [ATT] * len(pairs), weights)
        assert found.covariance is not None, "of effects with a covariance"
        return found.estimates, found.covariance

    def n_clusters(self, which: Iterable[int]) -> int:
        """Return the number of clusters with rows behind any of some effects."""
        return len(np.unique(np.concatenate([self.clusters[i] for i in which])))


def equality_row(label: Label, grouping: str, effects: Mapping[str, Estimated]) -> Row:
    """Return the Wald test that all groups' effects are equal, jointly clustered.

    F with (groups - 1, clusters - 1) degrees of freedom, over groups with a standard error, whose
    `effects` are by cluster.
    """
    own, k = replace(label, grouping=grouping), len(effects)
    if k < 2:
        return test_row(own, TEST, reason=ONE_GROUP)
    joint = Joint.of(list(effects.values()))
    against_first, covariance = joint.differences([(0, other) for other in range(1, k)])
    n_clusters = joint.n_clusters(range(k))
    test = wald_test(against_first, covariance, n_clusters - 1)
    said = [Reason("groups_compared", {"groups": list(effects)})]
    found = {"n_clusters": n_clusters}
    why = Reason("no_joint_test_with_clusters", found) if np.isnan(test.statistic) else None
    return test_row(own, TEST, reason=why, remarks=said, **vars(test))


def detectable_difference(
    label: Label, grouping: str, effects: Mapping[str, Estimated], settings: EstimateSection
) -> Row | None:
    """Return the row of DETECTABLE of the smallest difference between two groups.

    It is the smallest that a t test of it would find:

    (t_{1-alpha/2, G-1} + t_{power, G-1}) x SE of the difference, over the two groups' G clusters,
    for the pair in which it is least; None where no pair has one. In units of the effect.
    """
    if not effects:
        return None
    joint, found = Joint.of(list(effects.values())), []
    for pair in combinations(range(len(effects)), 2):
        _, variance = joint.differences([pair])
        if is_invertible(variance):
            error, df = float(np.sqrt(variance[0, 0])), joint.n_clusters(pair) - 1
            found.append(minimum_detectable_effect(error, df, settings.conf_level, settings.power))
    least = min((value for value in found if np.isfinite(value)), default=None)
    if least is None:
        return None
    place = fit_key(label) | {"grouping": grouping, "treated_clusters": None, "event_time": None}
    return place | {"effect": least, "scale": label.scale}
