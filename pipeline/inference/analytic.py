"""Analytic inference: covariances, intervals and rows of every result, in one place.

Covariances are sums over clusters of products of influences. A regression's have the small-sample
factor and t distributions with G-1 degrees of freedom, others normal ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.estimated import Cells, Estimated, Seen
from pipeline.effects.imputed_effects import ImputedEffects
from pipeline.effects.rows import Label, Row
from pipeline.effects.terms import Term
from pipeline.errors import Reason
from pipeline.inference.cautions import (
    LEAST_COMPONENTS,
    cluster_caution,
    narrow_caution,
    pair_cautions,
)
from pipeline.inference.conley import NEGATIVE, conley_covariance
from pipeline.inference.counts import LONE_IN_COHORTS, Counts, cluster_codes, count
from pipeline.inference.covariance import (
    cluster_sums,
    is_rounding,
    n_parameters,
    small_sample_factor,
    std_errors_of,
    two_way_covariance,
    without_negative_eigenvalues,
    without_rounding,
)
from pipeline.inference.result_rows import Errors, result_rows
from pipeline.params.analyses import EXPOSURE_COMPONENT, Clustering
from pipeline.params.inference import SpatialErrors


@dataclass(frozen=True)
class Inferred:
    """Hold a result with its covariance (k, k), clustered by `clusters`, codes by firm (F,).

    `influence` (G, k) holds each cluster's influence, by cluster code, whose cross-products sum to
    the covariance; None where errors are clustered in two directions. Where firms near each other
    share shocks clusters are places, of which those of near ones count too.
    `adjusted` says that the covariance had negative eigenvalues, which are set to zero. Variances
    that are rounding are exact zeros. `undefined` are terms whose variance the method does not
    give, with the reason.
    """

    estimated: Estimated
    cluster: Clustering
    clusters: tuple[Codes, ...]
    covariance: Floats
    influence: Floats | None
    counts: Counts
    adjusted: bool
    undefined: Mapping[Term, Reason] = field(default_factory=dict)

    @property
    def df(self) -> float:
        """Return the degrees of freedom of tests: G - 1 of a regression, else infinite."""
        return self.counts.n_clusters - 1 if self.estimated.regression else np.inf

    @property
    def two_way(self) -> bool:
        """Say whether errors are clustered in two directions."""
        return len(self.clusters) > 1

    @property
    def if_negative(self) -> Reason | None:
        """Return why a variance is negative; None where it cannot be."""
        if isinstance(self.cluster, SpatialErrors):
            return NEGATIVE
        return Reason("negative_variance") if self.two_way else None

    @cached_property
    def of_levels(self) -> list[Reason]:
        """Say what a pair of levels comes to, and where exposure reaches across clusters."""
        given = self.cluster, self.clusters, self.estimated.seen
        return [*pair_cautions(*given), *narrow_caution(*given)]

    @property
    def std_errors(self) -> Floats:
        """Return computed standard errors (k,), zero where rounding."""
        return std_errors_of(self.covariance)

    @cached_property
    def reasons(self) -> tuple[Reason | None, ...]:
        """Say of each term why it has no standard error; None where that stands."""
        pairs = zip(self.estimated.terms, self.std_errors, strict=True)
        return tuple(self._why_none(term, float(error)) for term, error in pairs)

    @property
    def known_errors(self) -> Floats:
        """Return standard errors (k,), missing where there is a reason for none."""
        return np.where([reason is None for reason in self.reasons], self.std_errors, np.nan)

    @property
    def statistics(self) -> Floats:
        """Return t statistics (k,), missing where there is no standard error or it is zero."""
        errors = self.known_errors
        return self.estimated.estimates / np.where(errors > 0, errors, np.nan)

    def counts_at(self, term: Term) -> Counts:
        """Return the counts of what a term rests on; firms stay those of all."""
        if term.event_time is None or term.cohort is not None:
            return self.counts
        last = term.event_time if term.last_event_time is None else term.last_event_time
        return self.counts.at(range(term.event_time, last + 1))

    def columns(self, term: Term) -> dict[str, int]:
        """Return the columns of ESTIMATES that count."""
        return self.counts.columns | dict(self.estimated.counts.get(term, {}))

    def where(self, terms: Sequence[Term]) -> "Inferred":
        """Return some of the terms, with the covariance that they have among all."""
        place = [self.estimated.terms.index(term) for term in terms]
        return replace(
            self,
            estimated=self.estimated.where(terms),
            covariance=self.covariance[np.ix_(place, place)],
            influence=None if self.influence is None else self.influence[:, place],
        )

    @property
    def levels(self) -> tuple[str, ...]:
        """Return what each direction's clusters are."""
        if isinstance(self.cluster, SpatialErrors):
            return (self.cluster.level,)
        if not isinstance(self.cluster, str):
            return self.cluster
        return ("assignment", "matched_set") if self.two_way else (self.cluster,)

    @cached_property
    def by_cluster(self) -> tuple[Estimated, tuple[Codes, ...]]:
        """Return the result with clusters in place of firms, and their codes (G,) at each level.

        Influences have the small-sample factor. Clustered in two directions, clusters are the pairs
        of both: V_first + V_second - V_both is the covariance but for negative eigenvalues.
        """
        estimated, own, levels = self.estimated, self.clusters[0], self.clusters
        assert estimated.influence is not None, "asked where there is one"
        sums, codes = self.influence, (np.arange(int(own.max(initial=-1)) + 1),)
        if sums is None:
            pairs, own = np.unique(np.column_stack(levels), axis=0, return_inverse=True)
            factor = factor_of(estimated, levels, self.counts)
            sums, codes = np.sqrt(factor) * cluster_sums(estimated.influence, own), tuple(pairs.T)
        firm = estimated.seen.firm
        seen = np.flatnonzero(np.bincount(own[firm]))
        treated = np.bincount(own[firm[estimated.seen.treated]], minlength=len(sums))[seen] > 0
        return Estimated(
            terms=estimated.terms,
            estimates=estimated.estimates,
            influence=sums,
            seen=Seen(seen, treated),
            largest=estimated.largest,
            loadings=np.zeros((0, len(estimated.terms))),
        ), codes

    def _why_none(self, term: Term, error: float) -> Reason | None:
        reason = self.counts_at(term).why_none(error, self.if_negative)
        if reason is not None or self.estimated.regression is not None:
            return reason or self.undefined.get(term)
        if self.counts.n_clusters < 3:
            return Reason("fewer_than_three_clusters")
        if not self._is_lone(term):
            return None
        return LONE_IN_COHORTS if term.cohort is None else Reason("entry_year_in_one_cluster")

    def _is_lone(self, term: Term) -> bool:
        """Say whether in all comparisons of a term one group lies in a single cluster."""
        if not isinstance(self.estimated.source, Cells):
            return False
        column = self.estimated.loadings[:, self.estimated.terms.index(term)]
        return all(self._lone_cells[cell] for cell in np.flatnonzero(column))

    @cached_property
    def _lone_cells(self) -> list[bool]:
        assert isinstance(self.estimated.source, Cells), "asked of comparisons only"
        return [
            any(_is_alone(code[side == group]) for code in self.clusters for group in (1, -1))
            for side in self.estimated.source.sides
        ]


