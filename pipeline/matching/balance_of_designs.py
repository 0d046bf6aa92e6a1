"""Balance of each design in one line: its standardised differences together, Rubin's B and R."""

from collections.abc import Iterable
from dataclasses import astuple, fields

import pandas as pd

from pipeline.datasets.balance import BALANCE_SUMMARY
from pipeline.datasets.store import conform
from pipeline.matching.rubin import Separation
from pipeline.params.match import MatchSection

_KEY = list(BALANCE_SUMMARY.key)


def summarise_balance(
    balance: pd.DataFrame, told_apart: Iterable[tuple[str, str, Separation]], match: MatchSection
) -> pd.DataFrame:
    """Return BALANCE_SUMMARY of every design of BALANCE, stacks together.

    `told_apart` are Rubin's figures by design and sample, missing where there are none.
    """
    found = differences_of_designs(balance, match.balance.threshold)
    refitted = pd.DataFrame(
        [(design, sample, *astuple(own)) for design, sample, own in told_apart],
        columns=[*_KEY, *(field.name for field in fields(Separation))],
    )
    judged = found.assign(denominator=match.balance.denominator, threshold=match.balance.threshold)
    return conform(BALANCE_SUMMARY, judged.merge(refitted, on=_KEY, how="left"))


def differences_of_designs(balance: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Return by design and sample the size of differences over covariates and categories.

    What is not known of a covariate counts nowhere; without any that is known, all is missing.
    """
    rows = balance[(balance["stack"] == "all") & balance["sample"].isin(["before", "after"])]
    sizes = rows[_KEY].assign(
        difference=rows["std_diff"].abs(),
        bias=rows["percent_bias"].abs(),
        above=(rows["std_diff"].abs() > threshold).astype("int64"),
    )
    return sizes.groupby(_KEY, as_index=False).agg(
        mean_std_diff=("difference", "mean"),
        largest_std_diff=("difference", "max"),
        mean_percent_bias=("bias", "mean"),
        n_above_threshold=("above", "sum"),
        n_known=("difference", "count"),
    )
