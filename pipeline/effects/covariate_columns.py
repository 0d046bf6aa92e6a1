"""Covariates of an estimator as standardised columns."""

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Floats
from pipeline.errors import DataError, IdentificationError, Reason
from pipeline.panel.scale import LARGEST
from pipeline.selection.design_matrix import build_design_matrix


def covariate_columns(covariates: pd.DataFrame) -> Floats:
    """Return a constant and the covariates, standardised, categories as indicators (n, 1 + k).

    Raises IdentificationError where nobody has all covariates, or one is constant or collinear
    with others, or too large: the estimate that adjusts for them has no value, others may.
    """
    if covariates.empty:
        names = {"covariates": list(covariates.columns)}
        raise IdentificationError(Reason("nobody_with_covariates", names))
    for name, values in covariates.select_dtypes("number").items():
        refuse_large(values.to_numpy(), str(name))
    try:
        return build_design_matrix(covariates.reset_index(drop=True)).standardised
    except DataError as error:
        raise IdentificationError(error.reason) from None


def refuse_large(values: Floats, name: str) -> None:
    """Raise IdentificationError where a covariate is infinite, or too large to be squared."""
    if (np.abs(values) > LARGEST).any():
        found = {"covariate": name, "largest": LARGEST}
        raise IdentificationError(Reason("covariate_too_large", found))
