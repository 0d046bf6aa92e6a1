"""Standard errors of a score's coefficients that hold where firms are not alike or independent."""

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.errors import Reason, SupportError
from pipeline.selection.likelihood import Link, Optimum, surprise


def robust_covariance(
    columns: Floats,
    treated: Flags,
    optimum: Optimum,
    link: Link,
    cluster: Codes | None = None,
    *,
    weight: Floats | None = None,
) -> Floats:
    """Return the sandwich covariance (k, k) of coefficients on columns (n, k).

    Firms weigh by `weight` (n,), as in the optimum; as Stata's pweights. Factor n / (n - 1), or
    G / (G - 1) of sums over clusters (n,), as in Stata's logit and probit. White (1982),
    doi:10.2307/1912526; Liang & Zeger (1986), doi:10.1093/biomet/73.1.13. Raises SupportError where
    all firms are in one cluster.
    """
    scores = columns * surprise(optimum.index, treated, link)[:, None]
    if weight is not None:
        scores *= weight[:, None]
    if cluster is not None:
        scores = _sums(scores, cluster)
    units = len(scores)
    meat = units / (units - 1) * (scores.T @ scores)
    return np.asarray(optimum.covariance @ meat @ optimum.covariance, dtype=np.float64)


def _sums(scores: Floats, cluster: Codes) -> Floats:
    """Return sums over clusters (G, k); raise SupportError where there is one cluster only."""
    names, own = np.unique(cluster, return_inverse=True)
    if len(names) < 2:
        raise SupportError(
            "all firms of the fit are in one assignment cluster, so that errors cannot be "
            "clustered; set errors: robust in the score model",
            reason=Reason("score_in_one_cluster", {"n": len(scores)}),
        )
    sums = np.zeros((len(names), scores.shape[1]))
    np.add.at(sums, own, scores)
    return sums
