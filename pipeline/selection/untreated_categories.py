"""Categories without a treated firm: what to do with their comparison firms, where a setting says.

No score tells how likely a firm is to enter where nobody like it did: the coefficient of such a
category is minus infinity. Its comparison firms can be left out; treated firms lose nobody, since
none could have been compared with them.
"""

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags


def in_untreated_categories(covariates: pd.DataFrame, treated: Flags) -> Flags:
    """Mark the firms (n,) that some text covariate puts in a category without a treated firm."""
    marked = np.zeros(len(covariates), dtype=np.bool_)
    for name in _texts(covariates):
        code, categories = pd.factorize(covariates[name])
        has_treated = np.bincount(code[treated], minlength=len(categories)) > 0
        marked |= ~has_treated[code]
    return marked


def without_lone_categories(covariates: pd.DataFrame) -> pd.DataFrame:
    """Return covariates without the texts of which one category is left, which tell nothing more.

    Where nothing else is left all stay, for their fit to refuse.
    """
    lone = [name for name in _texts(covariates) if covariates[name].nunique() == 1]
    return covariates if len(lone) == covariates.shape[1] else covariates.drop(columns=lone)


def _texts(covariates: pd.DataFrame) -> list[str]:
    return [
        str(name)
        for name, values in covariates.items()
        if not pd.api.types.is_numeric_dtype(values)
    ]
