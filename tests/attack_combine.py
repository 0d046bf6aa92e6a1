"""Sums and differences of up to three published counts that count one to four firms."""

from dataclasses import replace
from itertools import combinations

import numpy as np
from attack_counts import Count, Found

_NOISE = 1e-9


def distinct(counts: list[Count]) -> list[Count]:
    """Return one count of each set of firms, those of nobody left out."""
    found: dict[bytes, Count] = {}
    for count in counts:
        if count.members.any():
            known = found.setdefault(count.members.tobytes(), count)
            first, second = known, count
            if (count.stays, count.settled) > (known.stays, known.settled):
                first, second = count, known
            of_panel = not (first.arms and second.arms)
            found[count.members.tobytes()] = replace(
                first,
                arms=frozenset() if of_panel else first.arms | second.arms,
                compared=first.compared or second.compared,
                in_none=first.in_none or second.in_none,
            )
    return list(found.values())


def derived_counts(counts: list[Count], minimum: int) -> list[Found]:
    """Return the counts of one to `minimum - 1` firms that up to three published ones give.

    Sizes of samples behind estimates stay, so that what they alone give is left out. From the
    scalar products of the vectors: integers whose sum is that of their squares are zeros
    and ones.
    """
    own = distinct(counts)
    if not own:
        return []
    vectors = np.array([count.members for count in own])
    gram, size = vectors @ vectors.T, vectors.sum(axis=1)
    square = np.diag(gram)
    found = [
        Found("count", own[i].where, size[i]) for i in np.flatnonzero(_few(size, square, minimum))
    ]
    pair = size[:, None] - size[None, :]
    pair_square = square[:, None] + square[None, :] - 2 * gram
    for a, b in zip(*np.nonzero(_few(pair, pair_square, minimum)), strict=True):
        if _allowed(own[a], own[b]):
            continue
        found.append(Found("difference", f"{own[a].where} - {own[b].where}", pair[a, b]))
    return found + _triples(own, vectors, gram, minimum)


def _triples(own, vectors, gram, minimum) -> list[Found]:
    """Return what a - b - c gives, b and c inside a, where no pair of them gives it."""
    found, known = [], {count.members.tobytes(): count for count in own}
    size, square = vectors.sum(axis=1), np.diag(gram)
    inside = gram == square[None, :]
    for a in range(len(own)):
        parts = np.flatnonzero(inside[a] & (size < size[a]))
        rest = size[a] - size[parts][:, None] - size[parts][None, :]
        total = (
            square[a] + square[parts][:, None] + square[parts][None, :]
            - 2 * gram[a, parts][:, None] - 2 * gram[a, parts][None, :]
            + 2 * gram[np.ix_(parts, parts)]
        )  # fmt: skip
        for b, c in zip(*np.nonzero(np.triu(_few(rest, total, minimum), 1)), strict=True):
            if _allowed(own[a], own[parts[b]], own[parts[c]]):
                continue
            # both parts together may be a sample whose size stays
            both = known.get((vectors[parts[b]] + vectors[parts[c]]).tobytes())
            if both is not None and _allowed(own[a], both):
                continue
            what = f"{own[a].where} - {own[parts[b]].where} - {own[parts[c]].where}"
            found.append(Found("complement", what, rest[b, c]))
    return found


def _few(size: np.ndarray, square: np.ndarray, minimum: int) -> np.ndarray:
    return (size > 0.5) & (size < minimum - 0.5) & (np.abs(size - square) < _NOISE)


def _allowed(*counts: Count) -> bool:
    """Say whether counts are of samples that stay, and of entry years that they are less than.

    Between arms sizes of comparison firms stay, and those of samples beside the panel's.
    """
    if any(count.in_none for count in counts) and any(count.arms for count in counts):
        return False
    of_arms = [count.arms for count in counts if count.arms]
    if of_arms and not frozenset.intersection(*of_arms):
        stay = all(count.stays for count in counts)
        twice = any(one & other for one, other in combinations(of_arms, 2))
        of_samples = len(of_arms) < len(counts) or twice
        return stay and (of_samples or all(c.compared or "" in c.arms for c in counts))
    others = [count for count in counts if not count.stays]
    years = all(count.settled for count in others)
    return years and (len(others) < 2 or not counts[0].stays)