def _is_alone(code: Codes) -> bool:
    return not (code != code[0]).any()


def infer(estimated: Estimated, cluster: Clustering) -> Inferred:
    """Return a result with its clustered covariance; `cluster` as specs name it."""
    clusters = cluster_codes(estimated.seen, cluster)
    counts = count(estimated.seen, *clusters)
    if cluster == EXPOSURE_COMPONENT:
        counts = replace(counts, least_components=LEAST_COMPONENTS)
    raw, influence = _covariance(estimated, cluster, clusters, counts)
    covariance = raw if influence is not None else without_negative_eigenvalues(raw)
    adjusted = covariance is not raw
    n_firms = counts.n_treated + counts.n_control
    n_obs = counts.n_obs if estimated.regression else n_firms
    sizes = np.sqrt(np.abs(np.diag(covariance)))
    exact = is_rounding(sizes, n_obs, estimated.largest, estimated.rounding)
    covariance = np.where(exact | exact[:, None], 0.0, covariance)
    if influence is not None and exact.any():
        influence = np.where(exact, 0.0, influence)
    estimates = without_rounding(estimated.estimates, estimated.largest)
    shown = replace(estimated, estimates=estimates)
    return Inferred(shown, cluster, clusters, covariance, influence, counts, adjusted)


def _covariance(
    estimated: Estimated, cluster: Clustering, clusters: tuple[Codes, ...], counts: Counts
) -> tuple[Floats, Floats | None]:
    """Cluster in one direction or by distance, which give influences too, or in two directions."""
    if isinstance(cluster, SpatialErrors):
        return _spatial(estimated, clusters[0], cluster)
    factor = factor_of(estimated, clusters, counts)
    if len(clusters) == 1:
        sums = cluster_sums(_influence(estimated, clusters[0]), clusters[0])
        sums *= np.sqrt(factor)
        return sums.T @ sums, sums
    influence = estimated.influence
    assert influence is not None, "what has none is inferred otherwise"
    assert not isinstance(estimated.source, ImputedEffects), "params refuse two directions"
    return two_way_covariance(influence, (clusters[0], clusters[1]), factor), None


