"""Covariances and influences as tables, so that what comes later needs no second fit."""

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes
from pipeline.datasets.results import PLACE
from pipeline.effects.rows import Label
from pipeline.inference.analytic import Inferred
from pipeline.params.analyses import clustering_code

# Terms whose covariances and influences are kept: event studies, and the averages beside them.
_KEPT = ("att", "event", "event_average")

# With more clusters than this only averages' influences are kept: tables grow with both.
MOST_CLUSTERS = 20_000


def covariance_rows(label: Label, inferred: Inferred) -> pd.DataFrame:
    """Return EVENT_COVARIANCE of one result: every pair of terms with a standard error."""
    kept = _positions(inferred, _KEPT)
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
    families = _KEPT if len(inferred.influence) <= MOST_CLUSTERS else ("att",)
    kept = _positions(inferred, families)
    cluster, column = np.nonzero(inferred.influence[:, kept])
    position = kept[column]
    rows = _coordinates(label, inferred, position)
    return rows.assign(
        cluster_kind=clustering_code(inferred.cluster),
        cluster=names[cluster].astype("str"),
        influence=inferred.influence[cluster, position],
    )


def _positions(inferred: Inferred, families: tuple[str, ...]) -> Codes:
    pairs = enumerate(zip(inferred.estimated.terms, inferred.reasons, strict=True))
    kept = [i for i, (term, reason) in pairs if reason is None and term.family in families]
    return np.array(kept, dtype=np.intp)


def _coordinates(label: Label, inferred: Inferred, positions: Codes) -> pd.DataFrame:
    """Return the key of each term, repeated as `positions` say."""
    own = {name: getattr(label, name) for name in PLACE}
    distinct = pd.DataFrame([own | term.columns for term in inferred.estimated.terms])
    if not len(positions):
        return pd.DataFrame()
    return distinct.iloc[positions].reset_index(drop=True)
