"""Cohort samples for group-time effects, from a design's stacks: one stack, one cohort."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.adjusted_sample import covariate_columns
from pipeline.effects.stacks import SetMembers, Stacks
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.group_time.cohort_sample import CohortSample
from pipeline.panel.panel_index import NO_ROW
from pipeline.selection.untreated_categories import (
    in_untreated_categories,
    without_lone_categories,
)


@dataclass(frozen=True)
class CohortSamples:
    """Hold a sample per cohort, and the firms (once per stack) without a covariate or weight.

    `n_in_untreated_categories` were left out for their categories.
    """

    samples: list[CohortSample]
    n_without_covariates: int
    n_in_untreated_categories: int = 0


@dataclass(frozen=True)
class CovariateRows:
    """Hold covariates, and by entry year their row by firm code (F,), NO_ROW for none."""

    values: pd.DataFrame
    row: Mapping[int, Codes]

    def of(self, stack: int, firm: Codes) -> pd.DataFrame:
        """Return the covariates of firms (m,) in an entry year, missing where there are none."""
        if stack not in self.row:
            return self.values.reindex(np.full(len(firm), NO_ROW))
        row = self.row[stack][firm]
        found = self.values.take(np.maximum(row, 0))
        known = np.broadcast_to((row != NO_ROW)[:, None], found.shape)
        return found if known.all() else found.where(known)


def cohort_samples(
    stacks: Stacks,
    values: Floats,
    panel: pd.DataFrame,
    *,
    clusters: Codes,
    covariates: CovariateRows | None,
    whole_sets: bool,
    treated_categories: bool = False,
) -> CohortSamples:
    """Return every stack's firms with their outcomes over the event window.

    `values` is the transformed outcome by PANEL row, `clusters` has one code per unit, `covariates`
    those to adjust for. `whole_sets` makes matched sets count only where complete,
    `treated_categories` leaves out who is in a category without a treated firm. Raises
    IdentificationError where covariates are collinear in an entry year, or nobody has weight.
    """
    sample = partial(_sample, stacks, values, panel, whole_sets=whole_sets)
    samples, lost, untreated = [], 0, 0
    for cohort in np.unique(stacks.stack):
        units = np.flatnonzero((stacks.stack == cohort) & (stacks.weight > 0))
        if not len(units):
            continue
        own = _covariates_of(stacks, units, covariates)
        if treated_categories:
            kept, own = in_treated_categories(own, stacks.treated[units])
            untreated += int((~kept).sum())
            units = units[kept]
        found = firm_columns(own, int(cohort))
        complete = np.isfinite(found).all(axis=1)
        lost += int((~complete).sum())
        units = units[complete]
        samples.append(sample(units, cluster=clusters[units], columns=found[complete]))
    if not samples:
        raise IdentificationError(Reason("no_positive_weight"))
    return CohortSamples(samples, lost, untreated)


def in_treated_categories(covariates: pd.DataFrame, treated: Flags) -> tuple[Flags, pd.DataFrame]:
    """Say which firms (n,) are in categories that a treated firm is in; return their covariates.

    A treated firm counts with all covariates. Firms without one are in no category: they are
    counted as such, not here.
    """
    complete = covariates.notna().all(axis=1).to_numpy()
    kept = np.ones(len(covariates), dtype=np.bool_)
    kept[complete] = ~in_untreated_categories(covariates[complete], treated[complete])
    return kept, without_lone_categories(covariates[kept])


def _sample(
    stacks: Stacks,
    values: Floats,
    panel: pd.DataFrame,
    units: Codes,
    *,
    cluster: Codes,
    columns: Floats,
    whole_sets: bool,
) -> CohortSample:
    covered = stacks.covered[units].any(axis=0)
    rows = stacks.panel_row[units][:, covered]
    cohort = panel["cohort"].to_numpy(dtype=np.float64, na_value=np.inf)
    return CohortSample(
        cohort=int(stacks.stack[units[0]]),
        years=stacks.stack[units[0]] + stacks.event_times[covered],
        firm=stacks.firm[units],
        cluster=cluster,
        treated=stacks.treated[units],
        treated_from=cohort[stacks.firm_row[units]],
        weight=stacks.weight[units],
        y=np.asfortranarray(np.where(rows == NO_ROW, np.nan, values[rows])),
        columns=columns,
        sets=_own_sets(stacks.sets, units, len(stacks.firm)) if whole_sets else None,
    )


def _own_sets(sets: SetMembers | None, units: Codes, n_units: int) -> SetMembers | None:
    """Return the sets of the given units, units renumbered by their position.

    A set that lost a member for want of a covariate is left out: it is no longer complete.
    """
    if sets is None:
        return None
    position = np.full(n_units, NO_ROW, dtype=np.intp)
    position[units] = np.arange(len(units))
    member = position[sets.unit]
    broken = np.zeros(int(sets.set_code.max(initial=-1)) + 1, dtype=np.bool_)
    broken[sets.set_code[member == NO_ROW]] = True
    kept = ~broken[sets.set_code]
    return SetMembers(member[kept], sets.set_code[kept], sets.weight[kept])


def _covariates_of(stacks: Stacks, units: Codes, covariates: CovariateRows | None) -> pd.DataFrame:
    """Return the covariates of the units of one entry year; no column where there are none."""
    if covariates is None:
        return pd.DataFrame(index=range(len(units)))
    return covariates.of(int(stacks.stack[units[0]]), stacks.firm[units])


def firm_columns(covariates: pd.DataFrame, entry_year: int, where: str = "in_entry_year") -> Floats:
    """Return a constant and the covariates, one row per firm; a row with a missing one is NaN.

    Raises IdentificationError where no firm has all covariates, or one is constant or collinear.
    """
    if covariates.shape[1] == 0:
        return np.ones((len(covariates), 1))
    complete = covariates.notna().all(axis=1).to_numpy()
    try:
        design = covariate_columns(covariates[complete])
    except IdentificationError as error:
        found = {"year": entry_year, "reason": error.reason}
        raise IdentificationError(Reason(where, found)) from None
    columns = np.full((len(covariates), design.shape[1]), np.nan)
    columns[complete] = design
    return columns
