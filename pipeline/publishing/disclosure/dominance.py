"""The dominance rule: a mean or total in which one firm weighs too much is not shown.

The (1, k) rule: hidden where the largest firm's contribution exceeds k percent of the total.
Hundepool et al. (2012), doi:10.1002/9781118348239, section 4.2. It concerns magnitudes: shares and
logs have no contributions that anyone could look up.
"""

import numpy as np
import pandas as pd


def dominated(
    rows: pd.DataFrame, shares: pd.DataFrame, keys: list[str], percent: float
) -> np.ndarray:
    """Mark the rows of a published table whose largest firm exceeds `percent` of the total."""
    found = rows[keys].merge(shares, on=keys, how="left")["share"]
    return np.asarray(found > percent)
