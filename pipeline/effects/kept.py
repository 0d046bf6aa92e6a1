"""What is kept of every result for whatever reads it later: INFLUENCE and EVENT_COVARIANCE."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Floats
from pipeline.datasets.results import EVENT_COVARIANCE, INFLUENCE
from pipeline.datasets.store import conform, empty
from pipeline.effects.estimated import Estimated
from pipeline.effects.rows import Label, place_of
from pipeline.effects.terms import Term
from pipeline.params.analyses import clustering_code


@dataclass(frozen=True)
class Kept:
    """Hold the terms of one result that have a standard error, and how they vary together.

    `covariance` (m, m) is that of all of them, `terms`. `by_cluster` is the result with clusters in
    place of firms: influences (G, k) by cluster code, whose products sum to covariances, of those
    terms whose influences are stored. `names` (G,) are the clusters'. Where errors are clustered
    in two directions, clusters are the pairs of both: `names` are those of the first, `others`
    those of the second, None in one direction.
    """

    label: Label
    terms: tuple[Term, ...]
    covariance: Floats
    by_cluster: Estimated
    names: NDArray[np.object_]
    others: NDArray[np.object_] | None = None

    def covariance_of(self, terms: Sequence[Term]) -> Floats:
        """Return the covariance of some terms, missing where one has no standard error."""
        place = [self.terms.index(term) if term in self.terms else -1 for term in terms]
        known = np.array([position >= 0 for position in place], dtype=np.bool_)
        if not known.all():
            return np.full((len(terms), len(terms)), np.nan)
        return np.asarray(self.covariance[np.ix_(place, place)])


def covariance_table(kept: Iterable[Kept]) -> pd.DataFrame:
    """Return EVENT_COVARIANCE: every pair of terms of a result."""
    parts = [_pairs(own) for own in kept if own.terms]
    return conform(EVENT_COVARIANCE, pd.concat(parts)) if parts else empty(EVENT_COVARIANCE)


def influence_table(kept: Iterable[Kept]) -> pd.DataFrame:
    """Return INFLUENCE; clusters without influence on a term have no row."""
    parts = [_influences(own) for own in kept if own.by_cluster.terms]
    return conform(INFLUENCE, pd.concat(parts)) if parts else empty(INFLUENCE)


def _pairs(kept: Kept) -> pd.DataFrame:
    keys = _keys(kept.label, kept.terms)
    first, second = (part.ravel() for part in np.indices(kept.covariance.shape))
    rows = keys.iloc[first].reset_index(drop=True)
    others = keys.iloc[second].reset_index(drop=True).add_prefix("other_")
    return rows.join(others).assign(covariance=kept.covariance.ravel())


def _influences(kept: Kept) -> pd.DataFrame:
    influence = kept.by_cluster.influence
    assert influence is not None, "kept by cluster"
    position, cluster = np.nonzero(influence.T)
    others = None if kept.others is None else kept.others[cluster]
    rows = _keys(kept.label, kept.by_cluster.terms).iloc[position].reset_index(drop=True)
    return rows.assign(
        cluster_kind=clustering_code(kept.label.cluster),
        cluster=kept.names[cluster],
        other_cluster=others,
        influence=influence[cluster, position],
    )


def _keys(label: Label, terms: Sequence[Term]) -> pd.DataFrame:
    """Return the key of each term, in ESTIMATES' types."""
    own = place_of(label)
    keys = pd.DataFrame([own | term.columns for term in terms])
    types = {name: INFLUENCE.columns[name].kind for name in keys.columns}
    return keys.astype({n: "Int64" if kind == "integer" else "str" for n, kind in types.items()})
