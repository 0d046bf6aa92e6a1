"""What every matching must satisfy, and a slow matcher that follows the rules to the letter."""

import numpy as np

from pipeline.matching.sets import unit_weights


def assert_valid(sets, score, treated, *, ratio, replacement, caliper, cells):
    """Check the invariants of matched sets, whatever the options."""
    assert treated[sets.treated].all()
    assert not treated[sets.control].any()
    np.testing.assert_array_equal(sets.distance, np.abs(score[sets.treated] - score[sets.control]))
    if caliper is not None:
        assert (sets.distance <= caliper).all()
    if cells is not None:
        np.testing.assert_array_equal(cells[sets.treated], cells[sets.control])
    pairs = list(zip(sets.treated.tolist(), sets.control.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    if not replacement:
        assert len(set(sets.control.tolist())) == len(sets.control)
        assert np.bincount(sets.treated, minlength=1).max() <= ratio
    weight = unit_weights(sets, len(score))
    matched = np.unique(sets.treated)
    np.testing.assert_array_equal(np.flatnonzero(weight * treated), matched)
    np.testing.assert_allclose(weight[~treated].sum(), len(matched), atol=1e-9)
    np.testing.assert_allclose(weight[treated].sum(), len(matched))


def slow_greedy(score, treated, *, ratio, caliper, cells, order):
    """Match without replacement by looking at every comparison firm, one turn at a time."""
    firms = np.flatnonzero(treated).tolist()
    if order != "data":
        firms.sort(key=lambda i: -score[i] if order == "largest" else score[i])
    free = set(np.flatnonzero(~treated).tolist())
    pairs = set()
    for _ in range(ratio):
        for i in firms:
            near = sorted((abs(score[i] - score[j]), j) for j in free if cells[i] == cells[j])
            if near and near[0][0] <= (np.inf if caliper is None else caliper):
                free.remove(near[0][1])
                pairs.add((i, near[0][1]))
    return pairs


def slow_ties(score, treated, *, ratio, caliper, cells, tie_tolerance):
    """Match with replacement by looking at every comparison firm."""
    pairs = set()
    controls = np.flatnonzero(~treated).tolist()
    for i in np.flatnonzero(treated).tolist():
        distance = {j: abs(score[i] - score[j]) for j in controls if cells[i] == cells[j]}
        if not distance:
            continue
        kth = sorted(distance.values())[: min(ratio, len(distance))][-1]
        reach = min(kth + tie_tolerance, np.inf if caliper is None else caliper)
        pairs |= {(i, j) for j, d in distance.items() if d <= reach}
    return pairs
