"""Firms that a score model can use: those with all its covariates, in both groups.

Whoever lacks a covariate leaves the model, or stops the evaluation.
"""

from typing import Any

import pandas as pd

from pipeline.errors import DataError, Reason, SupportError
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
        raise SupportError(
            f"{name}: no entry year has both treated and comparison firms",
            reason=Reason("no_entry_year_with_both_groups"),
        )
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
        place = {"model": name, "entry_year": int(str(stack))}
        _require_members(members, model, place)
        _require_firms_left(members, here, place)
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


def _require_members(rows: pd.DataFrame, model: ScoreModel, place: dict[str, Any]) -> None:
    """Raise SupportError where a group is empty before any covariate is looked at."""
    pool = model.controls_from
    other = "controls_from: all, " if pool == "outside_treated_clusters" else ""
    for group, flag in (("treated", True), ("comparison", False)):
        if not (rows["treated"] == flag).any():
            raise SupportError(
                f"{_told(place)}: no {group} firm is in the risk set (controls_from: {pool}); use "
                f"{other}a shorter treatment.window, another treatment.comparison, or "
                "treatment.leave_out_entry_years",
                reason=Reason("nobody_at_risk", {**place, "group": group}),
            )


def _require_firms_left(rows: pd.DataFrame, incomplete: pd.Series, place: dict[str, Any]) -> None:
    for group, flag in (("treated", True), ("comparison", False)):
        of_group = rows["treated"] == flag
        left = int((of_group & ~incomplete).sum())
        if left == 0:
            raise SupportError(
                f"{_told(place)}: no {group} firm is left: {int(of_group.sum())} are in the risk "
                "set, "
                f"{int((of_group & incomplete).sum())} lack a covariate of the model; use "
                "covariates that are observed earlier or for more firms, another comparison pool, "
                "or treatment.leave_out_entry_years",
                reason=Reason(
                    "nobody_with_model_covariates",
                    {
                        **place,
                        "group": group,
                        "n": int(of_group.sum()),
                        "n_lacking": int((of_group & incomplete).sum()),
                    },
                ),
            )


def _told(place: dict[str, Any]) -> str:
    return f"{place['model']}, stack {place['entry_year']}"
