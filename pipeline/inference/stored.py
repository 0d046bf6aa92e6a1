"""Covariances and influences as tables, so that what comes later needs no second fit."""

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes
from pipeline.datasets.results import PLACE
from pipeline.effects.families import family_traits
from pipeline.effects.rows import Label
from pipeline.inference.analytic import Inferred
from pipeline.params.analyses import clustering_code

# With more clusters than this only the influences kept `always` are: tables grow with both.
MOST_CLUSTERS = 20_000


def covariance_rows(label: Label, inferred: Inferred) -> pd.DataFrame:
    """Return EVENT_COVARIANCE of one result: every pair of terms with a standard error."""
    kept = _positions(inferred, ("always", "few_clusters"))
    if not len(kept):
        return pd.DataFrame()
    first, second = (part.ravel() for part in np.meshgrid(kept, kept, indexing="ij"))
    rows = _coordinates(label, inferred, first)
    others = _coordinates(label, inferred, second).add_prefix("other_")
    return rows.join(others).assign(covariance=inferred.covariance[first, second])


def influence_rows(label: Label, inferred: Inferred, names: "pd.Index[str]") -> pd.DataFrame:
    """Return INFLUENCE of one result; `names` are those of cluster codes.

    Clusters without influence on a term have no row. Where errors are clustered in two directions
    there is none.
    """
    if inferred.influence is None:
        return pd.DataFrame()
    few = len(inferred.influence) <= MOST_CLUSTERS
    kept = _positions(inferred, ("always", "few_clusters") if few else ("always",))
    cluster, column = np.nonzero(inferred.influence[:, kept])
    position = kept[column]
    rows = _coordinates(label, inferred, position)
    return rows.assign(
        cluster_kind=clustering_code(inferred.cluster),
        cluster=names[cluster].astype("str"),
        influence=inferred.influence[cluster, position],
    )


def _positions(inferred: Inferred, kept_where: tuple[str, ...]) -> Codes:
    """Return which terms with a standard error have a family that is kept so."""
    keep = [family_traits(term.family).kept in kept_where for term in inferred.estimated.terms]
    known = [reason is None for reason in inferred.reasons]
    return np.flatnonzero(np.array(keep, dtype=np.bool_) & np.array(known, dtype=np.bool_))


def _coordinates(label: Label, inferred: Inferred, positions: Codes) -> pd.DataFrame:
    """Return the key of each term, repeated as `positions` say."""
    own = {name: getattr(label, name) for name in PLACE}
    distinct = pd.DataFrame([own | term.columns for term in inferred.estimated.terms])
    if not len(positions):
        return pd.DataFrame()
    return distinct.iloc[positions].reset_index(drop=True)
