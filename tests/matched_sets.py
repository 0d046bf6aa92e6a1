"""What every matching must satisfy, a slow matcher that follows the rules, and a design to vary."""

import numpy as np

from pipeline.matching.sets import unit_weights


def nearest_design(score: str | None = None, **changes: object) -> dict:
    """Return a complete design of nearest neighbours, one each and without a caliper."""
    design = {
        "method": "nearest",
        "distance": "linear",
        "ratio": 1,
        "replacement": False,
        "caliper_sd": None,
        "caliper_sd_of": "pooled",
        "exact": [],
        "order": "largest",
        "tie_tolerance": 1e-10,
    }
    return design | ({} if score is None else {"score": score}) | changes


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


def slow_closest(score, treated, *, ratio, caliper, cells):
    """Make the closest pair left, one per treated firm and round, by looking at all of them."""
    free = set(np.flatnonzero(~treated).tolist())
    waiting, pairs = set(np.flatnonzero(treated).tolist()), set()
    for _ in range(ratio):
        served = set()
        while True:
            near = [
                (abs(score[i] - score[j]), i, j)
                for i in waiting - served
                for j in free
                if cells[i] == cells[j]
            ]
            best = min(near, default=(np.inf, -1, -1))
            if best[0] > (np.inf if caliper is None else caliper) or best[1] < 0:
                break
            free.remove(best[2])
            served.add(best[1])
            pairs.add(best[1:])
        waiting = served
    return pairs


def slow_mahalanobis(table, treated, score, *, ratio, caliper, replacement, pooled):
    """Match on the Mahalanobis distance by its formula, looking at every comparison firm."""
    x = table.to_numpy(float)
    one, zero = np.flatnonzero(treated), np.flatnonzero(~treated)
    covariance = np.cov(x, rowvar=False)
    if pooled:
        parts = [(x[g] - x[g].mean(axis=0)).T @ (x[g] - x[g].mean(axis=0)) for g in (one, zero)]
        covariance = sum(parts) / (len(x) - 2)
    inverse = np.linalg.pinv(covariance, rcond=1e-8, hermitian=True)
    step = x[one][:, None] - x[zero]
    distance = np.sqrt(np.einsum("ijk,kl,ijl->ij", step, inverse, step).clip(0)).round(9)
    distance[np.abs(score[one][:, None] - score[zero]) > caliper] = np.inf
    pairs, free = set(), np.ones(len(zero), bool)
    if replacement:
        for i, row in enumerate(distance):
            kth = np.sort(row)[min(ratio, len(row)) - 1]
            reach = np.isfinite(row) & (row <= kth + 1e-9)
            pairs |= {(one[i], zero[j]) for j in np.flatnonzero(reach)}
        return pairs
    waiting = range(len(one))
    for _ in range(ratio):
        served = []
        for i in waiting:
            row = np.where(free, distance[i], np.inf)
            j = int(np.argmin(row))
            if np.isfinite(row[j]):
                free[j] = False
                served.append(i)
                pairs.add((one[i], zero[j]))
        waiting = served
    return pairs
