"""Whether groups' effects are equal, and how far apart they must be for the design to tell.

All effects are functions of the same clusters: with psi_g a cluster's influences on two of them,
the variance of their difference is the sum over clusters of (psi_1 - psi_2)^2.
"""

from itertools import combinations

import numpy as np

from pipeline.effects.average_effect import AverageEffect, minus
from pipeline.effects.description import Fact
from pipeline.effects.rows import Label, Row, test_row
from pipeline.effects.stacks import Flags
from pipeline.inference.covariance import is_invertible, minimum_detectable_effect, wald_test
from pipeline.params.estimate import EstimateSection

ONE_GROUP = "fewer than two groups are estimated: nothing to compare"


def equality_test(grouping: str) -> str:
    """Return the name that the test of one grouping has in TESTS."""
    return f"equality[{grouping}]"


def equality_row(label: Label, grouping: str, effects: dict[str, AverageEffect]) -> Row:
    """Return the Wald test that all groups' effects are equal, jointly clustered.

    F with (groups - 1, clusters - 1) degrees of freedom, over groups with a standard error.
    """
    effects = _with_errors(effects)
    if len(effects) < 2:
        return test_row(label, equality_test(grouping), note=ONE_GROUP)
    estimates = np.array([effect.estimate for effect in effects.values()])
    against_first = np.column_stack([-np.ones(len(effects) - 1), np.eye(len(effects) - 1)])
    covariance = against_first @ _covariance(effects) @ against_first.T
    n_clusters = int(_present(list(effects.values())).sum())
    test = wald_test(against_first @ estimates, covariance, n_clusters - 1)
    note = f"equal effects in {', '.join(effects)}"
    if np.isnan(test.statistic):
        note += f": no joint test with {n_clusters} clusters"
    return test_row(label, equality_test(grouping), note=note, **vars(test))


def detectable_difference(
    label: Label, grouping: str, effects: dict[str, AverageEffect], settings: EstimateSection
) -> list[Fact]:
    """Return the smallest difference between two groups that a t test of it would find.

    (t_{1-alpha/2, G-1} + t_{power, G-1}) x SE of the difference, over the two groups' G clusters,
    for the pair in which it is least; nothing where no pair has one. In units of the effect.
    """
    found = [
        minimum_detectable_effect(
            minus(first, second).std_error,
            int(_present([first, second]).sum()) - 1,
            settings.conf_level,
            settings.power,
        )
        for first, second in combinations(_with_errors(effects).values(), 2)
        if is_invertible(_covariance({"difference": minus(first, second)}))
    ]
    least = min((value for value in found if np.isfinite(value)), default=None)
    name = f"detectable_difference[{grouping}]"
    return [] if least is None else [(name, least, label.scale)]


def _with_errors(effects: dict[str, AverageEffect]) -> dict[str, AverageEffect]:
    """Return the effects that have a standard error."""
    return {name: e for name, e in effects.items() if e.counts.why_none(e.std_error) is None}


def _covariance(effects: dict[str, AverageEffect]) -> np.ndarray:
    influence = np.array([effect.influence for effect in effects.values()])
    return np.asarray(influence @ influence.T)


def _present(effects: list[AverageEffect]) -> Flags:
    """Mark the clusters (G,) with rows behind any of the effects."""
    return np.asarray(np.array([effect.present for effect in effects]).any(axis=0))
