"""Which inference goes with which design, and the clusters of each choice.

After matching without replacement, where no firm serves twice, errors are clustered on matched
sets and assignment clusters (Abadie & Spiess 2022, doi:10.1080/01621459.2020.1840383). Where
firms are reused such clusters do not exist, and the bootstrap fails for neighbours (Abadie &
Imbens 2008, doi:10.3982/ECTA6474); smooth weights can be bootstrapped.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.effects.stacks import Stacks
from pipeline.errors import IdentificationError
from pipeline.panel_index import Codes
from pipeline.params.estimate import StackedSpec


@dataclass(frozen=True)
class Traits:
    """Say what decides which inference a design allows.

    `sets`: it has matched sets. `used_once`: no firm is in two sets or two stacks. `smooth`: its
    weights change smoothly with the data and can be made again from params.
    """

    sets: bool
    used_once: bool
    smooth: bool


@dataclass(frozen=True)
class Rule:
    """Hold what an inference needs of a design, why, and what to use where it lacks that."""

    needs: tuple[str, ...]
    why: str
    instead: str


_CONDITIONAL = "cluster: assignment, whose interval is conditional on the match"
_BOOTSTRAP = "smooth weights (method: entropy, odds) with inference: cluster_bootstrap"
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
    ("cluster_bootstrap", "assignment"): Rule(
        ("smooth",),
        "the bootstrap fails for matched neighbours, and weights from a file cannot be made again",
        f"use {_CONDITIONAL}, cluster: components after matching without replacement, or "
        "method: entropy or odds",
    ),
}


def require_valid(spec: StackedSpec, stacks: Stacks, smooth: bool) -> None:
    """Raise IdentificationError where a spec's inference is not valid for a design.

    The message says what the inference needs and names one that is valid.
    """
    rule = VALID[spec.inference, spec.cluster]
    traits = traits_of(stacks, smooth)
    if all(getattr(traits, need) for need in rule.needs):
        return
    asked = "cluster_bootstrap" if spec.inference != "analytic" else f"cluster: {spec.cluster}"
    raise IdentificationError(
        f"estimate.specs.{spec.name}: {asked} is not valid for the design {stacks.design}: "
        f"{rule.why}; {rule.instead}"
    )


def traits_of(stacks: Stacks, smooth: bool) -> Traits:
    """Read a design's traits off its sets and units."""
    if stacks.sets is None:
        return Traits(sets=False, used_once=False, smooth=smooth)
    in_sets = np.bincount(stacks.sets.unit, minlength=len(stacks.firm))
    in_stacks = np.bincount(stacks.firm)
    return Traits(True, bool(in_sets.max() <= 1 and in_stacks.max() <= 1), smooth)


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
