"""Exact cells: firms whose named covariates agree, and who alone may be compared.

With continuous covariates cut into bins this is coarsened exact matching (Iacus, King & Porro
2012, doi:10.1093/pan/mpr013).
"""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Integers
from pipeline.errors import ParamsError, Reason, SupportError
from pipeline.matching.stack import RiskSet, StackMatch, weighted
from pipeline.params.design_rules import Bins
from pipeline.params.match import CellOnlyDesign
from pipeline.selection.frequency import Frequency, among, with_copies


def exact_cells(
    covariates: pd.DataFrame, exact: list[str], bins: dict[str, Bins], frequency: Frequency = None
) -> Integers | None:
    """Number the cells of the exact covariates; -1 where one is missing, None without any."""
    if not exact:
        return None
    values = covariates[exact].assign(
        **{name: binned(covariates[name], rule, frequency) for name, rule in bins.items()}
    )
    cells = values.groupby(exact, sort=True, dropna=True, observed=True).ngroup()
    return np.asarray(cells.fillna(-1), dtype=np.int64)


def binned(values: "pd.Series[Any]", rule: Bins, frequency: Frequency = None) -> "pd.Series[Any]":
    """Return the number of the bin of each value, missing where the value is.

    A bin holds its lower edge, and the last one its upper edge. `equal_width` bins span the
    range of the values, `quantiles` hold about equal numbers of firms, each as often as it counts;
    both within the stack.
    """
    known = values.dropna().to_numpy(float)
    if rule.edges is not None:
        inner = np.array(rule.edges)
    elif rule.equal_width is not None:
        inner = np.linspace(known.min(), known.max(), rule.equal_width + 1)[1:-1]
    else:
        every = with_copies(known, among(frequency, values.notna().to_numpy()))
        inner = np.quantile(every, np.linspace(0, 1, int(rule.quantiles or 1) + 1)[1:-1])
    number = np.searchsorted(inner, values.to_numpy(float), side="right").astype(float)
    return pd.Series(number, index=values.index).where(values.notna())


def require_quantiles(values: pd.DataFrame, bins: dict[str, Bins], where: str) -> None:
    """Raise ParamsError where quantiles coincide, so that a bin holds several of them.

    Of few different values each may have a bin of its own.
    """
    for name, rule in bins.items():
        if rule.quantiles is None or not values[name].notna().any():
            continue
        n_bins, n_values = binned(values[name], rule).nunique(), values[name].nunique()
        if n_bins < min(rule.quantiles, n_values):
            raise ParamsError(
                f"{where}: bins.{name}: quantiles: {rule.quantiles} make {n_bins} bins, not "
                f"{rule.quantiles}, since one value is that frequent (zero, say); declare edges "
                "that set it apart"
            )


def weigh_by_cells(risk_set: RiskSet, design: CellOnlyDesign) -> StackMatch:
    """Weight comparison firms so that each cell weighs as much as its treated firms.

    Firms of a cell that one group lacks are left out. Raises SupportError where no cell has both.
    """
    risk_set.require_both()
    assert risk_set.cells is not None, "settings give the design an exact covariate"
    treated, used = risk_set.treated, risk_set.usable
    cell, times = np.where(used, risk_set.cells, 0), risk_set.times
    n_treated = np.bincount(cell, weights=times * (used & treated))
    n_control = np.bincount(cell, weights=times * (used & ~treated))
    both = (n_treated > 0) & (n_control > 0)
    if not both.any():
        found = {"entry_year": risk_set.entry_year, "n": len(np.unique(cell[used]))}
        raise SupportError(
            f"{risk_set.where}: none of the {found['n']} cells has both treated "
            f"and comparison firms: use fewer exact covariates or wider bins{risk_set.or_without}",
            reason=Reason("no_cell_with_both_groups", found),
        )
    level = n_treated / np.where(both, n_control, 1.0)
    weight = np.where(used & both[cell], np.where(treated, 1.0, level[cell]), 0.0)
    return weighted(risk_set, weight)
