"""Counts behind feet and notes of exhibits that are too small to show, or would tell those."""

import numpy as np
import pandas as pd

from pipeline.datasets.details import DETAILS
from pipeline.datasets.matches import CELL_WITHOUT_COMPARISON, LEFT_OVER, LOSSES, UNMATCHED
from pipeline.datasets.selection import SCORE_LOSSES
from pipeline.datasets.store import Dataset, columns_that_tell
from pipeline.exhibits.details import Details
from pipeline.publishing.disclosure.counts import small
from pipeline.publishing.disclosure.losses import NO_COVARIATE, NO_MATCH, OFF_SUPPORT, Hidden

# Where tables of details say what SUPPORT says: of SCORE_LOSSES the column, of LOSSES the reasons.
_OF_MODEL = {NO_COVARIATE: "n_without_covariates", OFF_SUPPORT: "n_off_support"}
_OF_DESIGN = {
    OFF_SUPPORT: (UNMATCHED,),
    NO_MATCH: (UNMATCHED, LEFT_OVER, CELL_WITHOUT_COMPARISON),
}


def hide_small_counts(details: Details, minimum: int) -> Details:
    """Hide every small count of firms or of their years."""
    return Details(
        {table.name: _without_small(table, details.of(table), minimum) for table in DETAILS}
    )


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
    losses = details.of(LOSSES)
    keys = zip(losses["design"], losses["stack"], losses["reason"], strict=True)
    gone = np.array([key in of_design for key in keys], dtype=np.bool_)
    shown = losses.assign(n_firms=losses["n_firms"].mask(gone))
    return details.replaced(LOSSES, shown).replaced(
        SCORE_LOSSES, _without_reasons(details.of(SCORE_LOSSES), of_model)
    )


def _without_small(table: Dataset, rows: pd.DataFrame, minimum: int) -> pd.DataFrame:
    counts = columns_that_tell(table, "count")
    return rows.assign(
        **{
            name: rows[name].mask(small(rows[name].to_numpy(float, na_value=np.nan), minimum))
            for name in counts
        }
    )


def _without_reasons(losses: pd.DataFrame, told: set[tuple[str, str, str]]) -> pd.DataFrame:
    """Hide counts of treated firms, (model, stack, column)."""
    places = list(zip(losses["model"], losses["stack"].astype(str), strict=True))
    return losses.assign(
        **{
            name: losses[name].mask(
                losses["treated"] & np.array([(*place, name) in told for place in places], bool)
            )
            for name in _OF_MODEL.values()
        }
    )
