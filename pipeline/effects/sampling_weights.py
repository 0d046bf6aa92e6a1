"""Weights that a spec gives firms beside those of its design: sampling weights, or sizes."""

from dataclasses import replace

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.effects.stacks import LARGEST_WEIGHT, Stacks, unit_covariates
from pipeline.effects.study import Study
from pipeline.errors import DataError
from pipeline.params.spec_options import EstimatesAsked


def weighted_stacks(study: Study, spec: EstimatesAsked, stacks: Stacks) -> tuple[Stacks, Flags]:
    """Return the stacks with each firm's weight times its own, and which firms (u,) lack one.

    These have weight zero. Within an entry year and year, samples scale comparison firms to the
    treated once more. Raises DataError where a weight is negative or infinite.
    """
    named = spec.option("weight_by")
    if named is None:
        return stacks, np.zeros(len(stacks.firm), dtype=np.bool_)
    assert study.covariates is not None, "prepare_study checks the names"
    own = unit_covariates(stacks, study.panel, study.covariates, [named])[:, 0]
    lacking = np.isnan(own) & (stacks.weight > 0)
    return replace(stacks, weight=stacks.weight * positive_weights(own, named)), lacking


def positive_weights(values: Floats, name: str) -> Floats:
    """Return weights by unit, zero where missing; raise DataError where one is negative."""
    negative = int((values < 0).sum())
    if negative:
        raise DataError(
            f"weight_by {name}: {negative} values are negative, which no weight can be; correct "
            "the column, or weight by another covariate"
        )
    infinite = int((values > LARGEST_WEIGHT).sum())
    if infinite:
        raise DataError(
            f"weight_by {name}: {infinite} values are infinite or as good as that; correct the "
            "column, or weight by another covariate"
        )
    return np.nan_to_num(values)
