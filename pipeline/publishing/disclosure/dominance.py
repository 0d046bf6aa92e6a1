"""The dominance rule: a mean or total in which one firm weighs too much is not shown.

The (1, k) rule: hidden where the largest firm's contribution exceeds k percent of the total.
Hundepool et al. (2012), doi:10.1002/9781118348239, section 4.2. It concerns magnitudes: shares and
logs have no contributions that anyone could look up.
"""

import numpy as np
import pandas as pd

_TERMS = ("att_by", "total")


def dominated(
    rows: pd.DataFrame, shares: pd.DataFrame, keys: list[str], percent: float
) -> np.ndarray:
    """Mark the rows of a published table whose largest firm exceeds `percent` of the total."""
    found = rows[keys].merge(shares, on=keys, how="left")["share"]
    return np.asarray(found > percent)


def dominated_sizes(
    estimates: pd.DataFrame, concentration: pd.DataFrame, percent: float
) -> np.ndarray:
    """Mark estimates (n,) of a design and size of which one firm has more than `percent`.

    `concentration` is CONCENTRATION, whose groupings are the sizes that firms are weighted by.
    """
    heavy = concentration[100 * concentration["largest_firm_share"] > percent]
    found = set(zip(heavy["design"], heavy["grouping"], strict=True))
    places = zip(estimates["design"], estimates["grouping"], strict=True)
    by_size = estimates["term"].isin(_TERMS).to_numpy()
    return by_size & np.array([place in found for place in places], dtype=np.bool_)
