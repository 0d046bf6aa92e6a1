"""Moments of covariates that comparison firms are to share with the treated."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats
from pipeline.errors import DataError
from pipeline.selection.design_matrix import expanded_columns, told_terms

_POWER_NAMES = {1: "mean", 2: "second moment", 3: "third moment"}


@dataclass(frozen=True)
class Moments:
    """Hold k moments: how messages call them, and deviations of comparison firms, shape (n0, k).

    A deviation is a comparison firm's power of a covariate minus its mean among the treated, in
    units of the covariate's standard deviation: a weighted mean of zero meets the moment.
    """

    names: tuple[str, ...]
    deviations: Floats


def covariate_moments(covariates: pd.DataFrame, treated: Flags, order: int) -> Moments:
    """Return the first `order` moments of each covariate, categories as indicators.

    Powers are of the covariate less its treated mean, over its standard deviation: given the
    lower moments, meeting those is meeting the raw ones. An indicator has a mean only.
    Raises DataError where a value is missing.
    """
    missing = covariates.isna().sum()
    if missing.any():
        listed = ", ".join(f"{name} {count}" for name, count in missing[missing > 0].items())
        raise DataError(
            f"covariates to balance are missing for some of {len(covariates)} firms ({listed}); "
            "put them in the score model, whose rule for missing values then applies"
        )
    names, deviations = zip(*_powers(covariates, treated, order), strict=True)
    return Moments(names, np.column_stack(deviations))


def _powers(covariates: pd.DataFrame, treated: Flags, order: int) -> Iterator[tuple[str, Floats]]:
    told = told_terms(covariates)
    for name, (*_, values) in zip(told, expanded_columns(covariates), strict=True):
        spread = values.std() or 1.0
        standard = (values - values[treated].mean()) / spread
        two_valued = len(np.unique(values)) <= 2
        for power in range(1, 2 if two_valued else order + 1):
            raised = standard**power
            yield f"{_POWER_NAMES[power]} of {name}", raised[~treated] - raised[treated].mean()