def _spatial(estimated: Estimated, place: Codes, asked: SpatialErrors) -> tuple[Floats, Floats]:
    """Return the covariance where firms near each other share shocks, and influences by place."""
    at = np.array(estimated.seen.names[asked.level].tolist(), dtype=np.float64).reshape(-1, 2)
    sums = cluster_sums(_influence(estimated, place), place)
    latitude, longitude = at[: len(sums)].T
    return conley_covariance(sums, latitude, longitude, asked), sums


def _influence(estimated: Estimated, cluster: Codes) -> Floats:
    """Return influences by firm (F, k), imputed effects less their means over these clusters."""
    influence, source = estimated.influence, estimated.source
    assert influence is not None, "what has none is inferred otherwise"
    if not isinstance(source, ImputedEffects):
        return influence
    moved = source.influence(cluster) - source.influence(np.arange(len(cluster)))
    return np.asarray(influence + moved @ estimated.loadings)


def factor_of(estimated: Estimated, clusters: tuple[Codes, ...], counts: Counts) -> float:
    """Return G/(G-1) x (N-1)/(N-K) of a regression, 1 for other results."""
    regression = estimated.regression
    if regression is None:
        return 1.0
    nested = [regression.nested(code[estimated.seen.firm]) for code in clusters]
    in_any = [any(both) for both in zip(*nested, strict=True)]
    k_parameters = n_parameters(regression.n_regressors, regression.n_effects, in_any)
    return small_sample_factor(counts.n_clusters, regression.n_obs, k_parameters)


def analytic_rows(label: Label, inferred: Inferred) -> list[Row]:
    """Return a row of ESTIMATES for every term: estimated, zero by construction, or missing.

    A standard error is missing, with the reason, where too few clusters stand behind it (at an
    event time: behind the entry years seen at it) or where it is zero: an exact fit says nothing on
    how far the estimate is from the truth. Averages say where clusters are too few.
    """
    said = [_remarks(label, inferred, i) for i in range(len(inferred.estimated.terms))]
    errors = Errors(inferred.known_errors, inferred.df, inferred.reasons, said, inferred.columns)
    return result_rows(label, inferred.estimated, errors)


def _remarks(label: Label, inferred: Inferred, position: int) -> list[Reason]:
    """Return what a reader must know of a term, and of the clusters behind it."""
    estimated, term = inferred.estimated, inferred.estimated.terms[position]
    said: list[Reason | None] = list(estimated.remarks.get(term, ()))
    counts = inferred.counts_at(term)
    is_regression = estimated.regression is not None
    if is_regression or (inferred.reasons[position] is None and term.cohort is None):
        if term.is_average or term.last_event_time is not None:
            said.append(
                cluster_caution(label.cluster, counts.n_clusters, counts.n_treated_clusters)
            )
            said += inferred.of_levels
            said.append(Reason("eigenvalues_adjusted") if inferred.adjusted else None)
        said.append(counts.left_out)
    return [remark for remark in said if remark is not None]
