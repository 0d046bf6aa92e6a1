"""Firms that a score model can use: those with all its covariates, in both groups.

Whoever lacks a covariate leaves the model, or stops the evaluation.
"""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags
from pipeline.errors import DataError, Reason, SupportError
from pipeline.params.score import ScoreModel
from pipeline.selection.firm_stacks import rows_of_firms


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
    row = rows_of_firms(risk_set, covariates)
    values = covariates[model.covariates].iloc[row].reset_index(drop=True)
    missing = values.isna()
    incomplete: Flags = np.asarray(missing.to_numpy().any(axis=1))
    treated, stack = risk_set["treated"].to_numpy(), risk_set["stack"].to_numpy(np.int64)
    for year in np.unique(stack):
        at = stack == year
        here = incomplete[at]
        if here.any() and model.missing == "refuse":
            _refuse_missing(missing[at], f"{name}, stack {year}")
        place = {"model": name, "entry_year": int(year)}
        require_members(treated[at], model, place)
        _require_firms_left(treated[at], missing[at], place)
    rows, known = risk_set.reset_index(drop=True), ~incomplete
    return rows.loc[known], values.loc[known]


def count_losses(
    risk_set: pd.DataFrame, complete: pd.DataFrame, scored: pd.DataFrame, name: str
) -> pd.DataFrame:
    """Count a model's firms lost, by stack and group: for want of covariates, and so on.

    `complete` are those with covariates, `scored` those of categories that have a treated firm.
    """
    by = ["stack", "treated"]
    members = risk_set.groupby(by).size()
    known = complete.groupby(by).size().reindex(members.index)
    kept = scored.groupby(by)["on_support"].agg(["size", "sum"]).reindex(members.index)
    counts = {
        "n_without_covariates": members - known,
        "n_in_untreated_categories": known - kept["size"],
        "n_off_support": kept["size"] - kept["sum"],
    }
    return pd.DataFrame(counts).reset_index().assign(model=name)


def _refuse_missing(missing: pd.DataFrame, where: str) -> None:
    raise DataError(
        f"{where}: {int(missing.any(axis=1).sum())} of {len(missing)} firms lack covariates "
        f"({_listed(missing)}); set missing: drop_firm to leave them out and count them, "
        "or take the covariate out of the model"
    )


def require_members(treated: Flags, model: ScoreModel, place: dict[str, Any]) -> None:
    """Raise SupportError where a group is empty before any covariate is looked at.

    `place` names the model and the entry year.
    """
    pool = model.controls_from
    other = "controls_from: all, " if pool == "outside_treated_clusters" else ""
    for group, flag in (("treated", True), ("comparison", False)):
        if not (treated == flag).any():
            raise SupportError(
                f"{_told(place)}: no {group} firm is in the risk set (controls_from: {pool}); use "
                f"{other}a shorter treatment.window, another treatment.comparison, or "
                "treatment.leave_out_entry_years",
                reason=Reason("nobody_at_risk", {**place, "group": group}),
            )


def _listed(missing: pd.DataFrame) -> str:
    """Return the covariates that some firms lack, with how many: `size 4, sector 2`."""
    counts = missing.sum()
    return ", ".join(f"{column} {count}" for column, count in counts[counts > 0].items())


def _require_firms_left(treated: Flags, missing: pd.DataFrame, place: dict[str, Any]) -> None:
    """Raise SupportError where all firms of a group lack a covariate, saying which they lack."""
    for group, flag in (("treated", True), ("comparison", False)):
        own = missing[treated == flag]
        if not own.any(axis=1).all():
            continue
        raise SupportError(
            f"{_told(place)}: no {group} firm is left: {len(own)} are in the risk set, {len(own)} "
            f"lack a covariate of the model ({_listed(own)}); use covariates that are observed "
            "earlier or for more firms, another comparison pool, or "
            "treatment.leave_out_entry_years",
            reason=Reason(
                "nobody_with_model_covariates",
                {
                    **place,
                    "group": group,
                    "n": len(own),
                    "n_lacking": len(own),
                    "covariates": [str(name) for name in own.columns[own.any()]],
                },
            ),
        )


def require_comparison_left(treated: Flags, used: Flags, name: str, year: int) -> None:
    """Raise SupportError where no comparison firm shares its categories with a treated firm.

    Where a group was empty before, the fit says so.
    """
    if treated.any() and not treated.all() and not (used & ~treated).any():
        place = {"model": name, "entry_year": year}
        raise SupportError(
            f"{_told(place)}: no comparison firm shares its categories with a treated firm; merge "
            "categories (clean.recodes), take a category out of the model, or widen the pool "
            "(controls_from)",
            reason=Reason("no_comparison_in_treated_categories", place),
        )


def _told(place: dict[str, Any]) -> str:
    return f"{place['model']}, stack {place['entry_year']}"
