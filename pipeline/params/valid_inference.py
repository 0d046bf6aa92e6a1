"""Which inference goes with which clusters, and what each needs of a design.

After matching without replacement, where no firm serves twice, errors are clustered on matched
sets and assignment clusters (Abadie & Spiess 2022, doi:10.1080/01621459.2020.1840383). Where
firms are reused such clusters do not exist, and the bootstrap fails for neighbours (Abadie &
Imbens 2008, doi:10.3982/ECTA6474); smooth weights can be bootstrapped. Abadie & Imbens' variance
is for one difference per firm and independent assignment only.
"""

from dataclasses import dataclass

from pipeline.errors import IdentificationError


@dataclass(frozen=True)
class Rule:
    """Hold what an inference needs of a design, why, and what to use where it lacks that."""

    needs: tuple[str, ...]
    why: str
    instead: str


CONDITIONAL = "cluster: assignment, whose interval is conditional on the match"
_BOOTSTRAP = "smooth weights (method: entropy, odds) with inference: cluster_bootstrap"
_ONE_DIFFERENCE = (
    "Abadie and Imbens' variance is for nearest neighbours with replacement (method: nearest or "
    "mahalanobis), a score of each entry year, one entry year per firm and treatment assigned firm "
    "by firm"
)
_SETS = Rule(
    ("sets", "used_once"),
    "matched sets are clusters only without replacement and where no firm serves two entry years",
    f"use {CONDITIONAL}, or {_BOOTSTRAP}",
)

# By inference and cluster; what is not here is not offered.
VALID: dict[tuple[str, str], Rule] = {
    ("analytic", "assignment"): Rule((), "", ""),
    ("analytic", "firm"): Rule((), "", ""),
    ("analytic", "exposure_component"): Rule((), "", ""),
    ("analytic", "distance"): Rule((), "", ""),
    ("analytic", "two_way"): Rule((), "", ""),
    ("analytic", "set_and_assignment"): _SETS,
    ("analytic", "components"): _SETS,
    ("abadie_imbens", "firm"): Rule(
        ("shared_neighbours", "own_scores", "one_difference", "independent"),
        _ONE_DIFFERENCE,
        f"use estimator: stacked with {CONDITIONAL}, or {_BOOTSTRAP}",
    ),
    ("hc3", "firm"): Rule(
        ("one_difference", "by_firm"),
        "HC3 errors are for firms that are independent, each with one value",
        "use inference: analytic with cluster: assignment, or with few treated clusters estimator: "
        "stacked with bias_reduced: true",
    ),
    ("cluster_bootstrap", "assignment"): Rule(
        ("smooth",),
        "the bootstrap fails for matched neighbours, and weights from a file cannot be made again",
        f"use {CONDITIONAL}, cluster: components after matching without replacement, or "
        "method: entropy or odds",
    ),
}


def rule_of(spec: str, inference: str, cluster: str) -> Rule:
    """Return the rule of an inference and what it clusters by; IdentificationError without one."""
    if (found := VALID.get((inference, cluster))) is not None:
        return found
    clusters = " or ".join(known for name, known in VALID if name == inference)
    raise IdentificationError(
        f"estimate.specs.{spec}: inference: {inference} goes with cluster: {clusters}, not "
        f"{cluster}; for clustered assignment use estimator: stacked with {CONDITIONAL}"
    )


def refusal(spec: str, inference: str, cluster: str, design: str, lacking: list[str]) -> str:
    """Return why a design does not allow what a spec asks for: what it needs, lacks, has instead.

    `lacking` names the needs that the design does not meet.
    """
    rule = VALID[inference, cluster]
    asked = f"cluster: {cluster}" if inference == "analytic" else inference
    return (
        f"estimate.specs.{spec}: {asked} is not valid for the design {design}: {rule.why} "
        f"({'; '.join(LACKS[need] for need in lacking)}); {rule.instead}"
    )


# What a design lacks, in words.
LACKS = {
    "sets": "it has no matched sets",
    "used_once": "some firm is in two sets or entry years",
    "smooth": "its weights do not change smoothly, or come from a file",
    "shared_neighbours": "it does not match neighbours with replacement",
    "own_scores": "its score is pooled over entry years",
    "one_difference": "some comparison firm serves two entry years",
    "by_firm": "support was assigned by cluster, of which some may hold several firms",
    "independent": "some assignment cluster holds several treated firms",
}
