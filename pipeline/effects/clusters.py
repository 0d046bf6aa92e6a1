"""Which inference goes with which design, and the clusters of each choice.

After matching without replacement, where no firm serves twice, errors are clustered on matched
sets and assignment clusters (Abadie & Spiess 2022, doi:10.1080/01621459.2020.1840383). Where
firms are reused such clusters do not exist, and the bootstrap fails for neighbours (Abadie &
Imbens 2008, doi:10.3982/ECTA6474); smooth weights can be bootstrapped. Abadie & Imbens' variance
is for one difference per firm and independent assignment only.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.effects.stacks import Stacks
from pipeline.errors import IdentificationError
from pipeline.panel.panel_index import Codes
from pipeline.params.estimate import MatchedDifferenceSpec, StackedSpec


@dataclass(frozen=True)
class Remade:
    """Say how a design's matches are made, as far as params tell: see `Traits`."""

    smooth: bool = False
    shared_neighbours: bool = False
    own_scores: bool = True


@dataclass(frozen=True)
class Traits:
    """Say what decides which inference a design allows.

    `sets`: it has matched sets. `used_once`: no firm is in two sets or two stacks. `smooth`: its
    weights change smoothly with the data and can be made again from params. `shared_neighbours`:
    it matches nearest neighbours with replacement. `own_scores`: no score is fitted over several
    entry years. `one_difference`: no firm is in two stacks. `independent`: no assignment cluster
    holds two treated firms.
    """

    sets: bool
    used_once: bool
    smooth: bool
    shared_neighbours: bool
    own_scores: bool
    one_difference: bool
    independent: bool


@dataclass(frozen=True)
class Rule:
    """Hold what an inference needs of a design, why, and what to use where it lacks that."""

    needs: tuple[str, ...]
    why: str
    instead: str


_CONDITIONAL = "cluster: assignment, whose interval is conditional on the match"
_BOOTSTRAP = "smooth weights (method: entropy, odds) with inference: cluster_bootstrap"
_ONE_DIFFERENCE = (
    "Abadie and Imbens' variance is for nearest neighbours with replacement (method: nearest or "
    "mahalanobis), a score of each entry year, one entry year per firm and treatment assigned firm "
    "by firm"
)
_SETS = Rule(
    ("sets", "used_once"),
    "matched sets are clusters only without replacement and where no firm serves two entry years",
    f"use {_CONDITIONAL}, or {_BOOTSTRAP}",
)

# By inference and cluster; what is not here is not offered.
VALID: dict[tuple[str, str], Rule] = {
    ("analytic", "assignment"): Rule((), "", ""),
    ("analytic", "firm"): Rule((), "", ""),
    ("analytic", "set_and_assignment"): _SETS,
    ("analytic", "components"): _SETS,
    ("abadie_imbens", "firm"): Rule(
        ("shared_neighbours", "own_scores", "one_difference", "independent"),
        _ONE_DIFFERENCE,
        f"use estimator: stacked with {_CONDITIONAL}, or {_BOOTSTRAP}",
    ),
    ("cluster_bootstrap", "assignment"): Rule(
        ("smooth",),
        "the bootstrap fails for matched neighbours, and weights from a file cannot be made again",
        f"use {_CONDITIONAL}, cluster: components after matching without replacement, or "
        "method: entropy or odds",
    ),
}


# What a design lacks, in words.
_LACKS = {
    "sets": "it has no matched sets",
    "used_once": "some firm is in two sets or entry years",
    "smooth": "its weights do not change smoothly, or come from a file",
    "shared_neighbours": "it does not match neighbours with replacement",
    "own_scores": "its score is pooled over entry years",
    "one_difference": "some comparison firm serves two entry years",
    "independent": "some assignment cluster holds several treated firms",
}


def require_valid(spec: StackedSpec | MatchedDifferenceSpec, stacks: Stacks, rule: Remade) -> None:
    """Raise IdentificationError where a spec's inference is not valid for a design.

    The message says what the inference needs, what the design lacks, and names one that is valid.
    """
    found = VALID.get((spec.inference, spec.cluster))
    if found is None:
        clusters = " or ".join(cluster for name, cluster in VALID if name == spec.inference)
        raise IdentificationError(
            f"estimate.specs.{spec.name}: inference: {spec.inference} goes with cluster: "
            f"{clusters}, not {spec.cluster}; for clustered assignment use estimator: stacked with "
            f"{_CONDITIONAL}"
        )
    traits = traits_of(stacks, rule)
    lacking = [_LACKS[need] for need in found.needs if not getattr(traits, need)]
    if not lacking:
        return
    asked = f"cluster: {spec.cluster}" if spec.inference == "analytic" else spec.inference
    raise IdentificationError(
        f"estimate.specs.{spec.name}: {asked} is not valid for the design {stacks.design}: "
        f"{found.why} ({'; '.join(lacking)}); {found.instead}"
    )


def used_once(stacks: Stacks) -> bool:
    """Say whether there are matched sets, and no firm is in two sets or stacks."""
    if stacks.sets is None or np.bincount(stacks.firm).max() > 1:
        return False
    return bool(np.bincount(stacks.sets.unit, minlength=len(stacks.firm)).max() <= 1)


def traits_of(stacks: Stacks, rule: Remade) -> Traits:
    """Read a design's traits off its sets, units and rule."""
    in_stacks = np.bincount(stacks.firm)
    by_cluster = np.bincount(stacks.cluster, weights=stacks.treated)
    return Traits(
        sets=stacks.sets is not None,
        used_once=used_once(stacks),
        smooth=rule.smooth,
        shared_neighbours=rule.shared_neighbours,
        own_scores=rule.own_scores or len(np.unique(stacks.stack)) == 1,
        one_difference=bool(in_stacks.max() <= 1),
        independent=bool(by_cluster.max() <= 1),
    )


def cluster_codes(stacks: Stacks, cluster: str) -> tuple[Codes, ...]:
    """Return the cluster of each unit, (u,), once or, for two-way clustering, twice."""
    if cluster == "firm":
        return (stacks.firm,)
    if cluster == "set_and_assignment":
        return stacks.cluster, _set_of_unit(stacks)
    if cluster == "components":
        return (_components(stacks.cluster, _set_of_unit(stacks)),)
    return (stacks.cluster,)


def _set_of_unit(stacks: Stacks) -> Codes:
    assert stacks.sets is not None, "require_valid comes before"
    code = np.zeros(len(stacks.firm), dtype=np.intp)
    code[stacks.sets.unit] = stacks.sets.set_code
    return code


def _components(first: Codes, second: Codes) -> Codes:
    """Join clusters and sets that share a unit, directly or through others."""
    from scipy import sparse

    n_first, n = int(first.max()) + 1, int(first.max()) + int(second.max()) + 2
    links = sparse.coo_matrix((np.ones(len(first)), (first, n_first + second)), shape=(n, n))
    component = sparse.csgraph.connected_components(links, directed=False)[1]
    return np.asarray(component[first], dtype=np.intp)
