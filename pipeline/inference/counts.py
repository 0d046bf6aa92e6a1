"""What stands behind an estimate: clusters, counts, and whether they allow a standard error.

The residuals of a group sum to zero, all but exactly, wherever its effects are fitted. Where all
treated (or all comparison) firms lie in one cluster, that cluster's part in the clustered variance
is then nothing, however much its firms vary: the standard error would be silently too small.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags
from pipeline.effects.estimated import Seen
from pipeline.effects.stacks import Stacks
from pipeline.errors import Reason
from pipeline.panel.panel_index import n_groups
from pipeline.params.analyses import EXPOSURE_COMPONENT, OWN_LEVELS, Clustering
from pipeline.params.inference import SpatialErrors

LONE_IN_COHORTS = Reason("every_entry_year_in_one_cluster")


@dataclass(frozen=True)
class Counts:
    """Count distinct treated and comparison firms, firm-years, clusters.

    `n_control_clusters` have comparison firms. Where each of `n_entry_years` has effects of its
    own, `lone_entry_years` are those with treated, or with comparison, firms in a single cluster;
    `entry_years_at` says, by event time, which are seen at it, and whether then so.
    `least_components` is how many clusters a standard error needs beyond two, 0 for no more.
    """

    n_treated: int
    n_control: int
    n_obs: int
    n_clusters: int
    n_treated_clusters: int
    n_control_clusters: int
    n_entry_years: int = 0
    lone_entry_years: tuple[int, ...] = ()
    entry_years_at: Mapping[int, Mapping[int, bool]] = field(default_factory=dict)
    least_components: int = 0

    def at(self, event_times: Iterable[int]) -> "Counts":
        """Return the counts of what rests on some event times; firms stay those of all."""
        seen = [self.entry_years_at.get(time, {}) for time in event_times]
        years = sorted({year for by_year in seen for year in by_year})
        if not years:
            return self
        lone = [all(by_year.get(year, True) for by_year in seen) for year in years]
        names = tuple(year for year, is_lone in zip(years, lone, strict=True) if is_lone)
        return replace(self, n_entry_years=len(years), lone_entry_years=names)

    @property
    def columns(self) -> dict[str, int]:
        """Return the columns of ESTIMATES."""
        names = ("n_treated", "n_control", "n_obs", "n_clusters", "n_treated_clusters")
        return {name: getattr(self, name) for name in names}

    @property
    def too_few(self) -> Reason | None:
        """Say why the clusters give no standard error; None where they do."""
        if self.n_clusters < 2:
            return Reason("one_cluster")
        if self.n_treated_clusters < 2:
            return Reason("treated_in_one_cluster")
        if self.n_control_clusters < 2:
            return Reason("comparison_in_one_cluster")
        if self.n_clusters < self.least_components:
            found = {"n_components": self.n_clusters, "least": self.least_components}
            return Reason("few_exposure_components", found)
        alone = 0 < self.n_entry_years == len(self.lone_entry_years)
        return LONE_IN_COHORTS if alone else None

    @property
    def left_out(self) -> Reason | None:
        """Say which entry years a standard error does not see; None where it sees all."""
        if self.too_few is not None or not self.lone_entry_years:
            return None
        return Reason("entry_years_left_out_of_error", {"years": list(self.lone_entry_years)})

    def why_none(self, std_error: float, negative: Reason | None = None) -> Reason | None:
        """Say why there is no standard error, given the one computed; None where it stands.

        One that is missing has a variance without freedom, or a `negative` one where they may be.
        """
        if std_error > 0 or self.too_few is not None:
            return self.too_few
        if std_error == 0:
            return Reason("no_variation")
        return Reason("no_freedom") if negative is None else negative


def count(seen: Seen, *clusters: Codes) -> Counts:
    """Count what rows hold, clusters by firm code (F,).

    Clustered in two directions, the smaller number of clusters counts, of treated ones too, and a
    group that lies in one cluster of either direction is alone.
    """
    treated, firm = seen.treated, seen.firm
    groups = [cluster[firm] for cluster in clusters]
    lone: dict[int, bool] = {}
    lone_at: dict[int, dict[int, bool]] = {}
    if seen.entry is not None:
        lone = _lone(treated, seen.entry, groups)
    if seen.entry is not None and seen.differs_by_time:
        lone_at = _lone_at(seen, seen.entry, groups)
    return Counts(
        n_treated=n_groups(firm[treated]),
        n_control=n_groups(firm[~treated]),
        n_obs=seen.n_obs,
        n_clusters=min(n_groups(group) for group in groups),
        n_treated_clusters=min(n_groups(group[treated]) for group in groups),
        n_control_clusters=min(n_groups(group[~treated]) for group in groups),
        n_entry_years=len(lone),
        lone_entry_years=tuple(year for year, is_lone in lone.items() if is_lone),
        entry_years_at=lone_at,
    )


def _lone(treated: Flags, entry: NDArray[np.int64], clusters: list[Codes]) -> dict[int, bool]:
    """Say of each entry year, ascending, whether either group's rows lie in a single cluster."""
    found: dict[int, bool] = {}
    for code in clusters:
        own, others = (_in_one_cluster(entry[side], code[side]) for side in (treated, ~treated))
        for year, alone in own.items():
            found[year] = found.get(year, False) or alone or others.get(year, False)
    return found


