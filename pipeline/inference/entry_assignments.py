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

from pipeline.datasets.arrays import Codes
from pipeline.errors import IdentificationError, Reason
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.risk_sets import active_firms

Pattern = tuple[int, ...]


@dataclass(frozen=True)
class Lottery:
    """Hold c clusters, the pattern of each, shares that enter, and who may enter when.

    `dealt` (c,) points into `patterns`, 0 being no entry; `share` is by pattern and entry year,
    `eligible` lists firms by entry year and cluster.
    """

    clusters: list[str]
    patterns: list[Pattern]
    dealt: Codes
    share: dict[tuple[Pattern, int], float]
    eligible: dict[tuple[int, str], list[str]]

    @property
    def entry_years(self) -> list[int]:
        """Return the years in which some cluster's participants enter."""
        return sorted({year for pattern in self.patterns for year in pattern})

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

    def entrants(self, dealt: Codes, rng: np.random.Generator) -> dict[str, int]:
        """Return the entry year of every firm that enters under an assignment."""
        entry: dict[str, int] = {}
        for cluster, number in zip(self.clusters, dealt, strict=True):
            pattern = self.patterns[number]
            for year in pattern:
                firms = [f for f in self.eligible.get((year, cluster), []) if f not in entry]
                count = min(max(1, round(self.share[pattern, year] * len(firms))), len(firms))
                whole = count == len(firms)
                drawn = firms if whole else rng.choice(firms, count, replace=False)
                entry |= {str(firm): year for firm in drawn}
        return entry


def lottery(panel: pd.DataFrame, treated: pd.DataFrame, treatment: TreatmentSection) -> Lottery:
    """Return the lottery behind the entries of a study.

    `treated` has stack, firm_id and cluster of the participants that were active in base and entry
    year. All clusters that have active firms in every base year take part. Raises
    IdentificationError where all of them have participants.
    """
    stacks = sorted(int(stack) for stack in treated["stack"].unique())
    active = pd.concat([active_firms(panel, stack, treatment).firms for stack in stacks])
    in_every = active.groupby("cluster")["stack"].nunique() == len(stacks)
    had = _patterns(treated)
    clusters = sorted({str(cluster) for cluster in in_every[in_every].index} | set(had))
    patterns: list[Pattern] = [(), *sorted(set(had.values()))]
    dealt = np.array([patterns.index(had.get(c, ())) for c in clusters], dtype=np.intp)
    if (dealt > 0).all():
        raise IdentificationError(Reason("randomisation_every_cluster_treated"))
    eligible = _by_stack_and_cluster(active)
    return Lottery(clusters, patterns, dealt, _shares(treated, had, eligible), eligible)


def _patterns(treated: pd.DataFrame) -> dict[str, Pattern]:
    """Return the entry years of each cluster with participants."""
    years: dict[str, set[int]] = {}
    for cluster, stack in zip(treated["cluster"], treated["stack"], strict=True):
        years.setdefault(str(cluster), set()).add(int(stack))
    return {cluster: tuple(sorted(own)) for cluster, own in years.items()}


def _by_stack_and_cluster(firms: pd.DataFrame) -> dict[tuple[int, str], list[str]]:
    """Return sorted firms by stack and cluster."""
    listed: dict[tuple[int, str], list[str]] = {}
    rows = firms.sort_values("firm_id")
    for stack, cluster, firm in zip(rows["stack"], rows["cluster"], rows["firm_id"], strict=True):
        listed.setdefault((int(stack), str(cluster)), []).append(str(firm))
    return listed


def _shares(
    treated: pd.DataFrame, had: dict[str, Pattern], eligible: dict[tuple[int, str], list[str]]
) -> dict[tuple[Pattern, int], float]:
    """Return the share of active firms that entered, by pattern and entry year."""
    entered = _by_stack_and_cluster(treated)
    shares: dict[tuple[Pattern, int], float] = {}
    for pattern in sorted(set(had.values())):
        members = [cluster for cluster, own in had.items() if own == pattern]
        for year in pattern:
            active = sum(len(eligible[year, cluster]) for cluster in members)
            shares[pattern, year] = sum(len(entered[year, c]) for c in members) / active
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
