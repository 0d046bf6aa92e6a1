"""What stands behind an estimate, and whether that is enough for a standard error.

The residuals of a group sum to zero, all but exactly, wherever its effects are fitted. Where all
treated (or all comparison) firms lie in one cluster, that cluster's part in the clustered variance
is then nothing, however much its firms vary: the standard error would be silently too small.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.effects.least_squares import Fit
from pipeline.effects.sample import StackedSample
from pipeline.inference.covariance import n_groups

Flags = NDArray[np.bool_]
Codes = NDArray[np.intp]

ONE_CLUSTER = "no standard error: the sample has a single cluster"
LONE_CLUSTER = "no standard error: the treated firms lie in a single cluster"
LONE_COMPARISON = "no standard error: the comparison firms lie in a single cluster"
LONE_IN_COHORT = (
    "no standard error: in every entry year the treated or the comparison firms lie in a single "
    "cluster"
)
NO_VARIATION = "no standard error: the outcome is fitted exactly, no variation is left"
NO_FREEDOM = "no standard error: there are no more observations than parameters"
NEGATIVE = "no standard error: the variance clustered in two directions is negative"
ADJUSTED = "negative eigenvalues of the covariance clustered in two directions are set to zero"


@dataclass(frozen=True)
class Counts:
    """Count distinct treated and comparison firms, firm-years, clusters.

    `n_control_clusters` have comparison firms. Where each of `n_entry_years` has effects of its
    own, `lone_entry_years` are those with treated, or with comparison, firms in a single cluster;
    `entry_years_at` says, by event time, which are seen at it, and whether then so. `adjusted` is
    that of the fit, see `Fit`.
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
    adjusted: bool = False

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
    def too_few(self) -> str | None:
        """Say why the clusters give no standard error; None where they do."""
        if self.n_clusters < 2:
            return ONE_CLUSTER
        if self.n_treated_clusters < 2:
            return LONE_CLUSTER
        if self.n_control_clusters < 2:
            return LONE_COMPARISON
        alone = 0 < self.n_entry_years == len(self.lone_entry_years)
        return LONE_IN_COHORT if alone else None

    @property
    def left_out(self) -> str | None:
        """Say which entry years a standard error does not see; None where it sees all."""
        if self.too_few is not None or not self.lone_entry_years:
            return None
        years = ", ".join(map(str, self.lone_entry_years))
        return (
            "the standard error leaves out entry years with a single treated or comparison "
            f"cluster: {years}"
        )

    @property
    def adjustment(self) -> str | None:
        """Say what was done to the covariance behind standard errors; None where nothing was."""
        return ADJUSTED if self.adjusted else None

    def why_none(self, std_error: float, two_way: bool = False) -> str | None:
        """Say why there is no standard error, given the one computed; None where it stands."""
        if std_error > 0 or self.too_few is not None:
            return self.too_few
        if std_error == 0:
            return NO_VARIATION
        return NEGATIVE if two_way else NO_FREEDOM


def count_sample(
    kept: Flags,
    treated: Flags,
    firm: Codes,
    *clusters: Codes,
    entry: NDArray[np.int64] | None = None,
    event_time: NDArray[np.int64] | None = None,
) -> Counts:
    """Count what the kept rows hold; all arrays have one entry per row.

    Clustered in two directions, the smaller number of clusters counts; treated clusters are those
    of the first. `entry` is the entry year where each has effects of its own, None where not; a
    comparison firm has that of its stack, 0 where it serves all. `event_time` is that of each row
    where effects differ by it, too.
    """
    treated, firm = treated[kept], firm[kept]
    groups = [cluster[kept] for cluster in clusters]
    lone: dict[int, bool] = {}
    lone_at: dict[int, dict[int, bool]] = {}
    if entry is not None:
        lone = _lone(treated, entry[kept], groups[0])
    if entry is not None and event_time is not None:
        lone_at = _lone_at(treated, entry[kept], groups[0], event_time[kept])
    return Counts(
        n_treated=n_groups(firm[treated]),
        n_control=n_groups(firm[~treated]),
        n_obs=len(firm),
        n_clusters=min(n_groups(group) for group in groups),
        n_treated_clusters=n_groups(groups[0][treated]),
        n_control_clusters=n_groups(groups[0][~treated]),
        n_entry_years=len(lone),
        lone_entry_years=tuple(year for year, is_lone in lone.items() if is_lone),
        entry_years_at=lone_at,
    )


def count_fit(sample: StackedSample, fit: Fit, *clusters: Codes) -> Counts:
    """Count what a fit on a stacked sample rests on; entry years where each has its own effects."""
    firm = sample.stacks.firm[sample.unit]
    entry = None if "att" in fit.names else sample.stack
    counts = count_sample(
        fit.kept, sample.treated, firm, *clusters, entry=entry, event_time=sample.event_time
    )
    return replace(counts, adjusted=fit.adjusted)


def entry_years_note(years: Iterable[int], n_entry_years: int) -> str | None:
    """Name the entry years behind an effect; None where all of them, or none, are."""
    named = list(map(str, years))
    return None if len(named) in (0, n_entry_years) else f"entry years {', '.join(named)} only"


def _lone(treated: Flags, entry: NDArray[np.int64], cluster: Codes) -> dict[int, bool]:
    """Say of each entry year, ascending, whether either group's rows lie in a single cluster."""
    own, others = (_in_one_cluster(entry[group], cluster[group]) for group in (treated, ~treated))
    return {year: alone or others.get(year, False) for year, alone in own.items()}


def _lone_at(
    treated: Flags, entry: NDArray[np.int64], cluster: Codes, event_time: NDArray[np.int64]
) -> dict[int, dict[int, bool]]:
    """Say the same of the rows of each event time."""
    found = {}
    for time in np.unique(event_time[treated]).tolist():
        here = event_time == time
        found[time] = _lone(treated[here], entry[here], cluster[here])
    return found


def _in_one_cluster(entry: NDArray[np.int64], cluster: Codes) -> dict[int, bool]:
    years, first, position = np.unique(entry, return_index=True, return_inverse=True)
    elsewhere = np.bincount(position, cluster != cluster[first][position], len(years))
    return dict(zip(years.tolist(), (elsewhere == 0).tolist(), strict=True))
