"""PublishedCounts to hide so that no sum or difference of those that are shown is of few firms.

A count is a vector: how often it counts the firms of each signature. One of which another's firms
are a part, less that, counts the firms between; less two parts, the rest. Integers whose sum is
that of their squares are zeros and ones, so that sizes and scalar products suffice.
Hundepool et al. (2012), "Statistical Disclosure Control", doi:10.1002/9781118348239, chapter 4.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Flags, Floats, Integers

# Cells of counts, by number, that together tell how many few firms are.
Telling = tuple[int, ...]


@dataclass(frozen=True)
class CountsOfArms:
    """Say of n counts which arms' tables show them (n, arms); the panel's are shown in all.

    What is `needed` (n,) stays beside other arms' counts: sizes of the headline's samples, and of
    comparison firms. `in_none` (n,) marks counts of the panel among whose firms are participants of
    no arm, where these are few.
    """

    shown: Flags
    needed: Flags
    in_none: Flags


@dataclass(frozen=True)
class PublishedCounts:
    """Hold n different published counts, and what tells how much they are needed.

    `uses` (n, signatures) says how often each counts the firms of a signature, of which there are
    `n_firms` (signatures,). `rank` (n,) is low for what is needed; what is `fixed` (n,) always
    stays, and what is `settled` (n,) stays beside it: one of these less fixed ones may tell of few.
    `parts` lists counts that anybody adds up: those of all entry years, say. What is fixed and
    settled is so within an arm; `arms` says more where a study has some.
    """

    uses: Floats
    n_firms: Integers
    rank: Integers
    fixed: Flags
    settled: Flags
    parts: Sequence[Telling]
    arms: CountsOfArms | None = None


def hidden_counts(counts: PublishedCounts, shown: Flags, minimum: int) -> Flags:
    """Return which counts (n,) to hide beside those that are not `shown`.

    Of counts that tell of few firms the least needed goes, until no others do. What those that
    always stay tell together, nobody can hide.
    """
    hidden = ~shown
    while True:
        found = False
        for telling in list(_telling(counts, ~hidden, minimum)):
            free = _free(counts, telling)
            if free and not hidden[list(telling)].any():
                size = counts.uses[free] @ counts.n_firms
                hidden[free[int(np.lexsort((size, -counts.rank[free]))[0])]] = True
                found = True
        if not found:
            return hidden


def _free(counts: PublishedCounts, telling: Telling) -> list[int]:
    """Return which of the counts that tell may be hidden; none where they may tell.

    Sizes of samples tell, beside those of the panel, how many no sample has, unless these are in no
    arm; and two of one arm, beside others', no more than they do alone.
    """
    own, arms = list(telling), counts.arms
    fixed = bool(counts.fixed[own].all())
    if arms is not None and fixed and arms.in_none[own].any():
        return [count for count in own if arms.in_none[count]]
    if arms is None or arms.shown[own].all(axis=0).any():
        free = [count for count in own if not counts.fixed[count]]
        return [] if _of_settled(counts, telling, free) else free
    of_panel = arms.shown[own].all(axis=1)
    twice = (arms.shown[own][~of_panel].sum(axis=0) > 1).any()
    if fixed and (of_panel.any() or twice):
        return []
    return [count for count in own if not arms.needed[count]]


def _of_settled(counts: PublishedCounts, telling: Telling, free: list[int]) -> bool:
    """Say whether settled counts tell who is in no fixed one, not who is in no settled one."""
    settled = all(counts.settled[count] for count in free)
    return settled and (len(free) == 1 or telling[0] in free)


def _telling(counts: PublishedCounts, shown: Flags, minimum: int) -> Iterator[Telling]:
    """Yield counts that are shown and tell, together, of one to `minimum - 1` firms."""
    single = [(int(count),) for count in np.flatnonzero(shown)]
    added = [tuple(n for n in parts if shown[n]) for parts in counts.parts]
    terms = [*single, *dict.fromkeys(parts for parts in added if len(parts) > 1)]
    if not terms:
        return
    vectors = np.array([counts.uses[list(term)].sum(axis=0) for term in terms])
    products: Floats = np.asarray((vectors * counts.n_firms) @ vectors.T, dtype=np.float64)
    size: Floats = np.asarray(vectors @ counts.n_firms, dtype=np.float64)
    few = _few(size[:, None] - size, _squares(products), minimum)
    for whole, part in zip(*np.nonzero(few), strict=True):
        yield (*terms[whole], *terms[part])
    for whole, one, other in _rests(products, size, minimum):
        yield (*terms[whole], *terms[one], *terms[other])


def _squares(products: Floats) -> Floats:
    """Return the squared lengths of the differences of vectors, (terms, terms)."""
    square = np.diag(products)
    return np.asarray(square[:, None] + square - 2 * products)


def _rests(products: Floats, size: Floats, minimum: int) -> Iterator[tuple[int, int, int]]:
    """Yield counts, and two parts of each beside which few firms are left."""
    square = np.diag(products)
    inside = products >= square[None, :]
    for whole in range(len(size)):
        parts = np.flatnonzero(inside[whole] & (size < size[whole]))
        own = products[np.ix_(parts, parts)]
        with_whole = square[parts] - 2 * products[whole, parts]
        squares = square[whole] + with_whole[:, None] + with_whole + 2 * own
        rest = size[whole] - size[parts][:, None] - size[parts]
        for one, other in zip(*np.nonzero(np.triu(_few(rest, squares, minimum), 1)), strict=True):
            yield whole, int(parts[one]), int(parts[other])


def _few(size: Floats, square: Floats, minimum: int) -> Flags:
    """Mark differences that count one to `minimum - 1` firms once each."""
    return np.asarray((size > 0) & (size < minimum) & (size == square))
