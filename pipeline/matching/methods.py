"""The methods of matching and weighting, by the name under which params ask for them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.matching.cells import weigh_by_cells
from pipeline.matching.covariate_pairs import match_on_covariates
from pipeline.matching.entropy import weigh_by_entropy
from pipeline.matching.external import adopt
from pipeline.matching.kernel import weigh_by_kernel
from pipeline.matching.score_pairs import match_on_score
from pipeline.matching.score_weights import weigh_by_odds, weigh_by_overlap
from pipeline.matching.stack import RiskSet, StackMatch, weighted
from pipeline.params.match import AnyDesign

_METHODS: dict[str, Callable[[RiskSet, Any], StackMatch]] = {
    "nearest": match_on_score,
    "radius": match_on_score,
    "kernel": weigh_by_kernel,
    "mahalanobis": match_on_covariates,
    "cells": weigh_by_cells,
    "odds": weigh_by_odds,
    "overlap": weigh_by_overlap,
    "entropy": weigh_by_entropy,
    "external": adopt,
}


def match_stack(risk_set: RiskSet, design: AnyDesign | None) -> StackMatch:
    """Match or weight one stack by its design's method; without a design, use everyone.

    Raises SupportError where nothing can be compared.
    """
    if design is None:
        risk_set.require_both()
        return weighted(risk_set, np.ones(len(risk_set.firms)))
    return _METHODS[design.method](risk_set, design)
