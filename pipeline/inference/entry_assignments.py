"""Entry re-assigned among clusters: which clusters could have been treated, and how often.

A cluster's pattern is the entry years of its participants. An assignment deals the patterns that
occurred out among all clusters. In a cluster dealt a pattern as large a share of firms enters as
did in the clusters that had it: all of them where entry was by cluster, else firms drawn at random.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.errors import IdentificationError, Reason
from pipeline.inference.active_units import ActiveUnits

Pattern = tuple[int, ...]


@dataclass(frozen=True)
class Eligible:
    """Hold the firms active for one stack, sorted by cluster, then identifier (n,).

    Those of cluster code c stand from `first[c]` to `first[c + 1]`.
    """

    firm: Codes
    first: Codes

    @property
    def sizes(self) -> Codes:
        """Return the number of firms of each cluster."""
        return np.diff(self.first)

    def of(self, cluster: int) -> Codes:
        """Return the firm codes of a cluster."""
        return self.firm[self.first[cluster] : self.first[cluster + 1]]


@dataclass(frozen=True)
class Lottery:
    """Hold c clusters, the pattern of each, shares that enter, and who may enter when.

    `clusters` (c,) are codes, `dealt` (c,) points into `patterns`, 0 being no entry; `share` is by
    pattern and entry year, `eligible` by entry year. There are `n_firms` firm codes.
    """

    clusters: Codes
    patterns: list[Pattern]
    dealt: Codes
    share: dict[tuple[Pattern, int], float]
    eligible: dict[int, Eligible]
    n_firms: int

    @property
    def n_assignments(self) -> int:
        """Return the number of different assignments, the actual one included."""
        left, number = len(self.dealt), 1
        for size in np.bincount(self.dealt)[1:]:
            number *= comb(left, int(size))
            left -= int(size)
        return number

    def every_other(self) -> Iterator[Codes]:
        """Yield every assignment but the actual one."""
        sizes = np.bincount(self.dealt)
        for dealt in _deal(np.zeros(len(self.dealt), dtype=np.intp), sizes.tolist(), 1):
            if not np.array_equal(dealt, self.dealt):
                yield dealt

    def entries(self, dealt: Codes, rng: np.random.Generator) -> Floats:
        """Return the entry year of every firm (F,) under an assignment, missing without one."""
        entry = np.full(self.n_firms, np.nan)
        for place in np.flatnonzero(dealt).tolist():
            pattern = self.patterns[dealt[place]]
            for year in pattern:
                firms = self.eligible[year].of(int(self.clusters[place]))
                firms = firms[np.isnan(entry[firms])]
                count = min(max(1, round(self.share[pattern, year] * len(firms))), len(firms))
                if count < len(firms):
                    firms = rng.choice(firms, count, replace=False)
                entry[firms] = year
        return entry


def lottery(active: ActiveUnits, entered: Flags) -> Lottery:
    """Return the lottery behind the entries of a study.

    `entered` (u,) marks the participants among the active. All clusters that have active firms in
    every base year take part. Raises IdentificationError where all of them have participants.
    """
    every, n_clusters = active.every, len(active.every.names["assignment"])
    stacks = [int(stack) for stack in np.unique(every.stack)]
    eligible = {stack: _eligible(active, stack, n_clusters) for stack in stacks}
    counts = {
        stack: np.bincount(every.cluster[entered & (every.stack == stack)], minlength=n_clusters)
        for stack in stacks
    }
    return lottery_of(counts, eligible, n_clusters, every.n_firms)


def lottery_of(
    counts: dict[int, Codes], eligible: dict[int, Eligible], n_clusters: int, n_firms: int
) -> Lottery:
    """Return the lottery of entries, given how many did enter in each cluster and who could.

    Both are by entry year, or by a code of what is entered. All clusters that have eligible firms
    for each take part. Raises IdentificationError where all of them have participants.
    """
    had, stacks = _patterns(counts), list(counts)
    in_every = np.all([eligible[stack].sizes > 0 for stack in stacks], axis=0)
    clusters = np.flatnonzero(in_every | np.isin(np.arange(n_clusters), list(had)))
    patterns: list[Pattern] = [(), *sorted(set(had.values()))]
    dealt = np.array([patterns.index(had.get(c, ())) for c in clusters.tolist()], dtype=np.intp)
    if (dealt > 0).all():
        raise IdentificationError(Reason("randomisation_every_cluster_treated"))
    shares = _shares(counts, had, eligible)
    return Lottery(clusters, patterns, dealt, shares, eligible, n_firms)


def stacks_of(scores: pd.DataFrame) -> list[int]:
    """Return the entry years of the participants in SCORES."""
    return sorted(int(stack) for stack in _participants(scores)["stack"].unique())


def participants(active: ActiveUnits, scores: pd.DataFrame) -> Flags:
    """Say which units are the participants of the study, (u,); `scores` are SCORES."""
    rows = _participants(scores)
    firm, stack = active.index.codes(rows["firm_id"]), rows["stack"].to_numpy(np.int64)
    entry = np.full(active.every.n_firms, -1, dtype=np.int64)
    entry[firm] = stack
    return np.asarray(entry[active.every.firm] == active.every.stack)


def _participants(scores: pd.DataFrame) -> pd.DataFrame:
    rows: pd.DataFrame = scores[(scores["model"] == "unmatched") & scores["treated"]]
    return rows


def _eligible(active: ActiveUnits, stack: int, n_clusters: int) -> Eligible:
    own = active.units_of(stack)
    cluster, firm = active.every.cluster[own], active.every.firm[own]
    order = np.argsort(cluster, kind="stable")
    first = np.searchsorted(cluster[order], np.arange(n_clusters + 1))
    return Eligible(firm[order], first)


def _patterns(counts: dict[int, Codes]) -> dict[int, Pattern]:
    """Return the entry years of each cluster with participants, by code."""
    by_stack = np.array(list(counts.values())) > 0
    years = np.array(list(counts))
    return {
        int(cluster): tuple(years[by_stack[:, cluster]].tolist())
        for cluster in np.flatnonzero(by_stack.any(axis=0))
    }


def _shares(
    counts: dict[int, Codes], had: dict[int, Pattern], eligible: dict[int, Eligible]
) -> dict[tuple[Pattern, int], float]:
    """Return the share of active firms that entered, by pattern and entry year."""
    shares: dict[tuple[Pattern, int], float] = {}
    for pattern in sorted(set(had.values())):
        members = [cluster for cluster, own in had.items() if own == pattern]
        for year in pattern:
            number = int(eligible[year].sizes[members].sum())
            shares[pattern, year] = int(counts[year][members].sum()) / number
    return shares


def _deal(dealt: Codes, sizes: list[int], number: int) -> Iterator[Codes]:
    """Yield every way to deal patterns `number`, number + 1, ... to clusters without one."""
    if number == len(sizes):
        yield dealt.copy()
        return
    for chosen in combinations(np.flatnonzero(dealt == 0), sizes[number]):
        dealt[list(chosen)] = number
        yield from _deal(dealt, sizes, number + 1)
        dealt[list(chosen)] = 0
