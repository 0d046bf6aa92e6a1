"""Effects that weight firms by size, where one firm has most of the weight."""

import re

import numpy as np
import pandas as pd

# largest_size_share_treated[jobs] is of the weights behind att_by[jobs] and total[jobs].
_SHARE = re.compile(r"largest_size_share_\w+\[(\w+)\]")
_TERM = re.compile(r"(?:att_by|total)\[(\w+)\]")


def dominated_sizes(estimates: pd.DataFrame, facts: pd.DataFrame, percent: float) -> np.ndarray:
    """Mark estimates (n,) of a design and size of which one firm has more than `percent`."""
    rows = zip(facts["design"], facts["name"], facts["value"].astype(float), strict=True)
    found = {
        (design, match[1])
        for design, name, share in rows
        if (match := _SHARE.fullmatch(name)) and 100 * share > percent
    }
    terms = zip(estimates["design"], estimates["term"], strict=True)
    marks = [(m := _TERM.fullmatch(term)) is not None and (d, m[1]) in found for d, term in terms]
    return np.array(marks, dtype=np.bool_)
