"""Exact cells: firms whose named covariates agree, and who alone may be compared."""

import numpy as np
import pandas as pd

from pipeline.matching.sets import Positions


def exact_cells(covariates: pd.DataFrame, exact: list[str]) -> Positions | None:
    """Number the cells of the exact covariates; -1 where one is missing, None without any."""
    if not exact:
        return None
    cells = covariates.groupby(exact, sort=True, dropna=True).ngroup()
    return np.asarray(cells.fillna(-1), dtype=np.int64)
