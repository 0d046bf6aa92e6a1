"""What is kept of every result for whatever reads it later: INFLUENCE and EVENT_COVARIANCE."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Floats
from pipeline.datasets.results import EVENT_COVARIANCE, INFLUENCE, PLACE, TERM
from pipeline.datasets.store import conform, empty
from pipeline.effects.estimated import Estimated
from pipeline.effects.rows import Label, place_of
from pipeline.effects.terms import Term
from pipeline.params.analyses import clustering_levels


@dataclass(frozen=True)
class Kept:
    """Hold the terms of one result that have a standard error, and how they vary together.

    `covariance` (m, m) is that of all of them, `terms`. `by_cluster` is the result with clusters in
    place of firms: influences (G, k) by cluster code, whose products sum to covariances, of those
    terms whose influences are stored. `names` (G,) are the clusters'. Where errors are clustered
    in two directions, clusters are the pairs of both: `names` are those of the first, `others`
    those of the second, None in one direction. Where firms near each other share shocks, clusters
    are `places`, latitude and longitude (G, 2), and products of near ones count too. `small_sample`
    says that tests are t tests with clusters less one degrees of freedom, else they are normal.
    """

    label: Label
    terms: tuple[Term, ...]
    covariance: Floats
    by_cluster: Estimated
    names: NDArray[np.object_]
    others: NDArray[np.object_] | None = None
    small_sample: bool = True
    places: Floats | None = None

    @property
    def influence(self) -> Floats:
        """Return influences by cluster code, (G, k)."""
        assert self.by_cluster.influence is not None, "kept by cluster"
        return self.by_cluster.influence

    @property
    def by_whole_clusters(self) -> bool:
        """Say whether covariances are sums over clusters in one direction."""
        return self.others is None and self.places is None

    def covariance_of(self, terms: Sequence[Term]) -> Floats:
        """Return the covariance of some terms, missing where one has no standard error."""
        place = [self.terms.index(term) if term in self.terms else -1 for term in terms]
        known = np.array([position >= 0 for position in place], dtype=np.bool_)
        if not known.all():
            return np.full((len(terms), len(terms)), np.nan)
        return np.asarray(self.covariance[np.ix_(place, place)])


def covariance_table(kept: Sequence[Kept]) -> pd.DataFrame:
    """Return EVENT_COVARIANCE: every pair of terms of a result."""
    if not kept:
        return empty(EVENT_COVARIANCE)
    keys = _keys((own.label, own.terms) for own in kept)
    pairs = [np.indices(own.covariance.shape).reshape(2, -1) for own in kept]
    first, second = np.hstack(_shifted(pairs, [len(own.terms) for own in kept]))
    rows = keys.take(first).reset_index(drop=True)
    others = keys.take(second).reset_index(drop=True).add_prefix("other_")
    covariance = np.concatenate([own.covariance.ravel() for own in kept])
    return conform(EVENT_COVARIANCE, rows.join(others).assign(covariance=covariance))


def influence_table(kept: Sequence[Kept]) -> pd.DataFrame:
    """Return the rows of INFLUENCE, to be checked and sorted once, when they are written.

    Clusters without influence on a term have no row.
    """
    if not kept:
        return empty(INFLUENCE)
    keys = _keys((own.label, own.by_cluster.terms) for own in kept)
    kinds = np.array([clustering_levels(own.label.cluster) for own in kept], dtype=np.object_)
    of_terms = np.repeat(kinds, [len(own.by_cluster.terms) for own in kept], axis=0)
    keys["cluster_kind"], keys["other_cluster_kind"] = of_terms.T
    found = [np.array(np.nonzero(own.influence.T)) for own in kept]
    shifted = _shifted([places[:1] for places in found], [own.influence.shape[1] for own in kept])
    rows = keys.take(np.hstack(shifted)[0]).reset_index(drop=True)
    pairs = list(zip(kept, [places[1] for places in found], strict=True))
    others = [_at(own.others, cluster) for own, cluster in pairs]
    values = [own.influence.T[tuple(p)] for own, p in zip(kept, found, strict=True)]
    return rows.assign(
        cluster=np.concatenate([own.names[cluster] for own, cluster in pairs]),
        other_cluster=np.concatenate(others),
        influence=np.concatenate(values),
    )


def _at(names: NDArray[np.object_] | None, code: Codes) -> NDArray[np.object_]:
    return np.full(len(code), None) if names is None else names[code]


def _shifted(places: Sequence[Codes], lengths: Sequence[int]) -> list[Codes]:
    """Return places in each of several lists as places in all of them, one after another."""
    starts = np.cumsum([0, *lengths[:-1]])
    return [own + start for own, start in zip(places, starts, strict=True)]


def _keys(results: Iterable[tuple[Label, Sequence[Term]]]) -> pd.DataFrame:
    """Return the key of each term of each result, in ESTIMATES' types."""
    rows = [place_of(label) | term.columns for label, terms in results for term in terms]
    keys = pd.DataFrame(rows, columns=[*PLACE, *TERM])
    types = {name: INFLUENCE.columns[name].kind for name in keys.columns}
    return keys.astype({n: "Int64" if kind == "integer" else "str" for n, kind in types.items()})
