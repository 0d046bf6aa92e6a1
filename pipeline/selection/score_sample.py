"""Firms that a score model can use: those with all its covariates, in both groups.

Whoever lacks a covariate leaves the model, or stops the evaluation.
"""

import pandas as pd

from pipeline.errors import DataError, SupportError
from pipeline.params.score import ScoreModel


def complete_rows(
    risk_set: pd.DataFrame, covariates: pd.DataFrame, model: ScoreModel, name: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Select the firms of a risk set with all covariates of a model; leave out, or refuse, others.

    Returns their rows and their covariates in the same order. Raises DataError where the model
    refuses missing covariates, SupportError where a stack has no treated or no comparison firm
    left.
    """
    if risk_set.empty:
        raise SupportError(f"{name}: no entry year has both treated and comparison firms")
    key = ["stack", "firm_id"]
    dated = covariates[[*key, *model.covariates]]
    values = risk_set[key].merge(dated, on=key, how="left", validate="one_to_one")
    missing = values[model.covariates].isna()
    incomplete = missing.any(axis=1)
    rows = risk_set.reset_index(drop=True)
    for stack, members in rows.groupby("stack", sort=True):
        here = incomplete.loc[members.index]
        if here.any() and model.missing == "refuse":
            _refuse_missing(missing.loc[members.index], f"{name}, stack {stack}")
        _require_members(members, model, f"{name}, stack {stack}")
        _require_firms_left(members, here, f"{name}, stack {stack}")
    kept = ~incomplete
    return rows[kept], values.loc[kept, model.covariates]


def _refuse_missing(missing: pd.DataFrame, where: str) -> None:
    counts = missing.sum()
    listed = ", ".join(f"{column} {count}" for column, count in counts[counts > 0].items())
    raise DataError(
        f"{where}: {int(missing.any(axis=1).sum())} of {len(missing)} firms lack covariates "
        f"({listed}); set missing: drop_firm to leave them out and count them, "
        "or take the covariate out of the model"
    )


def _require_members(rows: pd.DataFrame, model: ScoreModel, where: str) -> None:
    """Raise SupportError where a group is empty before any covariate is looked at."""
    pool = model.controls_from
    other = "controls_from: all, " if pool == "outside_treated_clusters" else ""
    for group, flag in (("treated", True), ("comparison", False)):
        if not (rows["treated"] == flag).any():
            raise SupportError(
                f"{where}: no {group} firm is in the risk set (controls_from: {pool}); use {other}"
                "a shorter treatment.window, another treatment.comparison, or "
                "treatment.leave_out_entry_years"
            )


def _require_firms_left(rows: pd.DataFrame, incomplete: pd.Series, where: str) -> None:
    for group, flag in (("treated", True), ("comparison", False)):
        of_group = rows["treated"] == flag
        left = int((of_group & ~incomplete).sum())
        if left == 0:
            raise SupportError(
                f"{where}: no {group} firm is left: {int(of_group.sum())} are in the risk set, "
                f"{int((of_group & incomplete).sum())} lack a covariate of the model; use "
                "covariates that are observed earlier or for more firms, another comparison pool, "
                "or treatment.leave_out_entry_years"
            )
