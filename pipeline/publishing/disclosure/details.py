"""Counts behind feet and notes of exhibits that are too small to show, or would tell those."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags
from pipeline.datasets.details import DETAILS
from pipeline.datasets.fits import DECOMPOSED_COHORTS, DECOMPOSED_KINDS, DECOMPOSITION, FITS
from pipeline.datasets.matches import CELL_WITHOUT_COMPARISON, LEFT_OVER, LOSSES, UNMATCHED
from pipeline.datasets.selection import SCORE_LOSSES
from pipeline.datasets.small_counts import small
from pipeline.datasets.store import Dataset, columns_that_tell
from pipeline.exhibits.details import Details
from pipeline.publishing.disclosure.losses import NO_COVARIATE, NO_MATCH, OFF_SUPPORT, Hidden

# Where tables of details say what SUPPORT says: of SCORE_LOSSES the column, of LOSSES the reasons.
_OF_MODEL = {NO_COVARIATE: "n_without_covariates", OFF_SUPPORT: "n_off_support"}
_OF_DESIGN = {
    OFF_SUPPORT: (UNMATCHED,),
    NO_MATCH: (UNMATCHED, LEFT_OVER, CELL_WITHOUT_COMPARISON),
}

_FIT = ["design", "outcome", "estimator"]


def keys_of(rows: pd.DataFrame, names: list[str]) -> list[tuple[Any, ...]]:
    """Return one key a row; missing parts are NA."""
    return list(rows[names].itertuples(index=False, name=None))


def without(
    details: Details, table: Dataset, columns: list[str], marks: Sequence[bool] | Flags
) -> Details:
    """Return the tables with columns of one table hidden in the marked rows."""
    rows = details.of(table)
    gone = np.array(marks, dtype=np.bool_)
    return details.replaced(table, rows.assign(**{name: rows[name].mask(gone) for name in columns}))


def hide_small_counts(details: Details, minimum: int) -> Details:
    """Hide every small count of firms or of their years."""
    return Details(
        {table.name: _without_small(table, details.of(table), minimum) for table in DETAILS}
    )


def hide_single_firms(details: Details, minimum: int) -> Details:
    """Hide values of one firm, and the joint share of the largest firms: bands say enough.

    With the total, a share gives the value; that of five is one firm's where it dwarfs the others.
    """
    if minimum > 1:
        for table in DETAILS:
            every = np.ones(len(details.of(table)), np.bool_)
            details = without(details, table, columns_that_tell(table, "one_firm"), every)
    return details


def hide_reasons(details: Details, hidden: Hidden, models: dict[str, str]) -> Details:
    """Hide losses that SUPPORT hides: (design, stack, reason); `models` are scores by design."""
    of_model = {
        (models[design], stack, _OF_MODEL[reason])
        for design, stack, reason in hidden
        if reason in _OF_MODEL
    }
    of_design = {
        (design, stack, named)
        for design, stack, reason in hidden
        for named in _OF_DESIGN.get(reason, ())
    }
    keys = keys_of(details.of(LOSSES), ["design", "stack", "reason"])
    shown = without(details, LOSSES, ["n_firms"], [key in of_design for key in keys])
    losses = details.of(SCORE_LOSSES).astype({"stack": "str"})
    for column in _OF_MODEL.values():
        places = keys_of(losses.assign(column=column), ["model", "stack", "column"])
        marks = losses["treated"].to_numpy() & np.array([p in of_model for p in places], np.bool_)
        shown = without(shown, SCORE_LOSSES, [column], marks)
    return shown


def _without_small(table: Dataset, rows: pd.DataFrame, minimum: int) -> pd.DataFrame:
    counts = columns_that_tell(table, "count")
    return rows.assign(
        **{
            name: rows[name].mask(small(rows[name].to_numpy(float, na_value=np.nan), minimum))
            for name in counts
        }
    )


def hide_few_compared(details: Details, minimum: int) -> Details:
    """Hide every figure of a decomposition in which some entry year has few firms.

    Weights are products of numbers of firms and sum to one, so that any of them tells of the rest.
    """
    cohorts = details.of(DECOMPOSED_COHORTS)
    is_small = small(cohorts["n_firms"].to_numpy(float, na_value=np.nan), minimum)
    few = set(keys_of(cohorts[is_small], _FIT))
    figures = {
        DECOMPOSITION: ["weight", "estimate"],
        DECOMPOSED_KINDS: ["weight", "estimate"],
        DECOMPOSED_COHORTS: ["n_firms"],
        FITS: ["share_already_treated"],
    }
    for table, columns in figures.items():
        marks = [key in few for key in keys_of(details.of(table), _FIT)]
        details = without(details, table, columns, marks)
    return details
