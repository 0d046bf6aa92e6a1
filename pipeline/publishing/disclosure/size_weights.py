"""Effects that weight firms by size, where one firm has most of the weight."""

import re

import numpy as np
import pandas as pd

_TERM = re.compile(r"(?:att_by|total)\[(\w+)\]")


def dominated_sizes(
    estimates: pd.DataFrame, concentration: pd.DataFrame, percent: float
) -> np.ndarray:
    """Mark estimates (n,) of a design and size of which one firm has more than `percent`.

    `concentration` is CONCENTRATION, whose groupings are the sizes that firms are weighted by.
    """
    heavy = concentration[100 * concentration["largest_firm_share"] > percent]
    found = set(zip(heavy["design"], heavy["grouping"], strict=True))
    terms = zip(estimates["design"], estimates["term"], strict=True)
    marks = [(m := _TERM.fullmatch(term)) is not None and (d, m[1]) in found for d, term in terms]
    return np.array(marks, dtype=np.bool_)
