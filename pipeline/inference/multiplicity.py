"""Several outcomes of one family: q-values beside p-values."""

import numpy as np
import pandas as pd

from pipeline.effects.rows import PLACEBO_ENTRY, Row
from pipeline.errors import Reason
from pipeline.inference.covariance import benjamini_hochberg
from pipeline.params.outcomes import Outcome

_KEY = ["outcome", "design", "arm", "sample", "grouping", "subgroup", "estimator"]


def family_tests(estimates: list[Row], outcomes: dict[str, Outcome]) -> list[Row]:
    """Return a row of TESTS, `q_value`, for each average effect of a family of several outcomes.

    A family is what params declare, within one design and estimator, all firms, analytic tests;
    effects of a placebo entry date are families apart.
    """
    rows = pd.DataFrame(estimates, columns=[*_KEY, "term", "inference", "band", "p_value"])
    plain = (rows["inference"] == "analytic") & (rows["band"] == "pointwise")
    plain &= (rows["term"] == "att") & (rows["subgroup"] == "all") & (rows["grouping"] == "all")
    plain &= rows["sample"].isin(["all", PLACEBO_ENTRY])
    tested = rows[plain & rows["p_value"].notna()]
    family = tested["outcome"].map(lambda name: outcomes[name].family)
    found: list[Row] = []
    places = ["design", "estimator", "sample"]
    for (*_, name), members in tested.groupby([*places, family], sort=False):
        if len(members) > 1:
            found += _family_rows(members, str(name))
    return found


def _family_rows(members: pd.DataFrame, family: str) -> list[Row]:
    q_values = benjamini_hochberg(members["p_value"].to_numpy(dtype=np.float64))
    said = Reason("benjamini_hochberg_family", {"n": len(members), "family": family})
    keys = members[_KEY].to_dict("records")
    return [
        {str(name): value for name, value in key.items()}
        | {"test": "q_value", "p_value": q_value, "reason": None, "remarks": (said,)}
        for key, q_value in zip(keys, q_values, strict=True)
    ]
