"""Effects that weight firms by size, where one firm has most of the weight."""

import numpy as np
import pandas as pd

_TERMS = ("att_by", "total")


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
