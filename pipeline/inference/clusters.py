"""The clusters of each choice, by firm."""

import numpy as np

from pipeline.datasets.arrays import Codes
from pipeline.effects.estimated import Seen
from pipeline.effects.stacks import Stacks
from pipeline.params.analyses import OWN_LEVELS, Clustering


def cluster_codes(seen: Seen, cluster: Clustering) -> tuple[Codes, ...]:
    """Return the cluster of each firm, (F,), once or, for two-way clustering, twice."""
    if not isinstance(cluster, str):
        return tuple(_level(seen, name) for name in cluster)
    if cluster == "firm":
        return (np.arange(seen.n_firms),)
    assert seen.assignment is not None, "an estimator on stacks says where support was given out"
    if cluster == "assignment":
        return (seen.assignment,)
    assert seen.matched_set is not None, "require_valid comes before"
    if cluster == "set_and_assignment":
        alone = seen.matched_set.max(initial=-1) + 1
        return seen.assignment, np.where(seen.matched_set < 0, alone, seen.matched_set)
    return (_components(seen.assignment, seen.matched_set),)


def unit_clusters(stacks: Stacks, cluster: str) -> tuple[Codes, ...]:
    """Return the cluster of each unit of a design, (u,), once or twice."""
    seen = Seen(stacks.firm, stacks.treated, None, None, stacks.assignment, stacks.matched_set)
    return tuple(code[stacks.firm] for code in cluster_codes(seen, cluster))


def _level(seen: Seen, name: str) -> Codes:
    """Return the cluster of each firm at one level of a pair, as far as results have firms."""
    own = name in OWN_LEVELS
    return cluster_codes(seen, name)[0] if own else seen.levels[name][: seen.n_firms]


def _components(first: Codes, second: Codes) -> Codes:
    """Join clusters and sets that share a firm, directly or through others; -1 is no set."""
    from scipy import sparse

    firms = np.flatnonzero(second >= 0)
    n_first, n = int(first.max()) + 1, int(first.max()) + int(second.max()) + 2
    links = sparse.coo_matrix(
        (np.ones(len(firms)), (first[firms], n_first + second[firms])), shape=(n, n)
    )
    component = sparse.csgraph.connected_components(links, directed=False)[1]
    return np.asarray(component[first], dtype=np.intp)
