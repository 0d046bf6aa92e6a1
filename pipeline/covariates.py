"""Covariates dated relative to entry: what was known of a firm before it could be treated."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.params.score import Covariate

Floats = npt.NDArray[np.float64]


def dated_covariates(
    panel: pd.DataFrame, firms: pd.DataFrame, covariates: dict[str, Covariate]
) -> pd.DataFrame:
    """Return COVARIATES: one row per stack and firm of `firms`, one column per covariate.

    `panel` is PANEL, `firms` has stack and firm_id. A value that is not observed in its year
    is missing; the log of a value that is not positive is missing.
    """
    rows = PanelRows(panel)
    keys = firms[["stack", "firm_id"]].reset_index(drop=True)
    values = {
        name: _covariate(panel, rows, keys, covariate)
        for name, covariate in covariates.items()
        if covariate.product_of is None
    }
    for name, covariate in covariates.items():
        if covariate.product_of is not None:
            values[name] = _product([values[factor] for factor in covariate.product_of])
    table = pd.DataFrame(values, index=keys.index)[list(covariates)]
    return pd.concat([keys, table], axis=1)


def _product(factors: list["pd.Series"]) -> "pd.Series":
    return pd.Series(np.prod([factor.to_numpy(np.float64) for factor in factors], axis=0))


class PanelRows:
    """Find the row of a firm in a year by position, without a merge per covariate."""

    def __init__(self, panel: pd.DataFrame) -> None:
        self._firms = pd.Index(panel["firm_id"].unique())
        self._first = int(panel["year"].min())
        self._n_years = int(panel["year"].max()) - self._first + 1
        self._row = np.full((len(self._firms), self._n_years), -1, dtype=np.int64)
        codes = self._firms.get_indexer(panel["firm_id"])
        self._row[codes, panel["year"].to_numpy(np.int64) - self._first] = np.arange(len(panel))

    def at(self, firm_id: pd.Series, year: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the panel row of each firm and year, -1 where there is none."""
        offset = year - self._first
        inside = (offset >= 0) & (offset < self._n_years)
        codes = self._firms.get_indexer(firm_id)
        found = self._row[codes, np.where(inside, offset, 0)]
        return np.where(inside & (codes >= 0), found, -1)


def _covariate(
    panel: pd.DataFrame, rows: PanelRows, keys: pd.DataFrame, covariate: Covariate
) -> "pd.Series":
    stack = keys["stack"].to_numpy(np.int64)
    column = panel[covariate.column]
    if covariate.transform == "category":
        found = rows.at(keys["firm_id"], stack + covariate.last_event_time)
        return _take_text(column, found)
    values = transformed(column.to_numpy(np.float64), covariate.transform)
    dated = [
        _take(values, rows.at(keys["firm_id"], stack + event_time))
        for event_time in covariate.event_times
    ]
    return pd.Series(_combine(dated, covariate))


def _combine(dated: list[Floats], covariate: Covariate) -> Floats:
    if covariate.change is not None:
        return dated[1] - dated[0]
    if covariate.trend is not None:
        return _slope(np.stack(dated), np.array(covariate.event_times, dtype=np.float64))
    # An average over years in which the firm is only partly observed would compare different
    # years across firms, so it is missing unless every year is observed.
    return np.mean(dated, axis=0)


def _slope(values: Floats, years: Floats) -> Floats:
    """Return the least-squares slope per year, values (years, firms); missing if a year is."""
    centred = years - years.mean()
    return np.asarray(centred @ values / np.square(centred).sum())


def transformed(values: Floats, transform: str | None) -> Floats:
    """Apply `level`, `log` (missing where not positive) or `any` (1 where above zero)."""
    if transform == "log":
        return np.log(values, where=values > 0, out=np.full_like(values, np.nan))
    if transform == "any":
        return np.where(np.isnan(values), np.nan, values > 0)
    return values


def _take(values: Floats, found: npt.NDArray[np.int64]) -> Floats:
    return np.where(found >= 0, values[found], np.nan)


def _take_text(column: pd.Series, found: npt.NDArray[np.int64]) -> "pd.Series":
    return column.iloc[found].reset_index(drop=True).where(found >= 0, None).astype("str")
