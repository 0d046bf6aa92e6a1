"""Keep the covariances and influences of every result, so that what comes later needs no fit."""

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes
from pipeline.effects.collected import Collected
from pipeline.effects.estimated import Seen
from pipeline.effects.kept import Kept
from pipeline.effects.rows import Label, Row
from pipeline.effects.study import Study
from pipeline.effects.terms import Term
from pipeline.inference.analytic import Inferred, analytic_rows
from pipeline.params.inference import SpatialErrors

# With more clusters than this only influences on averages are kept: 7,000 clusters and 680 terms,
# as of 100,000 simulated firms, make 3.7 million rows, 37 MB, and take 2 GB to make.
MOST_CLUSTERS = 10_000

# Clusters that a design makes.
NUMBERED = ("matched_set", "components")


def kept_rows(collected: Collected, label: Label, inferred: Inferred) -> list[Row]:
    """Return the analytic rows of a result, and keep what they rest on."""
    keep(collected, label, inferred)
    return analytic_rows(label, inferred)


def keep(collected: Collected, label: Label, inferred: Inferred) -> None:
    """Keep the covariances and influences of a result's terms that are not kept yet."""
    if inferred.estimated.influence is None:
        return
    pairs = zip(inferred.estimated.terms, inferred.reasons, strict=True)
    known = [term for term, reason in pairs if reason is None]
    new = [term for term in known if collected.kept_of(label, term) is None]
    if new:
        collected.keep(_kept(collected.study, label, inferred, new))


def _kept(study: Study, label: Label, inferred: Inferred, terms: list[Term]) -> Kept:
    place = [inferred.estimated.terms.index(term) for term in terms]
    by_cluster, codes = inferred.by_cluster
    names = [
        _names(study, inferred.estimated.seen, level, code)
        for level, code in zip(inferred.levels, codes, strict=True)
    ]
    many = by_cluster.influence is not None and len(by_cluster.influence) > MOST_CLUSTERS
    shown = [term for term in terms if term.is_average or not many]
    is_spatial = isinstance(inferred.cluster, SpatialErrors)
    return Kept(
        label,
        tuple(terms),
        inferred.covariance[np.ix_(place, place)],
        by_cluster.where(shown),
        _as_texts(names[0]) if is_spatial else names[0],
        names[1] if len(names) > 1 else None,
        small_sample=bool(np.isfinite(inferred.df)),
        places=np.array(names[0].tolist(), dtype=np.float64) if is_spatial else None,
    )


def _as_texts(places: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return pairs of latitude and longitude as texts, the same in every design."""
    return np.array([f"{north!r}, {east!r}" for north, east in places], dtype=np.object_)


def _names(study: Study, seen: Seen, level: str, code: Codes) -> NDArray[np.object_]:
    """Return the names of clusters at one level, the same in every design and spec.

    `code` (G,) are those of the clusters at it. Matched sets and components are made by a design:
    PANEL has no names for them, and they have numbers.
    """
    if level in NUMBERED:
        return np.array([str(number) for number in code], dtype=np.object_)
    names = study.index.firms if level == "firm" else seen.names[level]
    return np.asarray(names, dtype=np.object_)[code]
