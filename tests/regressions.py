"""Regressions of plain columns, clustered as other software clusters them."""

import numpy as np

from pipeline.effects.estimated import Seen
from pipeline.effects.least_squares import fit_absorbed
from pipeline.effects.poisson import fit_poisson
from pipeline.effects.terms import Term
from pipeline.inference.analytic import infer


def rows_in(clusters, second=None):
    """Return rows (n,) that are a firm each, so that `clusters` and `second` may be any codes."""
    n = len(clusters)
    treated = np.zeros(n, dtype=bool)
    return Seen(np.arange(n), treated, assignment=np.asarray(clusters), matched_set=second)


def in_clusters(found, second=None):
    """Cluster a result on `rows_in` by its clusters, or in two directions."""
    return infer(found, "assignment" if second is None else "set_and_assignment")


def least_squares(y, regressors, names, *, first, second, weight, clusters, others=None):
    """Regress y on regressors and two sets of effects; by `clusters` and, two-way, `others`."""
    found = fit_absorbed(
        y,
        regressors,
        [Term(name) for name in names],
        first=first,
        second=second,
        weight=weight,
        seen=rows_in(clusters, others),
    )
    return in_clusters(found, others)


def poisson(y, regressors, names, *, first, second, weight, clusters):
    """Fit E[y] = exp(regressors b + effects), clustered."""
    found = fit_poisson(
        y,
        regressors,
        [Term(name) for name in names],
        first=first,
        second=second,
        weight=weight,
        seen=rows_in(clusters),
    )
    return in_clusters(found)
