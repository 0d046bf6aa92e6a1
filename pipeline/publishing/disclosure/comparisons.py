"""Comparisons between entry years, of which one may have too few firms to be told of."""

import numpy as np

from pipeline.datasets.fits import DECOMPOSED_COHORTS, DECOMPOSITION, FITS
from pipeline.datasets.small_counts import small
from pipeline.exhibits.details import Details
from pipeline.publishing.disclosure.details import keys_of, without

_FIT = ["design", "outcome", "estimator"]


def hide_few_compared(details: Details, minimum: int) -> Details:
    """Hide every figure of a decomposition in which some entry year has few firms.

    Weights are products of numbers of firms and sum to one, so that any of them tells of the rest.
    """
    cohorts = details.of(DECOMPOSED_COHORTS)
    is_small = small(cohorts["n_firms"].to_numpy(float, na_value=np.nan), minimum)
    few = set(keys_of(cohorts[is_small], _FIT))
    figures = {
        DECOMPOSITION: ["weight", "estimate"],
        DECOMPOSED_COHORTS: ["n_firms"],
        FITS: ["share_already_treated"],
    }
    for table, columns in figures.items():
        marks = [key in few for key in keys_of(details.of(table), _FIT)]
        details = without(details, table, columns, marks)
    return details