def _lone_at(
    seen: Seen, entry: NDArray[np.int64], clusters: list[Codes]
) -> dict[int, dict[int, bool]]:
    """Say the same of what is seen at each event time."""
    found = {}
    for time in seen.times():
        here = seen.at(time)
        found[time] = _lone(seen.treated[here], entry[here], [code[here] for code in clusters])
    return found


def _in_one_cluster(entry: NDArray[np.int64], cluster: Codes) -> dict[int, bool]:
    """Say of each entry year, ascending, whether its entries lie in a single cluster."""
    first = int(entry.min(initial=0))
    code = entry - first
    one_cluster = np.zeros(int(code.max(initial=-1)) + 1, dtype=np.intp)
    one_cluster[code] = cluster
    elsewhere = np.bincount(code, cluster != one_cluster[code], len(one_cluster))
    years = np.flatnonzero(np.bincount(code))
    return {first + int(year): bool(elsewhere[year] == 0) for year in years}


def cluster_codes(seen: Seen, cluster: Clustering) -> tuple[Codes, ...]:
    """Return the cluster of each firm, (F,), once or, for two-way clustering, twice."""
    if isinstance(cluster, SpatialErrors):
        return (_level(seen, cluster.level),)
    if not isinstance(cluster, str):
        return tuple(_level(seen, name) for name in cluster)
    if cluster == "firm":
        return (np.arange(seen.n_firms),)
    assert seen.assignment is not None, "an estimator on stacks says where support was given out"
    if cluster in ("assignment", EXPOSURE_COMPONENT):
        return (seen.assignment if cluster == "assignment" else seen.levels[cluster],)
    assert seen.matched_set is not None, "require_valid comes before"
    if cluster == "set_and_assignment":
        alone = seen.matched_set.max(initial=-1) + 1
        return seen.assignment, np.where(seen.matched_set < 0, alone, seen.matched_set)
    return (_components(seen.assignment, seen.matched_set),)


def unit_clusters(stacks: Stacks, cluster: str) -> tuple[Codes, ...]:
    """Return the cluster of each unit of a design, (u,), once or twice."""
    seen = Seen(stacks.firm, stacks.treated, None, None, stacks.assignment, stacks.matched_set)
    return tuple(code[stacks.firm] for code in cluster_codes(seen, cluster))


def _level(seen: Seen, name: str) -> Codes:
    """Return the cluster of each firm at one level of a pair, as far as results have firms."""
    own = name in OWN_LEVELS
    return cluster_codes(seen, name)[0] if own else seen.levels[name][: seen.n_firms]


def _components(first: Codes, second: Codes) -> Codes:
    """Join clusters and sets that share a firm, directly or through others; -1 is no set."""
    from scipy import sparse

    firms = np.flatnonzero(second >= 0)
    n_first, n = int(first.max()) + 1, int(first.max()) + int(second.max()) + 2
    links = sparse.coo_matrix(
        (np.ones(len(firms)), (first[firms], n_first + second[firms])), shape=(n, n)
    )
    component = sparse.csgraph.connected_components(links, directed=False)[1]
    return np.asarray(component[first], dtype=np.intp)
