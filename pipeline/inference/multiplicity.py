"""Several outcomes of one family: q-values beside p-values."""

import numpy as np

from pipeline.effects.rows import ALL, PLACEBO_ENTRY, Row, label_of, test_row
from pipeline.effects.terms import ATT
from pipeline.errors import Reason
from pipeline.inference.covariance import benjamini_hochberg
from pipeline.params.outcomes import Outcome

# Errors of regressions, whose p-values make a family.
_OWN_ERRORS = ("analytic", "hc3")


def family_tests(estimates: list[Row], outcomes: dict[str, Outcome]) -> list[Row]:
    """Return a row of TESTS, `q_value`, for each average effect of a family of several outcomes.

    A family is what params declare, within one design and estimator, all firms, analytic tests;
    effects of a placebo entry date are families apart.
    """
    families: dict[tuple[str, str, str, str], list[Row]] = {}
    for row in estimates:
        if _is_tested(row):
            family = outcomes[row["outcome"]].family
            key = (row["design"], row["estimator"], row["sample"], family)
            families.setdefault(key, []).append(row)
    return [
        test
        for (*_, family), members in families.items()
        if len(members) > 1
        for test in _family_rows(members, family)
    ]


def _is_tested(row: Row) -> bool:
    """Say whether a row is an average effect on all firms with a regression's own p-value."""
    own = row["inference"] in _OWN_ERRORS
    plain = own and (row["band"], row["term"]) == ("pointwise", ATT.family)
    whole = (row["grouping"], row["subgroup"]) == (ALL, ALL)
    of_all = row["sample"] in (ALL, PLACEBO_ENTRY)
    return bool(plain and whole and of_all and np.isfinite(row.get("p_value", np.nan)))


def _family_rows(members: list[Row], family: str) -> list[Row]:
    q_values = benjamini_hochberg(np.array([row["p_value"] for row in members]))
    said = Reason("benjamini_hochberg_family", {"n": len(members), "family": family})
    return [
        test_row(label_of(row), "q_value", p_value=float(q_value), remarks=[said])
        for row, q_value in zip(members, q_values, strict=True)
    ]
