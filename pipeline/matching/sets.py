"""Result of matching: pairs of a treated and a comparison firm, and the weights they imply."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.datasets.arrays import Floats, Integers


@dataclass(frozen=True)
class MatchedSets:
    """Hold matched pairs, sorted by treated firm, then distance, then comparison firm.

    All arrays have one entry per pair. `treated` and `control` are row positions in the arrays
    that were matched; `weight` sums to one over the pairs of a treated firm, or to its sampling
    weight in `sampling`, (rows matched,); `distance` is the absolute difference of the scores, in
    score units. A treated firm without a match is absent.
    """

    treated: Integers
    control: Integers
    weight: Floats
    distance: Floats
    sampling: Floats | None = None


def make_sets(treated: Integers, control: Integers, distance: Floats) -> MatchedSets:
    """Sort pairs and share each treated firm's unit weight equally over its pairs."""
    order = np.lexsort((control, distance, treated))
    owner = treated[order]
    pairs_of_owner = np.bincount(owner)[owner] if len(owner) else np.zeros(0)
    return MatchedSets(owner, control[order], 1.0 / pairs_of_owner, distance[order])


def join_sets(parts: list[MatchedSets]) -> MatchedSets:
    """Return the sets of several groups of firms, whose treated firms differ, as one."""
    names = ("treated", "control", "weight", "distance")
    joined = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
    order = np.argsort(joined[0], kind="stable")
    return MatchedSets(*(values[order] for values in joined))


def sampled(sets: MatchedSets, sampling: Floats) -> MatchedSets:
    """Return sets in which firms count by their sampling weights (rows matched,).

    A treated firm weighs its own; its comparison firms share that in proportion to theirs, times
    what matching gave each. Were all weights whole numbers, firms would stand for that many copies,
    which share the sets of the firm copied.
    """
    share = sets.weight * sampling[sets.control]
    total = np.bincount(sets.treated, share, len(sampling))
    weight = share * (sampling / np.where(total > 0, total, 1.0))[sets.treated]
    return replace(sets, weight=weight, sampling=sampling)


def unit_weights(sets: MatchedSets, n_firms: int) -> Floats:
    """Return the weight of each of `n_firms` rows: matched treated 1, unused firms 0.

    A comparison firm's weight is the sum of its weights over sets, so that comparison weights
    sum to the number of matched treated firms (the ATT's weights). Where firms have sampling
    weights, matched treated firms weigh theirs, and comparison weights sum to them.
    """
    weight: Floats = np.bincount(sets.control, weights=sets.weight, minlength=n_firms).astype(
        np.float64
    )
    weight[sets.treated] = 1.0 if sets.sampling is None else sets.sampling[sets.treated]
    return weight


def numbered_members(sets: MatchedSets) -> tuple[Integers, Integers, Floats]:
    """Return set number from 0, row and set weight of all members: first the treated firms.

    Comparison firms follow in the order of the pairs.
    """
    treated = np.unique(sets.treated)
    number = np.concatenate([np.arange(len(treated)), np.searchsorted(treated, sets.treated)])
    row = np.concatenate([treated, sets.control])
    own = np.ones(len(treated)) if sets.sampling is None else sets.sampling[treated]
    return number, row, np.concatenate([own, sets.weight])


def times_used(sets: MatchedSets, n_firms: int) -> Integers:
    """Return in how many sets each of `n_firms` rows serves as a comparison firm."""
    return np.bincount(sets.control, minlength=n_firms).astype(np.int64)
