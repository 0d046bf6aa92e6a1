"""Whether groups' effects are equal, and how far apart they must be for the design to tell.

All effects are functions of the same clusters: their covariance is the sum over clusters of
products of influences, and a difference is a contrast of it.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.effects.rows import Label, Row, fit_key, test_row
from pipeline.errors import Reason
from pipeline.inference.analytic import Inferred
from pipeline.inference.covariance import is_invertible, minimum_detectable_effect, wald_test
from pipeline.params.estimate import EstimateSection

TEST = "equality"
ONE_GROUP = Reason("fewer_than_two_groups")


@dataclass(frozen=True)
class Joint:
    """Hold k single effects (k,), their covariance (k, k), and the clusters behind them."""

    names: tuple[str, ...]
    estimates: Floats
    covariance: Floats
    clusters: tuple[Floats, ...]

    @classmethod
    def of(cls, effects: dict[str, Inferred]) -> "Joint":
        """Join effects on the same clusters, those that have a standard error."""
        known = {name: e for name, e in effects.items() if e.reasons[0] is None}
        influences = [e.influence[:, 0] for e in known.values() if e.influence is not None]
        most = max((len(own) for own in influences), default=0)
        padded = np.array([np.pad(own, (0, most - len(own))) for own in influences])
        return cls(
            tuple(known),
            np.array([e.estimated.estimates[0] for e in known.values()]),
            padded @ padded.T,
            tuple(np.unique(e.clusters[0][e.estimated.seen.firm]) for e in known.values()),
        )

    def n_clusters(self, which: tuple[int, ...]) -> int:
        """Return the number of clusters with rows behind any of some effects."""
        return len(np.unique(np.concatenate([self.clusters[i] for i in which])))


def equality_row(label: Label, grouping: str, effects: dict[str, Inferred]) -> Row:
    """Return the Wald test that all groups' effects are equal, jointly clustered.

    F with (groups - 1, clusters - 1) degrees of freedom, over groups with a standard error.
    """
    own = replace(label, grouping=grouping)
    joint = Joint.of(effects)
    k = len(joint.names)
    if k < 2:
        return test_row(own, TEST, reason=ONE_GROUP)
    against_first = np.column_stack([-np.ones(k - 1), np.eye(k - 1)])
    covariance = against_first @ joint.covariance @ against_first.T
    n_clusters = joint.n_clusters(tuple(range(k)))
    test = wald_test(against_first @ joint.estimates, covariance, n_clusters - 1)
    said = [Reason("groups_compared", {"groups": list(joint.names)})]
    found = {"n_clusters": n_clusters}
    why = Reason("no_joint_test_with_clusters", found) if np.isnan(test.statistic) else None
    return test_row(own, TEST, reason=why, remarks=said, **vars(test))


def detectable_difference(
    label: Label, grouping: str, effects: dict[str, Inferred], settings: EstimateSection
) -> Row | None:
    """Return the row of DETECTABLE of the smallest difference between two groups.

    It is the smallest that a t test of it would find:

    (t_{1-alpha/2, G-1} + t_{power, G-1}) x SE of the difference, over the two groups' G clusters,
    for the pair in which it is least; None where no pair has one. In units of the effect.
    """
    joint = Joint.of(effects)
    found = []
    for pair in combinations(range(len(joint.names)), 2):
        own = joint.covariance[np.ix_(pair, pair)]
        variance = np.array([[own[0, 0] + own[1, 1] - 2 * own[0, 1]]])
        if is_invertible(variance):
            error, df = float(np.sqrt(variance[0, 0])), joint.n_clusters(pair) - 1
            found.append(minimum_detectable_effect(error, df, settings.conf_level, settings.power))
    least = min((value for value in found if np.isfinite(value)), default=None)
    if least is None:
        return None
    place = fit_key(label) | {"grouping": grouping, "treated_clusters": None}
    return place | {"effect": least, "scale": label.scale}
