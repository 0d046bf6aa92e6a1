"""The one result of every estimator, and the one function for sums of what it holds.

An estimator is linear, or nearly so, in firms: with psi_i(b) the influence of firm i on estimate b,
the sum over its years and stacks, any clustering is a sum of influences, and any weighted sum A'b
has the influence A'psi. Covariances, intervals and tests are made from it in `inference`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.imputed_effects import ImputedEffects
from pipeline.effects.matched_effects import MatchedEffects
from pipeline.effects.regression import Regression
from pipeline.effects.terms import Term
from pipeline.errors import Reason

# Outcomes that differ by less than this share of the largest are alike but for rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Seen:
    """Hold the rows that estimates rest on, one entry per row (n,), and their firms' clusters.

    An entry may also stand for all rows of a unit: `observed` (n, T) then marks at which of the
    `event_times` (T,) it has one. `firm` is PANEL's code. `entry` is the entry year where each has
    effects of its own, None where not; a comparison firm has that of its stack, 0 where it serves
    all. `event_time` is that of a row where effects differ by it, else None. By firm code (F,):
    `assignment` is the cluster in
    which support was given out, `matched_set` the set where no firm is in two; None without.
    `levels` holds further clusters, those of PANEL's text columns that specs name. `names` names
    codes as PANEL does, by level, `assignment` among them.
    `n_rows` counts firm-years where entries are neither these nor units that are observed.
    """

    firm: Codes
    treated: Flags
    entry: NDArray[np.int64] | None = None
    event_time: NDArray[np.int64] | None = None
    assignment: Codes | None = None
    matched_set: Codes | None = None
    levels: Mapping[str, Codes] = field(default_factory=dict)
    names: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    observed: Flags | None = None
    event_times: NDArray[np.int64] | None = None
    n_rows: int | None = None

    @property
    def n_obs(self) -> int:
        """Return the number of firm-years."""
        if self.n_rows is not None:
            return self.n_rows
        return len(self.firm) if self.observed is None else int(np.count_nonzero(self.observed))

    @property
    def firm_by_row(self) -> Codes:
        """Return the firm of every row, unit by unit."""
        return self.firm if self.observed is None else self.firm.repeat(self.observed.sum(axis=1))

    @property
    def differs_by_time(self) -> bool:
        """Say whether it is known at which event times entries are seen."""
        return self.event_time is not None or self.observed is not None

    def times(self) -> list[int]:
        """Return the event times at which treated firms are seen, in order."""
        if self.event_time is not None:
            own = self.event_time[self.treated]
            first = int(own.min(initial=0))
            return [first + int(time) for time in np.flatnonzero(np.bincount(own - first))]
        assert self.observed is not None and self.event_times is not None, "asked of times"
        seen = self.observed[self.treated].any(axis=0)
        return [int(time) for time in self.event_times[seen]]

    def at(self, time: int) -> Flags:
        """Mark the entries that are seen at an event time."""
        if self.event_time is not None:
            return np.asarray(self.event_time == time)
        assert self.observed is not None and self.event_times is not None, "asked of times"
        return np.asarray(self.observed[:, self.event_times == time].any(axis=1))

    def at_any_time(self) -> "Seen":
        """Return the same where effects do not differ by event time."""
        return replace(self, event_time=None, observed=None, n_rows=self.n_obs)

    @property
    def n_firms(self) -> int:
        """Return the number of firm codes, F."""
        if self.assignment is not None:
            return len(self.assignment)
        return int(self.firm.max(initial=-1)) + 1

    def seen_at(self, time: int) -> "Seen":
        """Return what is seen at one event time, once each."""
        return replace(self, event_time=None, observed=None).where(self.at(time))

    def where(self, kept: Flags) -> "Seen":
        """Return the kept entries only, which are rows."""
        assert self.observed is None, "kept by unit"
        return replace(
            self,
            firm=self.firm[kept],
            treated=self.treated[kept],
            entry=None if self.entry is None else self.entry[kept],
            event_time=None if self.event_time is None else self.event_time[kept],
        )


@dataclass(frozen=True)
class Cells:
    """Hold which firms stand behind each of c comparisons: `sides` (c, F), 1 treated, -1 not."""

    sides: NDArray[np.int8]


@dataclass(frozen=True)
class Shares:
    """Hold estimated shares: each firm's part in the mass of s groups, and each part's group.

    `mass` has shape (s, F), `group` (k,).
    """

    mass: Floats
    group: Codes


@dataclass(frozen=True)
class Estimated:
    """Hold k terms, their estimates (k,), and each firm's influence on them (F, k), by firm code.

    `reasons` says of further terms why they have no estimate, `zeros` which terms are zero by
    construction, and why. `remarks` is what must be known of a term, `counts` the firms behind a
    single one where they are not those of all. `source` is what the terms are sums of, by
    `loadings` (c, k): coefficients of a regression, comparisons, averages of imputed or of matched
    firms' effects. With a regression, covariances take its small-sample factor and t distributions,
    without one normal ones. `largest` is the largest absolute outcome, against which rounding is
    told, `rounding` the share of it that is.
    `covariance` (k, k) stands where there is no influence.
    """

    terms: tuple[Term, ...]
    estimates: Floats
    influence: Floats | None
    seen: Seen
    largest: float
    loadings: Floats
    source: Regression | Cells | ImputedEffects | MatchedEffects | None = None
    reasons: Mapping[Term, Reason] = field(default_factory=dict)
    zeros: Mapping[Term, Reason] = field(default_factory=dict)
    remarks: Mapping[Term, tuple[Reason, ...]] = field(default_factory=dict)
    counts: Mapping[Term, Mapping[str, int]] = field(default_factory=dict)
    covariance: Floats | None = None
    rounding: float = ROUNDING

    @property
    def regression(self) -> Regression | None:
        """Return the regression whose coefficients the terms are sums of, None without one."""
        return self.source if isinstance(self.source, Regression) else None

    def estimate(self, term: Term) -> float:
        """Return the estimate of one term, NaN where it has none."""
        return float(self.estimates[self.terms.index(term)]) if term in self.terms else np.nan

    def where(self, wanted: Sequence[Term]) -> "Estimated":
        """Return some of the terms, in the order given; those without an estimate stay out."""
        found = [term for term in wanted if term in self.terms]
        weights = np.zeros((len(self.terms), len(found)))
        for column, term in enumerate(found):
            weights[self.terms.index(term), column] = 1.0
        named = combined(self, found, weights)
        return replace(
            named,
            remarks={t: r for t, r in self.remarks.items() if t in found},
            counts={t: c for t, c in self.counts.items() if t in found},
        )


def as_known(effects: Mapping[Term, float], seen: Seen) -> Estimated:
    """Return effects that are known, true ones say, as a result that no firm has influence on."""
    return Estimated(
        terms=tuple(effects),
        estimates=np.array(list(effects.values()), dtype=np.float64),
        influence=None,
        seen=seen,
        largest=0.0,
        loadings=np.zeros((0, len(effects))),
    )


def combined(
    parts: Estimated,
    terms: Sequence[Term],
    weights: Floats,
    *,
    remarks: Mapping[Term, tuple[Reason, ...]] | None = None,
    shares: Shares | None = None,
) -> Estimated:
    """Return the weighted sums A'b of the k parts as m terms, `weights` A (k, m).

    Averages over event times, bins and groups, differences and totals are such sums. Where weights
    are estimated `shares` p_k / P, the influence of an average a gains sum_k s_ik (b_k - a) / P,
    with s_ik firm i's part of p_k, over the parts that count.
    """
    estimates = parts.estimates @ weights
    influence = None if parts.influence is None else parts.influence @ weights
    if influence is not None and shares is not None:
        influence += _of_shares(parts.estimates, estimates, weights, shares)
    covariance = parts.covariance
    return replace(
        parts,
        terms=tuple(terms),
        estimates=estimates,
        influence=influence,
        loadings=parts.loadings @ weights,
        reasons={},
        zeros={},
        remarks=remarks or {},
        counts={},
        covariance=None if covariance is None else weights.T @ covariance @ weights,
    )


def share_weights(shares: Shares, chosen: Sequence[int]) -> Floats:
    """Return weights (k,) of the chosen parts by their groups' mass, summing to 1."""
    mass = np.zeros(len(shares.group))
    mass[list(chosen)] = shares.mass.sum(axis=1)[shares.group[list(chosen)]]
    return np.asarray(mass / mass.sum())


