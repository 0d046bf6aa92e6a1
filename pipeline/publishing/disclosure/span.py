"""What can be worked out of published sums: the vectors in the span of published linear forms.

A form gives every signature (firms that are in the same published sets) a coefficient; what it is
of, the sum of the coefficients times the signatures' totals, is published. From several anyone can
work out every linear combination. One that speaks of few firms only, whatever its coefficients,
tells of them.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.datasets.arrays import Flags, Floats, Integers

# What rounding leaves of a zero in vectors of length one.
_ROUNDING = 1e-9
# Branches of a search, beyond which what is not known to be safe is taken to tell.
_MOST_BRANCHES = 4000


@dataclass(frozen=True)
class Firms:
    """Hold the firms of m signatures, and which of them have units in several.

    `n_firms` (m,) counts the firms of each; `shared` (groups, m) marks the signatures of a group of
    `sizes` (groups,) firms; no firm is in two groups.
    """

    n_firms: Integers
    shared: Flags
    sizes: Integers

    @cached_property
    def groups(self) -> tuple[Flags, Integers]:
        """Return groups in which every signature is; one without a group is one of its own."""
        alone = np.flatnonzero(~self.shared.any(axis=0))
        own = np.zeros((len(alone), len(self.n_firms)), dtype=np.bool_)
        own[np.arange(len(alone)), alone] = True
        return np.concatenate([self.shared, own]), np.append(self.sizes, self.n_firms[alone])


def extended(of: Floats, forms: Floats) -> Floats:
    """Return an orthonormal basis (rank, m) of what another one and forms (n, m) span."""
    for form in forms:
        size = np.sqrt(form @ form)
        left = form / size if size > 0 else form
        for _ in range(2):  # the second takes out what rounding left
            left = left - (left @ of.T) @ of
        rest = np.sqrt(left @ left)
        if rest > _ROUNDING:
            of = np.concatenate([of, left[None, :] / rest])
    return of


def spans(of: Floats, form: Floats) -> bool:
    """Say whether a form (m,) is a combination of those that an orthonormal basis spans."""
    left = form - of.T @ (of @ form)
    return bool(np.abs(left).max(initial=0.0) <= _ROUNDING * np.abs(form).max(initial=0.0))


def tells_of_few(of: Floats, firms: Firms, minimum: int) -> bool:
    """Say whether some vector that an orthonormal basis (r, m) spans speaks of few firms only.

    Few are one to `minimum - 1`, each counted once however many of its units are spoken of. A
    signature that would make them too many must have coefficient zero; of the others each may be
    among the few, or have coefficient zero, and both are tried.
    """
    groups, sizes = firms.groups
    left = _MOST_BRANCHES

    def search(vectors: Floats, spoken: Flags) -> bool:
        nonlocal left
        while len(vectors):
            there = np.abs(vectors).max(axis=0) > _ROUNDING
            n_firms = sizes @ (groups | spoken[:, None])
            extra = there & (n_firms > sizes @ spoken)
            if not extra.any():
                return True
            left -= 1
            if left < 0:
                return True
            gone = extra & (n_firms >= minimum)
            if not gone.any():
                one = int(np.argmax(np.where(extra, n_firms, -1)))
                if search(vectors, spoken | groups[:, one]):
                    return True
                gone[one] = True
            vectors = _vanishing(vectors, gone)
        return False

    return search(of, np.zeros(len(sizes), dtype=np.bool_))


def _vanishing(vectors: Floats, gone: Flags) -> Floats:
    """Return a basis of the combinations of orthonormal vectors that are zero where `gone`."""
    left, sizes, _ = np.linalg.svd(vectors[:, gone])
    rank = int((sizes > _ROUNDING).sum())
    kept = left[:, rank:].T @ vectors
    return np.where(np.abs(kept) > _ROUNDING, kept, 0.0)


def dominates(member: Flags, totals: Floats, largest: Floats, percent: float) -> Flags:
    """Mark sets (n, m) of which one unit's value is more than `percent` of the total."""
    of = np.where(member, totals, 0.0).sum(axis=1)
    one = np.where(member, largest, 0.0).max(axis=1, initial=0.0)
    return np.asarray((of > 0) & (100 * one > percent * of))
