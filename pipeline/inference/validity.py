"""Whether a design allows the inference that a spec asks for."""

from dataclasses import dataclass

import numpy as np

from pipeline.effects.stacks import Stacks
from pipeline.errors import IdentificationError
from pipeline.panel.panel_index import is_nested
from pipeline.params.estimate import Spec
from pipeline.params.inference_faults import Remade, kind_of_cluster
from pipeline.params.valid_inference import refusal, rule_of


@dataclass(frozen=True)
class Traits:
    """Say what decides which inference a design allows.

    `sets`: it has matched sets. `used_once`: no firm is in two sets or two stacks. `smooth`: its
    weights change smoothly with the data and can be made again from params. `shared_neighbours`:
    it matches nearest neighbours with replacement. `own_scores`: no score is fitted over several
    entry years. `one_difference`: no firm is in two stacks. `independent`: no assignment cluster
    holds two treated firms. `by_firm`: none holds two firms.
    """

    sets: bool
    used_once: bool
    smooth: bool
    shared_neighbours: bool
    own_scores: bool
    one_difference: bool
    independent: bool
    by_firm: bool


def require_valid(spec: Spec, stacks: Stacks, made: Remade) -> None:
    """Raise IdentificationError where a spec's inference is not valid for a design.

    The message says what the inference needs, what the design lacks, and names one that is valid.
    """
    inference, cluster = spec.option("inference"), kind_of_cluster(spec)
    rule = rule_of(spec.name, inference, cluster)
    traits = traits_of(stacks, made)
    lacking = [need for need in rule.needs if not getattr(traits, need)]
    if lacking:
        raise IdentificationError(refusal(spec.name, inference, cluster, stacks.design, lacking))


def used_once(stacks: Stacks) -> bool:
    """Say whether there are matched sets, and no firm is in two sets or stacks."""
    if stacks.sets is None or np.bincount(stacks.firm).max() > 1:
        return False
    return bool(np.bincount(stacks.sets.unit, minlength=len(stacks.firm)).max() <= 1)


def traits_of(stacks: Stacks, made: Remade) -> Traits:
    """Read a design's traits off its sets, units and rule."""
    in_stacks = np.bincount(stacks.firm)
    by_cluster = np.bincount(stacks.cluster, weights=stacks.treated)
    return Traits(
        sets=stacks.sets is not None,
        used_once=used_once(stacks),
        smooth=made.smooth,
        shared_neighbours=made.shared_neighbours,
        own_scores=made.own_scores or len(np.unique(stacks.stack)) == 1,
        one_difference=bool(in_stacks.max() <= 1),
        independent=bool(by_cluster.max() <= 1),
        by_firm=is_nested(stacks.cluster, stacks.firm),
    )