def mean_of(
    parts: Estimated, which: Sequence[Term], term: Term, remarks: tuple[Reason, ...] = ()
) -> Estimated:
    """Return the equal-weight mean of some terms, as one term."""
    weights = np.array([[1 / len(which) if term in which else 0.0] for term in parts.terms])
    return combined(parts, [term], weights, remarks={term: remarks})


def joined(results: Sequence[Estimated]) -> Estimated:
    """Return the terms of several results of one estimation, side by side.

    Their covariance follows from the influences; none may have one of its own.
    """
    assert all(part.covariance is None for part in results), "covariances between them are unknown"
    first = results[0]
    influences = [part.influence for part in results if part.influence is not None]
    return replace(
        first,
        terms=tuple(term for part in results for term in part.terms),
        estimates=np.concatenate([part.estimates for part in results]),
        influence=_side_by_side(influences) if influences else None,
        loadings=np.hstack([part.loadings for part in results]),
        reasons={t: r for part in results for t, r in part.reasons.items()},
        zeros={t: r for part in results for t, r in part.zeros.items()},
        remarks={t: r for part in results for t, r in part.remarks.items()},
        counts={t: c for part in results for t, c in part.counts.items()},
    )


def _side_by_side(influences: list[Floats]) -> Floats:
    """Return influences by firm code side by side; firms that one lacks have none on it."""
    width = sum(part.shape[1] for part in influences)
    found = np.zeros((max(len(part) for part in influences), width))
    column = 0
    for part in influences:
        found[: len(part), column : column + part.shape[1]] = part
        column += part.shape[1]
    return found


def _of_shares(parts: Floats, averages: Floats, weights: Floats, shares: Shares) -> Floats:
    """Return what estimating the shares adds to each firm's influence, (F, m)."""
    counted = weights != 0
    total = shares.mass.sum(axis=1)[shares.group] @ counted
    deviation = np.where(counted, parts[:, None] - averages, 0.0) / total
    by_group = np.zeros((len(shares.mass), len(averages)))
    np.add.at(by_group, shares.group, deviation)
    return np.asarray(shares.mass.T @ by_group)
