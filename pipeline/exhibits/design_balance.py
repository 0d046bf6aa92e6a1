"""What BALANCE and its summary say of one design, as tables, figures and sentences read it."""

import math
from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.balance import BALANCE_SUMMARY
from pipeline.exhibits.inputs import StudyResults

# What one row of BALANCE is on.
TERM = ("covariate", "category")


@dataclass(frozen=True)
class DifferencesTogether:
    """Hold what a design's differences come to in one sample; NaN where none is known.

    `hidden` says that they may not be told; `mean_bias` is in percent.
    """

    mean: float = math.nan
    largest: float = math.nan
    mean_bias: float = math.nan
    n_above: float = 0.0
    n_known: float = 0.0
    hidden: bool = False


def differences_together(results: StudyResults, design: str, sample: str) -> DifferencesTogether:
    """Return what BALANCE_SUMMARY says of a design's differences in one sample, stacks together."""
    rows = results.details.rows(BALANCE_SUMMARY, design=design, sample=sample)
    if rows.empty:
        return DifferencesTogether()
    row = rows.iloc[0]
    if pd.isna(row["n_known"]):
        return DifferencesTogether(hidden=True)
    return DifferencesTogether(
        mean=float(row["mean_std_diff"]),
        largest=float(row["largest_std_diff"]),
        mean_bias=float(row["mean_percent_bias"]),
        n_above=float(row["n_above_threshold"]),
        n_known=float(row["n_known"]),
    )


def balance_of(results: StudyResults, design: str) -> pd.DataFrame:
    """Return a design's covariates and categories, all stacks together: `<column>_<before|after>`.

    The design without matching has no sample after; its figures before stand for both.
    """
    balance = results.balance
    chosen = balance[(balance["design"] == design) & (balance["stack"] == "all")]
    values = ["mean_treated", "mean_control", "std_diff", "variance_ratio"]
    sides = []
    for side in ("before", "after"):
        kept = [*values, "n_treated", "n_control", "ess_control", "in_score"]
        renamed = {name: f"{name}_{side}" for name in kept}
        sides.append(chosen.loc[chosen["sample"] == side, [*TERM, *kept]].rename(columns=renamed))
    return sides[0].merge(sides[1], on=list(TERM), how="left")
